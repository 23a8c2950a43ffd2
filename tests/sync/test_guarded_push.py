"""Writes to a hub without transactions: somebody writes between our reading and our writing, and answers get lost midway."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect
from quiet_pair import Document, Edge, Node, documents_of, pair

from skerry.sync import guarded_push, guarded_writes, hub_probe, pull_worker, push_worker
from skerry.sync.hub import Hub, HubFacts
from skerry.sync.protocol.capability import Tier

DOCUMENTS = 4

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[Tier.C, Tier.D])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Node, Edge]]:
    def lesser(hub: Hub) -> HubFacts:
        return dataclasses.replace(hub_probe.probe(hub), tier=request.param)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pull_worker, "probe", lesser)
        patched.setattr(push_worker, "LEFT_OUT_MS", 1)
        with pair() as nodes:
            yield nodes


def come_to_rest(edge: Edge) -> None:
    """Push, and take in what the stream or a comparison brings, until nothing waits."""
    worker = edge.replicator._pull
    for _ in range(20):
        edge.push()
        if edge.link.hub.tier.has_streams:
            edge.pull()
        worker._read_left_out(is_at_end=True)
        worker.walk.plan(worker.namespaces(), "polled", again=True)
        while worker.walk.step():
            pass
        if not edge.counts():
            return
    raise AssertionError(f"does not come to rest: {edge.counts()}")


class Between:
    """Does something between what a push reads and what it writes, and loses its answer after so many documents."""

    def __init__(self, patched: pytest.MonkeyPatch, act: Callable[[], object], writes: int | None) -> None:
        self._plan, self._write = guarded_writes.plan_writes, guarded_writes._write_collection
        self._act, self._writes = act, writes
        patched.setattr(guarded_writes, "plan_writes", self.plan)
        patched.setattr(guarded_writes, "_write_collection", self.write)

    def plan(self, *args: Any) -> Any:
        planned = self._plan(*args)
        act, self._act = self._act, lambda: None
        act()
        return planned

    def write(self, link: Any, namespace: Any, planned: list[Any], result: Any) -> None:
        writes, self._writes = self._writes, None
        if writes != 0:
            self._write(link, namespace, planned[:writes], result)
        if writes is not None:
            raise AutoReconnect("the answer is lost")


def push_disturbed(edge: Edge, act: Callable[[], object], writes: int | None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        Between(patched, act, writes)
        if writes is None:
            edge.push()
        else:
            with pytest.raises(AutoReconnect):
                edge.push()


@settings(max_examples=30)
@given(
    mine=st.dictionaries(st.integers(0, DOCUMENTS - 1), st.integers(1, 3), min_size=1),
    theirs=st.dictionaries(st.integers(0, DOCUMENTS - 1), st.integers(1, 3)),
    writes=st.none() | st.integers(0, DOCUMENTS),
    later=st.dictionaries(st.integers(0, DOCUMENTS - 1), st.integers(4, 6)),
)
def test_a_write_that_comes_between_survives_and_ours_does_too(
    both: tuple[Node, Edge],
    mine: dict[int, int],
    theirs: dict[int, int],
    writes: int | None,
    later: dict[int, int],
) -> None:
    hub, edge = both
    before = edge.counters().get("conflicts", 0)
    hub.shop.orders.delete_many({})
    hub.shop.orders.insert_many([{"_id": n, "here": 0, "there": 0} for n in range(DOCUMENTS)])
    come_to_rest(edge)

    def act() -> None:
        for n, value in theirs.items():
            hub.shop.orders.update_one({"_id": n}, {"$set": {"there": value}})

    for n, value in mine.items():
        edge.shop.orders.update_one({"_id": n}, {"$set": {"here": value}})
    push_disturbed(edge, act, None if writes is None else min(writes, len(mine)))
    for n, value in later.items():
        edge.shop.orders.update_one({"_id": n}, {"$set": {"here": value}})
    come_to_rest(edge)
    wanted: list[Document] = [
        {"_id": n, "here": later.get(n, mine.get(n, 0)), "there": theirs.get(n, 0)} for n in range(DOCUMENTS)
    ]
    assert documents_of(edge) == documents_of(hub) == wanted
    assert edge.counters().get("conflicts", 0) == before


def clear_both(hub: Node, edge: Edge) -> None:
    come_to_rest(edge)
    edge.shop.orders.delete_many({})
    hub.shop.orders.delete_many({})
    come_to_rest(edge)


def test_a_document_that_was_deleted_and_made_again_between_is_compared_by_content(both: tuple[Node, Edge]) -> None:
    hub, edge = both
    clear_both(hub, edge)
    hub.shop.orders.insert_one({"_id": 1, "a": 0})
    come_to_rest(edge)

    def same_again() -> None:
        hub.shop.orders.delete_one({"_id": 1})
        hub.shop.orders.insert_one({"_id": 1, "a": 0})

    edge.shop.orders.update_one({"_id": 1}, {"$set": {"a": 1}})
    push_disturbed(edge, same_again, None)
    come_to_rest(edge)
    assert documents_of(edge) == documents_of(hub) == [{"_id": 1, "a": 1}]


@pytest.mark.parametrize("mine", [None, {"_id": 1, "a": 1}])
@pytest.mark.parametrize("theirs", [None, {"_id": 1, "a": 2}])
@pytest.mark.parametrize("exists", [True, False])
def test_what_comes_between_and_is_not_the_same_is_a_conflict(
    both: tuple[Node, Edge], exists: bool, theirs: Document | None, mine: Document | None
) -> None:
    hub, edge = both
    clear_both(hub, edge)
    if exists:
        hub.shop.orders.insert_one({"_id": 1, "a": 0})
        come_to_rest(edge)
    before = len(edge.link.read(edge.link.conflicts.entries))
    put(edge, mine)
    push_disturbed(edge, lambda: put(hub, theirs), None)
    come_to_rest(edge)
    found = documents_of(hub)
    assert documents_of(edge) == found
    assert found in ([mine] if mine else [], [theirs] if theirs else [])
    is_conflict = mine != theirs if exists else None not in (mine, theirs)
    assert len(edge.link.read(edge.link.conflicts.entries)) - before == int(is_conflict)


def put(node: Node, document: Document | None) -> None:
    if document is None:
        node.shop.orders.delete_one({"_id": 1})
    else:
        node.shop.orders.replace_one({"_id": 1}, document, upsert=True)


def push_and_overwrite(hub: Node, edge: Edge, change: Document, *, is_lost: bool) -> None:
    """Have the hub take document 1, and somebody overwrite it before the edge looks: it sees that not all was taken."""
    read_back = guarded_writes.read_back

    def look_too_late(*args: Any) -> Any:
        hub.shop.orders.update_one({"_id": 1}, {"$set": change})
        patched.setattr(guarded_writes, "read_back", read_back)
        patched.setattr(guarded_push, "read_back", read_back)
        return read_back(*args)

    def overtake() -> None:
        hub.shop.orders.update_one({"_id": 2}, {"$set": {"there": 1}})

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(guarded_writes, "read_back", look_too_late)
        patched.setattr(guarded_push, "read_back", look_too_late)
        push_disturbed(edge, overtake, 2 if is_lost else None)
        edge.replicator._push.resolve()


@pytest.mark.parametrize("is_lost", [False, True], ids=["mixed", "answer lost"])
def test_what_somebody_made_of_our_version_is_no_conflict_with_what_we_made_of_it(
    both: tuple[Node, Edge], is_lost: bool
) -> None:
    hub, edge = both
    clear_both(hub, edge)
    before = edge.counters().get("conflicts", 0)
    hub.shop.orders.insert_many([{"_id": n, "here": 0, "there": 0} for n in (1, 2)])
    come_to_rest(edge)
    edge.shop.orders.update_many({}, {"$set": {"here": 1}})
    push_and_overwrite(hub, edge, {"there": 1}, is_lost=is_lost)
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"here": 2}})
    come_to_rest(edge)
    wanted = [{"_id": 1, "here": 2, "there": 1}, {"_id": 2, "here": 1, "there": 1}]
    assert documents_of(edge) == documents_of(hub) == wanted
    assert edge.counters().get("conflicts", 0) == before


def test_a_change_of_our_version_stands_though_we_did_not_hear_that_it_was_taken(both: tuple[Node, Edge]) -> None:
    """The stream brings our version, and then theirs. Where there is none, the two look concurrent: ours is kept in the log."""
    hub, edge = both
    clear_both(hub, edge)
    before = edge.counters().get("conflicts", 0)
    hub.shop.orders.insert_many([{"_id": n, "here": 0, "there": 0} for n in (1, 2)])
    come_to_rest(edge)
    edge.shop.orders.update_many({}, {"$set": {"here": 1}})
    push_and_overwrite(hub, edge, {"here": 9}, is_lost=False)
    come_to_rest(edge)
    wanted = [{"_id": 1, "here": 9, "there": 0}, {"_id": 2, "here": 1, "there": 1}]
    assert documents_of(edge) == documents_of(hub) == wanted
    assert edge.counters().get("conflicts", 0) - before == (0 if edge.link.hub.tier.has_streams else 1)
