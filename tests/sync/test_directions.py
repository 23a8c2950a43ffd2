"""Up only, down only, not at all: the direction of each collection."""

from collections.abc import Callable

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for

from skerry.sync import outbox

pytestmark = pytest.mark.witnessed


@pytest.mark.parametrize(
    ("direction", "goes_up", "comes_down"),
    [("both", True, True), ("push", True, False), ("pull", False, True), ("none", False, False)],
)
def test_a_rule_says_which_way_a_collection_travels_and_concerns_no_other(
    hub: HubNode, make_edge: Callable[..., EdgeNode], direction: str, goes_up: bool, comes_down: bool
) -> None:
    hub.shop.chosen.insert_one({"_id": "there before"})
    edge = make_edge(rules=f"shop.chosen={direction},shop.orders=both")
    edge.settle()
    for name in ("chosen", "orders"):
        edge.shop[name].insert_one({"_id": "here"})
        hub.shop[name].insert_one({"_id": "there"})
    edge.settle()
    assert edge.shop.chosen.count_documents({"_id": "here"}) == hub.shop.orders.count_documents({"_id": "here"}) == 1
    assert hub.shop.chosen.count_documents({"_id": "here"}) == int(goes_up)
    assert edge.shop.chosen.count_documents({"_id": {"$ne": "here"}}) == (2 if comes_down else 0)
    assert contents(edge.shop)["orders"] == contents(hub.shop)["orders"]


def test_what_only_goes_up_overwrites_the_hub_and_keeps_what_was_there(
    hub: HubNode, make_edge: Callable[..., EdgeNode]
) -> None:
    edge = make_edge(rules="shop.readings=push")
    edge.shop.readings.insert_one({"_id": 1, "v": 1})
    edge.settle()
    hub.shop.readings.update_one({"_id": 1}, {"$set": {"v": "changed there"}})
    edge.settle()
    assert edge.shop.readings.find_one({"_id": 1}) == {"_id": 1, "v": 1}
    edge.shop.readings.update_one({"_id": 1}, {"$set": {"v": 2}})
    edge.settle()
    assert hub.shop.readings.find_one({"_id": 1}) == {"_id": 1, "v": 2}
    link = edge.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["remote"] == {"_id": 1, "v": "changed there"}


def test_what_only_comes_down_takes_the_place_of_an_edit_here(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> None:
    hub.shop.prices.insert_one({"_id": 1, "v": 1})
    edge = make_edge(rules="shop.prices=pull")
    edge.settle()
    edge.shop.prices.update_one({"_id": 1}, {"$set": {"v": "here"}})
    edge.settle()
    assert hub.shop.prices.find_one() == {"_id": 1, "v": 1}
    hub.shop.prices.update_one({"_id": 1}, {"$set": {"v": 2}})
    edge.settle()
    assert edge.shop.prices.find_one() == {"_id": 1, "v": 2}


def test_another_database_stays_where_it_is(hub: HubNode, edge: EdgeNode) -> None:
    edge.database("elsewhere").things.insert_one({"_id": 1})
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    assert contents(hub.shop) == {"orders": [{"_id": 1}]}
    assert f"{hub.prefix}elsewhere" not in hub.client.list_database_names()


def test_several_databases_travel_through_one_stream(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> None:
    edge = make_edge(rules="shop.*=both,depot*.stock=both")
    edge.settle()
    hub.database("depot1").stock.insert_one({"_id": 1})
    hub.shop.orders.insert_one({"_id": 1})
    edge.database("depot2").stock.insert_one({"_id": 2})
    edge.shop.orders.insert_one({"_id": 2})
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop) == {"orders": [{"_id": 1}, {"_id": 2}]}
    assert edge.database("depot1").stock.count_documents({}) == 1
    assert hub.database("depot2").stock.count_documents({}) == 1
    assert "expiry" in hub.database("depot2")["__edge_sync"].index_information()


def test_a_collection_added_to_the_selection_is_copied(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> None:
    hub.shop.orders.insert_one({"_id": 1})
    hub.shop.people.insert_one({"_id": 1})
    edge = make_edge(rules="shop.orders=both")
    edge.shop.people.insert_one({"_id": 2})
    edge.settle()
    assert edge.shop.people.count_documents({}) == 1
    edge.close()
    edge = make_edge(rules="shop.*=both")
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.shop.people.count_documents({}) == 2


def test_a_full_sync_changes_nothing_where_both_sides_agree(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(10)])
    edge.settle()
    pushed = edge.counters()["pushed"]
    edge.replicator.full_sync()
    edge.settle()
    assert edge.counters()["pushed"] == pushed
    assert edge.counters().get("pulled_applied", 0) == 0
    assert edge.replicator.status().conflicts == 0


def test_a_full_sync_brings_back_what_was_lost_here(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(10)])
    edge.settle()
    edge.engine.stop_observing(outbox.attach(edge.engine))
    edge.shop.orders.drop()
    outbox.attach(edge.engine)
    assert [found.kind for found in edge.replicator.verify()] == ["only on the hub"] * 10
    edge.replicator.full_sync()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.shop.orders.count_documents({}) == 10
    assert list(edge.replicator.verify()) == []


def test_a_full_sync_finds_what_was_written_past_the_outbox(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(10)])
    edge.settle()
    edge.engine.stop_observing(outbox.attach(edge.engine))
    edge.shop.orders.update_one({"_id": 3}, {"$set": {"v": "unseen"}})
    edge.shop.orders.insert_one({"_id": "unseen"})
    outbox.attach(edge.engine)
    edge.replicator.full_sync()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.find_one({"_id": 3}) == {"_id": 3, "v": "unseen"}


def test_a_write_while_paused_waits(hub: HubNode, edge: EdgeNode) -> None:
    edge.settle()
    edge.replicator.pause()
    edge.shop.orders.insert_one({"_id": 1})
    wait_for(lambda: edge.replicator.status().dirty == 1)
    assert not edge.replicator.wait_until_in_step(0.3)
    assert hub.shop.orders.count_documents({}) == 0
    edge.replicator.resume()
    edge.settle()
    assert hub.shop.orders.count_documents({}) == 1
