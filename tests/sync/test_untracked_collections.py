"""A collection that got too full to be tracked: what was written meanwhile reaches the hub, whatever comes between."""

from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from quiet_pair import Edge, Node, documents_of, pair

from skerry.config.sync_config import OnFull
from skerry.sync.selection import COMPARING, FULL

NAME = "shop.orders"
COUNT = 4
WRITTEN = [{"_id": 0, "v": 1}, {"_id": 1, "v": 1}, {"_id": 2, "v": 1}, {"_id": "new"}]


def overflow(edge: Edge) -> None:
    """Have the collection overflow, and write, create and delete without being tracked."""
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(COUNT)])
    edge.sync()
    edge.shop.other.insert_one({"_id": 1})
    for n in range(COUNT):
        edge.shop.orders.update_one({"_id": n}, {"$set": {"v": 1}})
    edge.shop.orders.insert_one({"_id": "new"})
    edge.shop.orders.delete_one({"_id": COUNT - 1})
    assert untracked(edge) == {NAME: FULL}
    edge.push()


def untracked(edge: Edge) -> dict[str, str]:
    edge.link.read(edge.link.refresh)
    return dict(edge.link.selection.untracked)


def track_again(edge: Edge) -> None:
    edge.replicator._pull._track_at = 0.0
    edge.replicator._pull._track_again()


def walk(edge: Edge) -> None:
    while edge.replicator._pull.walk.step():
        pass


def settled(hub: Node, edge: Edge) -> list[dict[str, Any]]:
    walk(edge)
    edge.sync()
    assert untracked(edge) == {}
    assert documents_of(hub) == documents_of(edge)
    return documents_of(hub)


@pytest.mark.parametrize("rules", ["shop.*=both", "shop.*=push"])
def test_what_was_not_tracked_goes_up_whichever_way_the_collection_travels(rules: str) -> None:
    with pair(rules, dirty_documents_max=COUNT, on_full=OnFull.MARK_COLLECTION) as (hub, edge):
        overflow(edge)
        track_again(edge)
        assert settled(hub, edge) == WRITTEN


def test_a_link_that_breaks_when_tracking_begins_again_compares_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Any:
        raise AutoReconnect("the hub is away")

    with pair(dirty_documents_max=COUNT, on_full=OnFull.MARK_COLLECTION) as (hub, edge):
        overflow(edge)
        with monkeypatch.context() as broken:
            broken.setattr(edge.link.hub, "collections", away)
            track_again(edge)
        assert untracked(edge) == {NAME: COMPARING}
        edge.disconnect()
        edge.take_up()  # the process has died before it compared anything
        edge.connect()
        assert settled(hub, edge) == WRITTEN


def test_a_collection_that_overflows_again_while_it_is_compared_is_compared_from_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("skerry.sync.full_sync.CHUNK_DOCUMENTS", 2)
    with pair(dirty_documents_max=COUNT, on_full=OnFull.MARK_COLLECTION) as (hub, edge):
        overflow(edge)
        track_again(edge)
        compare = edge.replicator._pull.walk
        while compare.record.pending != [NAME] or compare.record.after is None:
            assert compare.step()
        for n in range(10):
            edge.shop.other.insert_one({"_id": f"more {n}"})
        edge.shop.orders.update_many({}, {"$set": {"again": True}})
        assert untracked(edge)[NAME] == FULL
        edge.shop.orders.delete_one({"_id": 0})  # in the part that has been compared
        edge.push()
        track_again(edge)
        assert [each["_id"] for each in settled(hub, edge)] == [1, 2, "new"]


def test_an_untracked_delete_meets_an_update_of_the_hub_as_a_conflict() -> None:
    with pair(dirty_documents_max=COUNT, on_full=OnFull.MARK_COLLECTION) as (hub, edge):
        overflow(edge)
        hub.shop.orders.update_one({"_id": COUNT - 1}, {"$set": {"there": 1}})
        edge.pull()
        track_again(edge)
        walk(edge)
        edge.sync()
        (conflict,) = edge.link.read(edge.link.conflicts.entries)
        assert (conflict.record["local"], conflict.record["remote"]) == (None, {"_id": 3, "v": 0, "there": 1})


def test_an_untracked_delete_is_kept_while_a_unique_index_refuses_what_the_hub_made_of_the_document() -> None:
    with pair(dirty_documents_max=COUNT, on_full=OnFull.MARK_COLLECTION) as (hub, edge):
        overflow(edge)
        edge.shop.orders.create_index("seat", unique=True, sparse=True)
        edge.shop.orders.update_one({"_id": 0}, {"$set": {"seat": 1}})
        hub.shop.orders.update_one({"_id": COUNT - 1}, {"$set": {"seat": 1}})
        edge.pull()
        track_again(edge)
        walk(edge)
        assert edge.link.read(edge.link.dead_letters.count) == 1
        edge.shop.orders.update_one({"_id": 0}, {"$unset": {"seat": 1}})
        edge.replicator._pull.applier.retry_dead_letters()
        edge.sync()
        assert documents_of(edge) == documents_of(hub)
        (conflict,) = edge.link.read(edge.link.conflicts.entries)
        assert (conflict.record["local"], conflict.record["remote"]) == (None, {"_id": 3, "v": 0, "seat": 1})


def test_what_was_on_its_way_when_tracking_stopped_is_looked_at_when_its_echo_comes() -> None:
    """The comparison leaves it alone, because it is older than what was pushed; so nobody else would see the write."""
    with pair(dirty_documents_max=COUNT, on_full=OnFull.MARK_COLLECTION) as (hub, edge):
        edge.shop.orders.insert_one({"_id": "pushed", "v": 0})
        edge.push()
        for n in range(COUNT + 1):
            edge.shop.orders.insert_one({"_id": n})
        assert untracked(edge) == {NAME: FULL}
        edge.shop.orders.update_one({"_id": "pushed"}, {"$set": {"v": 1}})
        edge.push()
        track_again(edge)
        walk(edge)
        assert untracked(edge) == {}
        edge.sync()
        assert (
            documents_of(hub)
            == documents_of(edge)
            == [*({"_id": n} for n in range(COUNT + 1)), {"_id": "pushed", "v": 1}]
        )
