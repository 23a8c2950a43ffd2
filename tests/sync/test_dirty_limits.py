"""More waits to be pushed than may: writes are refused, noted with less, or compared later; nothing is lost."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for
from pymongo.errors import OperationFailure

from skerry.config.sync_config import OnFull
from skerry.sync.backlog_gauge import FULL_SECONDS

Make = Callable[..., EdgeNode]


def offline(make_edge: Make, hub: HubNode, **settings: Any) -> EdgeNode:
    """An edge that is in step and then paused."""
    hub.shop.orders.insert_many([{"_id": n, "v": 0, "w": 0} for n in range(20)])
    edge = make_edge(**settings)
    edge.settle()
    edge.replicator.pause()
    return edge


def test_a_write_beyond_the_limit_is_refused_until_there_is_room(hub: HubNode, make_edge: Make) -> None:
    edge = offline(make_edge, hub, dirty_documents_max=5)
    edge.shop.orders.update_many({"_id": {"$lt": 5}}, {"$set": {"v": 1}})
    with pytest.raises(OperationFailure) as caught:
        edge.shop.orders.update_one({"_id": 5}, {"$set": {"v": 1}})
    assert caught.value.code == 365
    assert edge.shop.orders.find_one({"_id": 5}) == {"_id": 5, "v": 0, "w": 0}
    edge.shop.orders.update_one({"_id": 4}, {"$set": {"v": 2}})  # waits already
    assert any("of its limit" in problem for problem in edge.replicator.status().problems)
    edge.replicator.resume()
    edge.settle()
    time.sleep(FULL_SECONDS)
    edge.shop.orders.update_one({"_id": 5}, {"$set": {"v": 3}})
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.replicator.status().problems == ()


@pytest.mark.parametrize(("limit", "pause_seconds"), [({"dirty_bytes_max": 300}, 0), ({"dirty_age_ms_max": 60}, 0.01)])
def test_bytes_and_age_are_limited_too(
    hub: HubNode, make_edge: Make, limit: dict[str, int], pause_seconds: float
) -> None:
    edge = offline(make_edge, hub, **limit)
    refused = 0
    for n in range(20):
        try:
            edge.shop.orders.update_one({"_id": n}, {"$set": {"v": 1}})
        except OperationFailure:
            refused += 1
        time.sleep(pause_seconds)
    assert 0 < refused < 20
    edge.replicator.resume()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)


def test_without_bases_a_conflict_is_about_the_whole_document(hub: HubNode, make_edge: Make) -> None:
    edge = offline(make_edge, hub, dirty_bytes_max=100, on_full=OnFull.SPILL)
    edge.shop.orders.update_many({}, {"$set": {"v": 1}})
    link = edge.replicator.link
    assert link.read(link.shadows.kept_bytes) <= 100
    hub.shop.orders.update_one({"_id": 3}, {"$set": {"w": 1}})
    hub.shop.orders.update_one({"_id": 4}, {"$set": {"v": 1}})
    edge.replicator.resume()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.count_documents({"v": 1}) == 19
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["local"] == {"_id": 3, "v": 1, "w": 0}
    assert conflict.record["remote"] == {"_id": 3, "v": 0, "w": 1}


def test_a_collection_that_is_not_tracked_any_more_is_compared(hub: HubNode, make_edge: Make) -> None:
    edge = offline(make_edge, hub, dirty_documents_max=5, on_full=OnFull.MARK_COLLECTION)
    edge.shop.people.insert_one({"_id": 1})
    for n in range(10):
        edge.shop.orders.update_one({"_id": n}, {"$set": {"v": n + 1}})
    edge.shop.orders.delete_many({"_id": {"$gte": 18}})
    edge.shop.orders.insert_many([{"_id": f"new {n}"} for n in range(10)])
    status = edge.replicator.status()
    hub.shop.orders.update_one({"_id": 12}, {"$set": {"v": "there"}})
    hub.shop.orders.update_one({"_id": 3}, {"$set": {"w": "there"}})
    hub.shop.orders.delete_one({"_id": 13})
    assert status.dirty <= 6
    edge.replicator.resume()
    wait_for(lambda: edge.replicator.link.selection.untracked == {} and edge.replicator.status().is_in_step)
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.count_documents({}) == 20 + 10 - 2 - 1
    assert hub.shop.orders.find_one({"_id": 18}) is None
    assert [d["v"] for d in hub.shop.orders.find({"_id": {"$lt": 10, "$ne": 3}}).sort("_id")] == [
        1,
        2,
        3,
        5,
        6,
        7,
        8,
        9,
        10,
    ]
    assert hub.shop.orders.find_one({"_id": 12}, {"v": 1}) == {"_id": 12, "v": "there"}
    link = edge.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["local"] == {"_id": 3, "v": 4, "w": 0}
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"v": "tracked again"}})
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
