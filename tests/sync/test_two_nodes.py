"""An edge and its hub over the wire: both ways, with what each wrote alone and what both wrote."""

import time
from collections.abc import Callable

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents

pytestmark = pytest.mark.witnessed


def test_what_is_written_on_the_edge_reaches_the_hub(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n, "qty": n} for n in range(10)])
    edge.shop.orders.update_one({"_id": 3}, {"$set": {"qty": 33}})
    edge.shop.orders.delete_one({"_id": 4})
    edge.settle()
    assert contents(hub.shop) == contents(edge.shop)
    assert hub.shop.orders.count_documents({}) == 9


def test_what_is_written_on_the_hub_reaches_the_edge(hub: HubNode, edge: EdgeNode) -> None:
    edge.settle()
    hub.shop.orders.insert_many([{"_id": n, "qty": n} for n in range(10)])
    hub.shop.orders.update_many({"_id": {"$lt": 5}}, {"$inc": {"qty": 100}})
    hub.shop.orders.delete_one({"_id": 7})
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.shop.orders.find_one({"_id": 2}) == {"_id": 2, "qty": 102}


def test_an_echo_is_not_applied_again(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n} for n in range(20)])
    edge.settle()
    edge.shop.orders.update_many({}, {"$set": {"seen": True}})
    edge.settle()
    counters = edge.counters()
    assert counters["echoes"] == 40
    assert counters.get("pulled_applied", 0) == 0
    assert counters.get("pulled_merged", 0) == 0


def test_what_both_had_before_the_link_is_copied_and_compared(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> None:
    edge = make_edge(linked=False)
    hub.shop.orders.insert_many([{"_id": n, "from": "hub"} for n in range(2500)])
    edge.shop.orders.insert_many([{"_id": n, "from": "edge"} for n in range(2400, 2600)])
    edge.shop.orders.insert_one({"_id": "text", "from": "edge"})
    edge.link()
    edge.settle(30)
    assert hub.shop.orders.count_documents({"from": "hub"}) == 2500
    assert hub.shop.orders.count_documents({"from": "edge"}) == 101
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.replicator.status().conflicts == 100


def test_different_fields_written_on_both_sides_are_merged(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_one({"_id": 1, "a": 1, "b": 1})
    edge.settle()
    edge.replicator.pause()
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"a": 2}})
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"b": 2}})
    edge.replicator.resume()
    edge.settle()
    assert hub.shop.orders.find_one() == edge.shop.orders.find_one() == {"_id": 1, "a": 2, "b": 2}
    assert edge.replicator.status().conflicts == 0


def test_the_last_write_wins_and_the_other_is_kept(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_one({"_id": 1, "a": 1})
    edge.settle()
    edge.replicator.pause()
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"a": "earlier, here"}})
    time.sleep(0.05)  # more than the clocks are taken to differ
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"a": "later, there"}})
    edge.replicator.resume()
    edge.settle()
    assert hub.shop.orders.find_one() == edge.shop.orders.find_one() == {"_id": 1, "a": "later, there"}
    link = edge.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["local"] == {"_id": 1, "a": "earlier, here"}
    assert conflict.record["winner"] == "remote"
    assert conflict.record["paths"] == ["a"]


def test_two_edges_meet_on_the_hub(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> None:
    north, south = make_edge("north"), make_edge("south")
    for n in range(30):
        north.shop.orders.insert_one({"_id": f"n{n}", "n": n})
        south.shop.orders.insert_one({"_id": f"s{n}", "n": n})
    for edge in (north, south, north):
        edge.settle()
    assert contents(north.shop) == contents(south.shop) == contents(hub.shop)
    north.shop.orders.delete_many({"n": {"$lt": 10}})
    north.settle()
    south.settle()
    assert south.shop.orders.count_documents({}) == 40
