"""Conflicts between a node and its hub, resolved as the settings say for each collection and path."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents

from skerry.config.sync_config import SyncConfig, parse_conflict_rule, parse_rule
from skerry.errors import ConfigurationError
from skerry.sync import link_records
from skerry.sync.conflict_rules import RECORD, ConflictRules
from skerry.sync.protocol.conflict_resolution import ConflictContext

pytestmark = pytest.mark.witnessed

MODULE = "rules_of_this_test"
RULES = (
    "shop.stock#total=counter",
    "shop.stock#tags=set_union",
    f"shop.prices={MODULE}:cheapest",
    "shop.notes=remote_wins delete:update_wins granularity:document",
)


def cheapest(base: Any, local: Any, remote: Any, context: ConflictContext) -> Any:
    assert context.namespace.endswith("shop.prices")
    return min(local, remote, key=lambda each: each["price"])


@pytest.fixture
def pair(hub: HubNode, make_edge: Callable[..., EdgeNode], monkeypatch: pytest.MonkeyPatch) -> EdgeNode:
    monkeypatch.setitem(sys.modules, MODULE, sys.modules[__name__])
    hub.shop.stock.insert_one({"_id": 1, "total": 10, "tags": ["a", "b"]})
    hub.shop.prices.insert_one({"_id": 1, "price": 9})
    hub.shop.notes.insert_many([{"_id": 1, "x": 0, "y": 0}, {"_id": 2}])
    edge = make_edge(conflict_rules=RULES)
    edge.settle()
    edge.replicator.pause()
    return edge


def test_what_both_sides_counted_and_collected_adds_up(hub: HubNode, pair: EdgeNode) -> None:
    for _ in range(3):
        pair.shop.stock.update_one({"_id": 1}, {"$inc": {"total": 1}, "$push": {"tags": "here"}})
    hub.shop.stock.update_one({"_id": 1}, {"$inc": {"total": 3}, "$pull": {"tags": "a"}})
    pair.replicator.resume()
    pair.settle()
    assert contents(pair.shop) == contents(hub.shop)
    assert hub.shop.stock.find_one() == {"_id": 1, "total": 16, "tags": ["b", "here"]}
    assert pair.replicator.status().conflicts == 0


def test_the_same_increment_on_both_sides_is_two(hub: HubNode, pair: EdgeNode) -> None:
    for side in (pair, hub):
        side.shop.stock.update_one({"_id": 1}, {"$inc": {"total": 1}})
    pair.replicator.resume()
    pair.settle()
    pair.replicator.full_sync()
    pair.settle()
    assert contents(pair.shop) == contents(hub.shop)
    assert hub.shop.stock.find_one() == {"_id": 1, "total": 12, "tags": ["a", "b"]}


def test_a_function_of_the_application_decides(hub: HubNode, pair: EdgeNode) -> None:
    pair.shop.prices.update_one({"_id": 1}, {"$set": {"price": 5}})
    hub.shop.prices.update_one({"_id": 1}, {"$set": {"price": 7}})
    pair.replicator.resume()
    pair.settle()
    assert contents(pair.shop)["prices"] == contents(hub.shop)["prices"] == [{"_id": 1, "price": 5}]
    link = pair.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert (conflict.record["winner"], conflict.record["remote"]) == ("resolver", {"_id": 1, "price": 7})


def test_documents_as_a_whole_and_updates_before_deletions_where_a_rule_says_so(hub: HubNode, pair: EdgeNode) -> None:
    pair.shop.notes.update_one({"_id": 1}, {"$set": {"x": 1}})
    hub.shop.notes.update_one({"_id": 1}, {"$set": {"y": 1}})
    pair.shop.notes.delete_one({"_id": 2})
    hub.shop.notes.update_one({"_id": 2}, {"$set": {"z": 1}})
    pair.replicator.resume()
    pair.settle()
    expected = [{"_id": 1, "x": 0, "y": 1}, {"_id": 2, "z": 1}]
    assert contents(pair.shop)["notes"] == contents(hub.shop)["notes"] == expected


def test_the_rules_are_kept_with_the_link(hub: HubNode, pair: EdgeNode) -> None:
    link = pair.replicator.link
    stored = link.read(lambda view: link_records.load(view, link.name, RECORD))
    assert stored is not None
    assert stored["rules"] == [hub.prefix + rule for rule in RULES]
    assert stored["version"] == 1
    pair.unlink()
    pair.relink()
    assert link.read(lambda view: link_records.load(view, link.name, RECORD)) == stored


def test_a_merge_that_the_validator_refuses_gives_way_to_the_hub(hub: HubNode, pair: EdgeNode) -> None:
    pair.shop.command("collMod", "stock", validator={"$expr": {"$lte": ["$total", 14]}})
    pair.shop.stock.update_one({"_id": 1}, {"$inc": {"total": 3}})
    hub.shop.stock.update_one({"_id": 1}, {"$inc": {"total": 3}})
    pair.replicator.resume()
    pair.settle()
    assert contents(pair.shop) == contents(hub.shop)
    assert hub.shop.stock.find_one({}, {"total": 1}) == {"_id": 1, "total": 13}
    link = pair.replicator.link
    (conflict,) = link.read(link.conflicts.entries)
    assert conflict.record["local"]["total"] == 13
    assert conflict.record["needs_review"]


@pytest.mark.parametrize("name", ["nowhere.at_all:resolve", "json:no_function", "json:__name__"])
def test_a_resolver_that_cannot_be_imported_is_refused(name: str) -> None:
    selected = (parse_rule("shop.*=both"),)
    config = SyncConfig(
        hub_uri="mongodb://hub", rules=selected, conflict_rules=(parse_conflict_rule(f"shop.*={name}"),)
    )
    with pytest.raises(ConfigurationError, match="function"):
        ConflictRules(config)
