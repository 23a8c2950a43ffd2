"""A node with several threads that push, and a hub in another process behind bad lines, while many programs write.

Each program has a field of its own in the shared documents, and documents of its own. It remembers what was acknowledged: at any
time it must find its last word here (S4), and in the end all of it is on both sides and nothing else (S1, S2).
"""

import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import FaultProxy
from nodes import EdgeNode, contents
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.processes import skerry_server

SHARED = 30
LONG_SECONDS = float(os.environ.get("SKERRY_TEST_SOAK_SECONDS", "60"))


class Program(threading.Thread):
    """Writes until it is told to stop; `error` is what it found wrong."""

    def __init__(self, name: str, database: Database[dict[str, Any]], seed: int) -> None:
        super().__init__(daemon=True)
        self.name, self.database, self.choose = name, database, random.Random(seed)
        self.stopping = threading.Event()
        self.shared: dict[int, int] = {}
        self.own: dict[str, int] = {}
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            count = 0
            while not self.stopping.wait(0.002):
                count += 1
                self.write(count)
        except BaseException as error:
            self.error = error

    def write(self, count: int) -> None:
        kind, key = self.choose.random(), f"{self.name} {self.choose.randrange(60)}"
        if kind < 0.5:
            document = self.choose.randrange(SHARED)
            before = self.database.shared.find_one_and_update({"_id": document}, {"$set": {self.name: count}})
            assert before is not None
            assert before.get(self.name) == self.shared.get(document), "a document went back in time (S4)"
            self.shared[document] = count
        elif kind < 0.8:
            before = self.database.own.find_one_and_replace({"_id": key}, {"_id": key, "n": count}, upsert=True)
            assert (before or {}).get("n") == self.own.get(key), "a document went back in time (S4)"
            self.own[key] = count
        else:
            before = self.database.own.find_one_and_delete({"_id": key})
            assert (before or {}).get("n") == self.own.pop(key, None), "a document went back in time (S4)"


def expected(programs: list[Program]) -> dict[str, dict[Any, dict[str, Any]]]:
    """Return what the acknowledged writes have made of every document."""
    shared: dict[Any, dict[str, Any]] = {n: {"_id": n} for n in range(SHARED)}
    own: dict[Any, dict[str, Any]] = {}
    for program in programs:
        for document, value in program.shared.items():
            shared[document][program.name] = value
        own |= {key: {"_id": key, "n": value} for key, value in program.own.items()}
    return {"own": own, "shared": shared}


def by_id(database: Any) -> dict[str, dict[Any, dict[str, Any]]]:
    return {name: {each["_id"]: each for each in found} for name, found in contents(database).items()}


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS + 120)
@pytest.mark.parametrize("seconds", [4.0, pytest.param(LONG_SECONDS, marks=pytest.mark.long, id="long")])
def test_no_acknowledged_write_is_lost_or_undone_while_several_batches_travel_over_bad_lines(
    tmp_path: Path, seconds: float
) -> None:
    choose = random.Random(1)
    (tmp_path / "hub").mkdir()
    with skerry_server(tmp_path / "hub") as server, MongoClient[dict[str, Any]](server.uri) as client:
        hub = client.shop
        hub.shared.insert_many([{"_id": n} for n in range(SHARED)])
        proxy = FaultProxy(int(server.uri.rstrip("/").rpartition(":")[2].partition("/")[0]), seed=1)
        edge = EdgeNode(tmp_path / "edge", proxy.uri, "shop.*=both", batches_in_flight=3, batch_documents_max=4)
        try:
            edge.settle()
            programs = [Program(f"here{n}", edge.shop, n) for n in range(3)] + [Program("there", hub, 9)]
            proxy.cut_probability = 0.01
            for program in programs:
                program.start()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(choose.uniform(0.05, 0.3))
                if choose.random() < 0.3:
                    proxy.cut()
                elif choose.random() < 0.1:
                    edge.replicator.full_sync()
            for program in programs:
                program.stopping.set()
                program.join(20)
                assert program.error is None, program.error
            proxy.cut_probability = 0.0
            edge.settle(60)
            assert by_id(edge.shop) == by_id(hub) == expected(programs)
            counters = edge.counters()
            assert counters.get("conflicts", 0) == 0
            assert counters["push_batches"] > 10
            assert proxy.cuts
        finally:
            edge.close()
            proxy.close()
