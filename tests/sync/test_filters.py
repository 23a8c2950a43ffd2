"""A node that wants only some documents of a collection: they come, go and move between scopes, on both sides."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for

from skerry.config.sync_config import Direction, SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.errors import ConfigurationError
from skerry.sync.replicator import Replicator
from skerry.sync.selection_override import SelectionOverride

pytestmark = pytest.mark.witnessed

HERE = '{"store": 7}'


@pytest.fixture
def store(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> EdgeNode:
    hub.shop.orders.insert_many([{"_id": n, "store": n % 10} for n in range(40)])
    edge = make_edge(rules=f"shop.orders=both {HERE}")
    edge.settle()
    return edge


def ids(edge: EdgeNode) -> list[object]:
    return sorted((each["_id"] for each in edge.shop.orders.find()), key=str)


def test_only_what_matches_comes_and_moves_with_the_hub(hub: HubNode, store: EdgeNode) -> None:
    assert ids(store) == [17, 27, 37, 7]
    hub.shop.orders.update_one({"_id": 7}, {"$set": {"store": 1}})
    hub.shop.orders.update_one({"_id": 8}, {"$set": {"store": 7}})
    hub.shop.orders.delete_one({"_id": 17})
    hub.shop.orders.insert_many([{"_id": 100, "store": 7}, {"_id": 101, "store": 1}])
    store.settle()
    assert ids(store) == [100, 27, 37, 8]
    assert hub.shop.orders.count_documents({}) == 41
    store.replicator.full_sync()
    store.settle()
    assert ids(store) == [100, 27, 37, 8]
    assert list(store.replicator.verify()) == []


def test_a_document_that_leaves_by_a_local_change_goes_up_first(hub: HubNode, store: EdgeNode) -> None:
    store.shop.orders.update_one({"_id": 7}, {"$set": {"store": 1, "moved": True}})
    store.settle()
    assert hub.shop.orders.find_one({"_id": 7}) == {"_id": 7, "store": 1, "moved": True}
    wait_for(lambda: ids(store) == [17, 27, 37])
    store.shop.orders.delete_one({"_id": 17})
    store.settle()
    assert hub.shop.orders.find_one({"_id": 17}) is None


def test_what_never_was_in_scope_stays_here_until_it_is(hub: HubNode, store: EdgeNode) -> None:
    store.shop.orders.insert_one({"_id": "draft", "store": 0})
    store.settle()
    assert hub.shop.orders.find_one({"_id": "draft"}) is None
    store.shop.orders.update_one({"_id": "draft"}, {"$set": {"store": 7}})
    store.settle()
    assert hub.shop.orders.find_one({"_id": "draft"}) == {"_id": "draft", "store": 7}
    store.replicator.full_sync()
    store.settle()
    assert "draft" in ids(store)


def test_an_id_that_the_hub_has_out_of_scope_is_a_conflict(hub: HubNode, store: EdgeNode) -> None:
    store.shop.orders.insert_one({"_id": 3, "store": 7, "mine": True})
    store.settle()
    assert hub.shop.orders.find_one({"_id": 3}, {"store": 1, "mine": 1}) is not None
    link = store.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["remote"] == {"_id": 3, "store": 3}
    assert contents(hub.shop)["orders"][3]["_id"] is not None


def test_an_edit_here_of_what_left_on_the_hub_is_merged_and_then_goes(hub: HubNode, store: EdgeNode) -> None:
    store.replicator.pause()
    store.shop.orders.update_one({"_id": 7}, {"$set": {"note": "here"}})
    hub.shop.orders.update_one({"_id": 7}, {"$set": {"store": 1}})
    store.replicator.resume()
    store.settle()
    wait_for(lambda: ids(store) == [17, 27, 37])
    assert hub.shop.orders.find_one({"_id": 7}) == {"_id": 7, "store": 1, "note": "here"}


def test_another_filter_takes_effect_while_the_link_runs(hub: HubNode, store: EdgeNode) -> None:
    before = store.replicator.link.selection.version
    orders = f"{hub.shop.name}.orders"
    wider = SelectionOverride().with_direction(orders, Direction.BOTH, '{"store": {"$in": [7, 8]}}')
    store.replicator.override_selection(wider)
    wait_for(lambda: len(ids(store)) == 8)
    assert store.replicator.link.selection.version > before
    narrower = SelectionOverride().with_direction(orders, Direction.BOTH, '{"store": 8}')
    store.replicator.override_selection(narrower)
    wait_for(lambda: ids(store) == [18, 28, 38, 8])
    store.replicator.override_selection(SelectionOverride())
    wait_for(lambda: ids(store) == [17, 27, 37, 7])
    store.settle()
    assert hub.shop.orders.count_documents({}) == 40


def test_only_what_matches_goes_up(hub: HubNode, make_edge: Callable[..., EdgeNode]) -> None:
    edge = make_edge(rules='shop.logs=push {"level": {"$gte": 4}}', linked=False)
    edge.shop.logs.insert_many([{"_id": 1, "level": 5}, {"_id": 2, "level": 1}])
    edge.link()
    edge.shop.logs.insert_many([{"_id": 3, "level": 4}, {"_id": 4, "level": 0}])
    edge.settle()
    assert [each["_id"] for each in hub.shop.logs.find().sort("_id")] == [1, 3]
    assert edge.shop.logs.count_documents({}) == 4


@pytest.mark.parametrize("query", ['{"$nonsense": 1}', '{"a": {"$bogus": 1}}'])
def test_a_filter_that_is_no_query_is_refused(tmp_path: Path, query: str) -> None:
    engine = Engine(tmp_path)
    try:
        config = SyncConfig(hub_uri="mongodb://hub", rules=(parse_rule(f"shop.*=both {query}"),))
        with pytest.raises(ConfigurationError, match="a query"):
            Replicator(engine, config)
    finally:
        engine.close()
