"""More than one step between an edge and the hub: a node that is the hub of those below and an edge of the one above."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for

from skerry.sync.document_history import document_history
from skerry.values.namespace import Namespace


class Tree:
    """A hub, two regions below it, and an edge below each of them."""

    def __init__(self, hub: HubNode, path: Path) -> None:
        self.hub = hub
        self.regions = [self.make(path / name, hub.uri) for name in ("east", "west")]
        self.edges = [self.make(path / f"{region.path.name} edge", uri_of(region)) for region in self.regions]
        self.nodes = [*self.edges, *self.regions]

    def make(self, path: Path, hub_uri: str) -> EdgeNode:
        return EdgeNode(path, hub_uri, "shop.*=both", prefix=self.hub.prefix)

    def settle(self) -> None:
        """Let what was written anywhere travel up to the hub and down to every node."""
        for node in (*self.nodes, *reversed(self.nodes)):
            node.settle()

    def close(self) -> None:
        for node in self.nodes:
            node.close()


def uri_of(node: EdgeNode) -> str:
    host, port = node.listener.address  # type: ignore[misc]
    return f"mongodb://{host}:{port}/?directConnection=true"


def orders_of(hub: HubNode) -> Namespace:
    return Namespace(hub.shop.name, "orders")


@pytest.fixture
def tree(hub: HubNode, tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(hub, tmp_path)
    yield tree
    tree.close()


def test_what_is_written_anywhere_is_everywhere(tree: Tree) -> None:
    tree.settle()
    for number, node in enumerate(tree.nodes):
        node.shop.orders.insert_one({"_id": number, "by": node.path.name})
    tree.hub.shop.orders.insert_one({"_id": "hub"})
    tree.settle()
    expected = contents(tree.hub.shop)
    assert len(expected["orders"]) == 5
    for node in tree.nodes:
        assert contents(node.shop) == expected
    tree.edges[0].shop.orders.update_one({"_id": 1}, {"$set": {"changed": "east edge"}})
    tree.regions[1].shop.orders.delete_one({"_id": 0})
    tree.settle()
    expected = contents(tree.hub.shop)
    assert len(expected["orders"]) == 4
    for node in tree.nodes:
        assert contents(node.shop) == expected
        assert node.replicator.status().conflicts == 0


def test_a_region_that_is_cut_off_serves_its_edges_and_catches_up(tree: Tree) -> None:
    tree.settle()
    for region in tree.regions:
        region.replicator.pause()
    for node in tree.edges:
        node.shop.orders.insert_one({"_id": node.path.name})
        node.shop.orders.insert_one({"_id": "same", node.path.name: 1})
        node.settle()
    assert contents(tree.regions[0].shop) == contents(tree.edges[0].shop)
    assert contents(tree.hub.shop) == {}
    for region in tree.regions:
        region.replicator.resume()
    tree.settle()
    tree.settle()
    expected = contents(tree.hub.shop)
    assert [each["_id"] for each in expected["orders"]] == ["east edge", "same", "west edge"]
    assert expected["orders"][1].keys() == {"_id", "east edge", "west edge"}
    for node in tree.nodes:
        assert contents(node.shop) == expected


def test_who_wrote_it_and_when_is_known_above(tree: Tree) -> None:
    tree.settle()
    edge, region = tree.edges[0], tree.regions[0]
    edge.replicator.pause()
    edge.shop.orders.insert_one({"_id": 1})
    written_ms = time.time() * 1000
    time.sleep(0.3)
    edge.replicator.resume()
    tree.settle()
    region.shop.orders.insert_one({"_id": 2})
    tree.settle()
    name = edge.replicator.link.identity.edge
    above = document_history(region.replicator.link, orders_of(tree.hub), 1)
    pushed = above["pushed"][-1]
    assert (pushed["edge"], pushed["origin"]) == (region.replicator.link.identity.edge, name)
    assert abs(pushed["written_at_ms"] - written_ms) < 200
    own = document_history(region.replicator.link, orders_of(tree.hub), 2)["pushed"][-1]
    assert own["edge"] == own["origin"] == region.replicator.link.identity.edge


def test_the_history_of_a_document_names_state_base_and_changes(
    hub: HubNode, make_edge: Callable[..., EdgeNode]
) -> None:
    edge = make_edge()
    edge.shop.orders.insert_one({"_id": 1, "v": 1})
    edge.settle()
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"v": 2}})
    edge.settle()
    wait_for(lambda: edge.shop.orders.find_one({"_id": 1}) == {"_id": 1, "v": 2})
    edge.replicator.pause()
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"v": 3}})
    found = document_history(edge.replicator.link, orders_of(hub), 1)
    assert (found["state"], found["base"], found["local"]) == ("dirty", {"_id": 1, "v": 2}, {"_id": 1, "v": 3})
    assert [each["origin"] for each in found["local_changes"]] == ["local", "hub", "local"]
    assert [each["edge"] for each in found["pushed"]] == [edge.replicator.link.identity.edge]
    assert found["conflicts"] == []
    assert document_history(edge.replicator.link, orders_of(hub), "unknown")["state"] == "untracked"
    offline = document_history(edge.replicator.link, orders_of(hub), 1, ask_hub=False)
    assert offline["pushed"] is None
