"""Hubs without transactions (tier C) or without change streams either (tier D), and what a hub shows of its history."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from bson.timestamp import Timestamp
from hubs import HubNode, OwnHub
from nodes import EdgeNode, contents, wait_for
from pymongo.client_session import ClientSession
from pymongo.errors import AutoReconnect

from skerry.sync import guarded_push, hub_probe, pull_worker
from skerry.sync.change_stream_listener import ChangeStreamListener
from skerry.sync.hub import Hub, HubFacts
from skerry.sync.protocol.capability import Tier


@pytest.fixture(params=[Tier.C, Tier.D])
def tier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Tier:
    """Make the hub look like one of a lesser tier, and let what it does not have fail."""
    lesser: Tier = request.param

    def probe(hub: Hub) -> HubFacts:
        return dataclasses.replace(hub_probe.probe(hub), tier=lesser)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the hub does not have this")

    monkeypatch.setattr(pull_worker, "probe", probe)
    monkeypatch.setattr(hub_probe, "_has_transactions", lambda hub: False)
    monkeypatch.setattr(ClientSession, "start_transaction", refuse)
    if lesser is Tier.D:
        monkeypatch.setattr(ChangeStreamListener, "open", refuse)
    return lesser


def test_both_sides_come_to_the_same(hub: HubNode, make_edge: Callable[..., EdgeNode], tier: Tier) -> None:
    hub.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(5)])
    edge = make_edge()
    edge.settle()
    assert edge.replicator.status().tier == tier.value
    edge.shop.orders.insert_many([{"_id": f"here {n}"} for n in range(5)])
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"v": "here"}})
    edge.shop.orders.delete_one({"_id": 2})
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"w": "there"}})
    hub.shop.orders.delete_one({"_id": 3})
    hub.shop.orders.insert_one({"_id": "there"})
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.find_one({"_id": 1}) == {"_id": 1, "v": "here", "w": "there"}
    assert hub.shop.orders.count_documents({}) == 9
    assert edge.replicator.status().conflicts == 0
    edge.shop.orders.update_many({}, {"$set": {"again": True}})
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.count_documents({"again": True}) == 9


def test_three_nodes_and_a_foreign_writer_lose_nothing(
    hub: HubNode, make_edge: Callable[..., EdgeNode], tier: Tier
) -> None:
    hub.shop.shared.insert_many([{"_id": n} for n in range(4)])
    edges = [make_edge("north"), make_edge("south")]
    for edge in edges:
        edge.settle()
    sides = {"foreign": hub.shop, "north": edges[0].shop, "south": edges[1].shop}
    for n in range(40):
        for name, shop in sides.items():
            shop.shared.update_one({"_id": n % 4}, {"$set": {name: n}})
    for edge in (*edges, edges[0]):
        edge.settle()
    assert contents(edges[0].shop) == contents(edges[1].shop) == contents(hub.shop)
    for found in hub.shop.shared.find():
        assert {name: found[name] for name in sides} == dict.fromkeys(sides, 36 + found["_id"])


def test_a_lost_answer_is_settled_by_looking(
    hub: HubNode, make_edge: Callable[..., EdgeNode], tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = make_edge()
    edge.settle()
    written = guarded_push.write_guarded
    lost: list[int] = []

    def lose_the_answer(*args: Any) -> Any:
        result = written(*args)
        if not lost:
            lost.append(1)
            raise AutoReconnect("lost")
        return result

    monkeypatch.setattr(guarded_push, "write_guarded", lose_the_answer)
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    assert lost
    assert contents(edge.shop) == contents(hub.shop) == {"orders": [{"_id": 1}]}
    assert edge.replicator.status().conflicts == 0


def test_what_the_hub_refuses_is_set_apart(hub: HubNode, make_edge: Callable[..., EdgeNode], tier: Tier) -> None:
    hub.shop.people.create_index("name", unique=True)
    hub.shop.people.insert_one({"_id": 1, "name": "Ada"})
    edge = make_edge()
    edge.settle()
    edge.shop.people.insert_many([{"_id": 2, "name": "Ada"}, {"_id": 3, "name": "Bo"}])
    wait_for(lambda: edge.replicator.status().quarantined == 1)
    wait_for(lambda: hub.shop.people.count_documents({}) == 2)


def test_a_full_hub_is_found_to_be_one(hub: HubNode, edge: EdgeNode) -> None:
    edge.settle()
    assert edge.replicator.status().tier == "A"


def test_the_headroom_of_the_hubs_history_is_shown_where_it_can_be_seen(own_hub: OwnHub, edge: EdgeNode) -> None:
    edge.settle()
    assert edge.replicator.status().history_headroom_seconds is None
    place = edge.replicator._pull.applier.position.time >> 32
    own_hub.client.local["oplog.rs"].insert_many([{"ts": Timestamp(place - 100, 1)}, {"ts": Timestamp(place + 900, 1)}])
    edge.unlink()
    edge.relink()
    wait_for(lambda: edge.replicator.status().history_headroom_seconds is not None)
    status = edge.replicator.status()
    assert 90 <= (status.history_headroom_seconds or 0) <= 110
    assert any("history reaches back" in problem for problem in status.problems)
