"""Two edges and a foreign application write the same documents at once, over bad lines, with restarts and lost history.

Each writer has a field of its own in every document, so the last value of each field is known whatever the order; and documents
of its own, some of which it deletes again.
"""

import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from fault_proxy import FaultProxy
from hubs import LocalHub
from nodes import EdgeNode, contents

pytestmark = pytest.mark.slow
SECONDS = float(os.environ.get("SKERRY_TEST_SOAK_SECONDS", "6"))
SHARED = 12


class Writer:
    """One application: remembers what it wrote last."""

    def __init__(self, name: str, database: Any, choose: random.Random) -> None:
        self.name, self.database, self.choose = name, database, choose
        self.values: dict[int, int] = {}
        self.own: dict[str, int] = {}
        self.written = 0

    def write(self) -> None:
        self.written += 1
        kind = self.choose.random()
        if kind < 0.6:
            document = self.choose.randrange(SHARED)
            found = self.database.shared.update_one({"_id": document}, {"$set": {self.name: self.written}})
            if found.matched_count:
                self.values[document] = self.written
        elif kind < 0.9 or not self.own:
            id_value = f"{self.name} {self.choose.randrange(40)}"
            self.database.own.replace_one({"_id": id_value}, {"_id": id_value, "n": self.written}, upsert=True)
            self.own[id_value] = self.written
        else:
            id_value = self.choose.choice(list(self.own))
            self.database.own.delete_one({"_id": id_value})
            del self.own[id_value]


def disturb(choose: random.Random, hub: LocalHub, edges: list[EdgeNode], proxies: list[FaultProxy]) -> None:
    which = choose.randrange(len(edges))
    kind = choose.random()
    if kind < 0.5:
        proxies[which].cut()
    elif kind < 0.65:
        edges[which].unlink()
        edges[which].relink()
    elif kind < 0.8:
        edges[which].replicator.full_sync()
    elif kind < 0.9:
        edges[which].replicator.pause()
        time.sleep(0.1)
        edges[which].replicator.resume()
    else:
        hub.lose_history()


@pytest.mark.timeout(SECONDS * 2 + 120)
def test_every_writers_last_word_is_on_all_nodes(local_hub: LocalHub, make_edge: Callable[..., EdgeNode]) -> None:
    hub = local_hub
    seed = int(os.environ.get("SKERRY_TEST_SOAK_SEED", "1"))
    choose = random.Random(seed)
    hub.shop.shared.insert_many([{"_id": n} for n in range(SHARED)])
    proxies = [FaultProxy(hub.port, seed=seed + n) for n in range(2)]
    edges = [
        make_edge(name, hub_uri=proxy.uri, batch_documents_max=15)
        for name, proxy in zip(("north", "south"), proxies, strict=True)
    ]
    try:
        for edge in edges:
            edge.settle()
        writers = [Writer("foreign", hub.shop, choose), *(Writer(e.path.name, e.shop, choose) for e in edges)]
        for proxy in proxies:
            proxy.cut_probability = 0.01
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            choose.choice(writers).write()
            if choose.random() < 0.01:
                disturb(choose, hub, edges, proxies)
            time.sleep(0.001)
        for proxy in proxies:
            proxy.cut_probability = 0.0
        for edge in (*edges, edges[0]):
            edge.settle(60)
        assert contents(edges[0].shop) == contents(edges[1].shop) == contents(hub.shop)
        for writer in writers:
            shared = {d["_id"]: d.get(writer.name) for d in hub.shop.shared.find()}
            assert {n: shared[n] for n in writer.values} == writer.values
            own = {d["_id"]: d["n"] for d in hub.shop.own.find({"_id": {"$regex": f"^{writer.name} "}})}
            assert own == writer.own
        assert [edge.replicator.status().conflicts for edge in edges] == [0, 0]
    finally:
        for edge in edges:
            edge.close()
        for proxy in proxies:
            proxy.close()
