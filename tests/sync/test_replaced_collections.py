"""A collection of the hub that was dropped and created again while the link was away: nothing here is deleted unasked."""

from collections.abc import Callable
from typing import Any

import pytest
from hubs import HubNode, LocalHub
from nodes import EdgeNode, contents, wait_for

from skerry.sync.hub import Hub
from skerry.sync.hub_collections import ANOTHER
from skerry.values.namespace import Namespace

Make = Callable[..., EdgeNode]


def replaced(hub: LocalHub, edge: EdgeNode) -> None:
    """Both have the documents 0 to 2; then the hub has another collection, and its history does not tell."""
    hub.shop.orders.insert_many([{"_id": n} for n in range(3)])
    edge.settle()
    edge.unlink()
    hub.shop.drop_collection("orders")
    for number in range(10, 14):
        hub.shop.orders.insert_one({"_id": number})
    hub.lose_history()


def test_it_is_frozen_and_keeps_its_documents_until_somebody_decides(local_hub: LocalHub, make_edge: Make) -> None:
    edge = make_edge()
    replaced(local_hub, edge)
    edge.shop.orders.insert_one({"_id": "here"})
    edge.shop.parts.insert_one({"_id": 1})
    edge.relink()
    wait_for(lambda: local_hub.shop.parts.count_documents({}) == 1)
    name = f"{edge.shop.name}.orders"
    assert edge.replicator.status().frozen == {name: ANOTHER}
    assert [each["_id"] for each in edge.shop.orders.find(sort=[("_id", 1)])] == [0, 1, 2, "here"]
    assert [each["_id"] for each in local_hub.shop.orders.find(sort=[("_id", 1)])] == [10, 11, 12, 13]
    edge.replicator.thaw(Namespace.parse(name))
    edge.settle()
    assert edge.replicator.status().frozen == {}
    assert contents(edge.shop) == contents(local_hub.shop)
    assert {each["_id"] for each in edge.shop.orders.find()} == {10, 11, 12, 13, "here"}
    edge.unlink()
    edge.relink()
    edge.settle()
    assert edge.replicator.status().frozen == {}


def test_a_hub_that_gives_no_uuids_is_taken_as_it_is(
    local_hub: LocalHub, make_edge: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Hub.collections

    def without(hub: Hub, db: str | None) -> dict[Namespace, bytes | None]:
        return dict.fromkeys(listed(hub, db))

    monkeypatch.setattr(Hub, "collections", without)
    edge = make_edge()
    replaced(local_hub, edge)
    edge.relink()
    edge.settle()
    assert edge.replicator.status().frozen == {}
    assert contents(edge.shop) == contents(local_hub.shop)


def test_a_drop_that_the_stream_has_told_is_not_told_again(hub: HubNode, make_edge: Make) -> None:
    hub.shop.orders.insert_one({"_id": 1})
    edge = make_edge()
    edge.settle()
    hub.shop.drop_collection("orders")
    wait_for(lambda: edge.replicator.status().frozen)
    (reason,) = edge.replicator.status().frozen.values()
    assert reason == "the hub reported drop"
    hub.shop.orders.insert_one({"_id": 2})
    edge.replicator.thaw(Namespace.parse(f"{edge.shop.name}.orders"))
    edge.settle()
    assert edge.replicator.status().frozen == {}
    assert contents(edge.shop) == {"orders": [{"_id": 2}]}


def test_the_same_collection_stays_thawed_when_everything_is_compared(hub: HubNode, make_edge: Make) -> None:
    edge = make_edge()
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    ids: list[Any] = []
    for number in range(2):
        edge.replicator.full_sync()
        edge.shop.orders.insert_one({"_id": f"round {number}"})
        edge.settle()
        ids.append(edge.replicator.status().frozen)
    assert ids == [{}, {}]
    assert contents(edge.shop) == contents(hub.shop)
