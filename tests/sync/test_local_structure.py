"""What happens to the hub's documents when a collection is dropped, renamed or replaced here."""

from collections.abc import Callable

from hubs import HubNode
from nodes import EdgeNode, contents


def filled(edge: EdgeNode, count: int = 3) -> EdgeNode:
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(count)])
    edge.settle()
    return edge


def test_a_collection_dropped_here_is_emptied_on_the_hub_and_stays_dropped(hub: HubNode, edge: EdgeNode) -> None:
    filled(edge, 1200)
    hub.shop.orders.create_index("v")
    edge.shop.orders.drop()
    edge.settle()
    assert hub.shop.orders.count_documents({}) == 0
    assert "v_1" in hub.shop.orders.index_information()
    edge.replicator.full_sync()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop) == {}
    assert edge.replicator.status().frozen == {}


def test_what_the_hub_changed_meanwhile_is_a_conflict_and_not_lost(hub: HubNode, edge: EdgeNode) -> None:
    filled(edge)
    edge.replicator.pause()
    edge.shop.orders.drop()
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"v": "there"}})
    edge.replicator.resume()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.count_documents({"_id": {"$in": [0, 2]}}) == 0
    link = edge.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["remote"] == {"_id": 1, "v": "there"}


def test_a_dropped_database_is_emptied_on_the_hub_as_far_as_it_travels(
    hub: HubNode, make_edge: Callable[..., EdgeNode]
) -> None:
    hub.shop.prices.insert_one({"_id": 1})
    edge = filled(make_edge(rules="shop.prices=pull,shop.*=both"))
    edge.client.drop_database(edge.shop.name)
    edge.settle()
    assert contents(hub.shop) == {"prices": [{"_id": 1}]}


def test_a_collection_renamed_here_moves_its_documents_on_the_hub(hub: HubNode, edge: EdgeNode) -> None:
    filled(edge)
    edge.shop.archive.insert_many([{"_id": 1, "old": True}, {"_id": 9}])
    edge.settle()
    edge.shop.orders.rename("archive", dropTarget=True)
    edge.settle()
    expected = {"archive": [{"_id": n, "v": 0} for n in range(3)]}
    assert contents(edge.shop) == contents(hub.shop) == expected


def test_a_collection_renamed_out_of_the_selection_leaves_the_hub(
    hub: HubNode, make_edge: Callable[..., EdgeNode]
) -> None:
    edge = filled(make_edge(rules="shop.orders=both"))
    edge.shop.orders.rename("private")
    edge.settle()
    assert contents(hub.shop) == {}
    edge.shop.private.rename("orders")
    edge.settle()
    assert contents(hub.shop) == {"orders": [{"_id": n, "v": 0} for n in range(3)]}


def test_a_collection_replaced_by_out_is_replaced_on_the_hub(hub: HubNode, edge: EdgeNode) -> None:
    filled(edge)
    edge.shop.totals.insert_one({"_id": "stale"})
    edge.settle()
    edge.shop.orders.aggregate([{"$match": {"_id": {"$gt": 0}}}, {"$out": "totals"}])
    edge.settle()
    assert contents(hub.shop)["totals"] == [{"_id": 1, "v": 0}, {"_id": 2, "v": 0}]


def test_a_dropped_collection_that_only_comes_down_comes_again(
    hub: HubNode, make_edge: Callable[..., EdgeNode]
) -> None:
    hub.shop.prices.insert_one({"_id": 1})
    edge = make_edge(rules="shop.prices=pull")
    edge.settle()
    edge.shop.prices.drop()
    edge.replicator.full_sync()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop) == {"prices": [{"_id": 1}]}
