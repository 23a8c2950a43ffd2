"""The hub is SecantusDB, another server of MongoDB's protocol, in a process of its own: a second witness of what hubs do.

Only in `make test-long`; skipped with the reason where it cannot be installed or lacks what a hub needs.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nodes import EdgeNode, contents, wait_for
from pymongo import MongoClient

from benchmarks import peers
from benchmarks.processes import foreign_server, free_port
from benchmarks.subjects import PEERS_ENVIRONMENT
from skerry.sync.sync_health import LinkState

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class ForeignHub:
    """The hub's address and a client of it."""

    def __init__(self, uri: str) -> None:
        self.uri = f"{uri}/?directConnection=true"
        self.client: MongoClient[dict[str, object]] = MongoClient(self.uri)
        self.shop = self.client.shop


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[ForeignHub]:
    if reason := peers.install({"secantusdb"}).get("secantusdb"):
        pytest.skip(f"SecantusDB cannot be installed: {reason}")
    port = free_port()
    command = [str(PEERS_ENVIRONMENT / "bin" / "secantusd-py"), "--port", str(port)]
    command += ["--storage-path", str(tmp_path / "hub")]
    with foreign_server(command, port) as server:
        made = ForeignHub(server.uri)
        yield made
        made.client.close()


@pytest.fixture
def make_secantus_edge(tmp_path: Path, hub: ForeignHub) -> Iterator[Callable[[str], EdgeNode]]:
    made: list[EdgeNode] = []

    def make(name: str) -> EdgeNode:
        edge = EdgeNode(tmp_path / name, hub.uri, "shop.*=both")
        made.append(edge)
        wait_for(lambda: edge.replicator.status().state in (LinkState.STREAMING, LinkState.REFUSED), 30)
        if edge.replicator.status().state is LinkState.REFUSED:
            pytest.skip(f"SecantusDB lacks what a hub needs: {edge.replicator.status().error}")
        return edge

    yield make
    for edge in made:
        edge.close()


def test_both_directions_agree(hub: ForeignHub, make_secantus_edge: Callable[[str], EdgeNode]) -> None:
    hub.shop.orders.insert_many([{"_id": f"h{n}", "v": 0} for n in range(50)])
    edge = make_secantus_edge("edge")
    edge.shop.orders.insert_many([{"_id": f"e{n}", "v": 0} for n in range(50)])
    edge.settle(60)
    hub.shop.orders.update_many({"v": 0}, {"$set": {"by": "hub"}})
    hub.shop.orders.delete_one({"_id": "e1"})
    edge.shop.orders.delete_one({"_id": "h1"})
    edge.settle(60)
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.shop.orders.count_documents({"by": "hub"}) >= 97


def test_edits_of_the_same_documents_on_two_edges_and_the_hub_meet(
    hub: ForeignHub, make_secantus_edge: Callable[[str], EdgeNode]
) -> None:
    choose = random.Random(5)
    hub.shop.shared.insert_many([{"_id": n} for n in range(8)])
    edges = [make_secantus_edge("north"), make_secantus_edge("south")]
    for edge in edges:
        edge.settle(60)
    places = {"hub": hub.shop, "north": edges[0].shop, "south": edges[1].shop}
    last: dict[tuple[str, int], int] = {}
    for n in range(150):
        name, document = choose.choice(list(places)), choose.randrange(8)
        places[name].shared.update_one({"_id": document}, {"$set": {name: n}})
        last[name, document] = n
        if n % 40 == 20:
            edges[n % 2].unlink()
            edges[n % 2].relink()
    for edge in (*edges, edges[0]):
        edge.settle(60)
    assert contents(edges[0].shop) == contents(edges[1].shop) == contents(hub.shop)
    found = {document["_id"]: document for document in hub.shop.shared.find()}
    assert {(name, document): found[document][name] for name, document in last} == last
