"""Several batches on their way at once, and what comes back of them through the stream."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bson.timestamp import Timestamp
from quiet_pair import Edge, Node, documents_of, pair

from skerry.sync import push_worker
from skerry.sync.protocol.document_state import State

Both = tuple[Node, Edge]
WAIT_SECONDS = 20


@pytest.fixture
def both() -> Iterator[Both]:
    with pair(batch_documents_max=5, batches_in_flight=2) as made:
        yield made


def push_in_threads(edge: Edge, count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=edge.push) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()


def test_batches_of_different_documents_are_under_way_together(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": n} for n in range(10)])
    together = threading.Barrier(2, timeout=WAIT_SECONDS)
    write = push_worker.write_batch

    def write_together(*arguments: Any, **named: Any) -> Any:
        named_documents = write(*arguments, **named)
        together.wait()
        return named_documents

    monkeypatch.setattr(push_worker, "write_batch", write_together)
    join(push_in_threads(edge, 2))
    assert edge.counters()["push_batches"] == 2
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
    assert len(documents_of(hub)) == 10


def test_a_unique_value_that_a_batch_on_its_way_gives_free_is_waited_for(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub refuses the second batch as long as the first one is not committed; nothing is put aside for that."""
    hub, edge = both
    for node in both:
        node.shop.orders.create_index("seat", unique=True)
    edge.shop.orders.insert_many([{"_id": n, "seat": n} for n in range(5)])
    edge.sync()
    edge.shop.orders.delete_many({})
    edge.shop.orders.insert_many([{"_id": 10 + n, "seat": n} for n in range(5)])
    written, refused = threading.Event(), threading.Event()
    write, failed = push_worker.write_batch, push_worker.PushWorker._failed

    def write_slowly(link: Any, session: Any, batch: Any, db: Any, items: Any, **named: Any) -> Any:
        found = write(link, session, batch, db, items, **named)
        if items[0].local is None:
            written.set()
            assert refused.wait(WAIT_SECONDS)
        return found

    def note(self: Any, batch: Any, failure: Any) -> int:
        refused.set()
        return failed(self, batch, failure)

    monkeypatch.setattr(push_worker, "write_batch", write_slowly)
    monkeypatch.setattr(push_worker.PushWorker, "_failed", note)
    first = push_in_threads(edge, 1)
    assert written.wait(WAIT_SECONDS)
    join([*first, *push_in_threads(edge, 1)])
    edge.sync()
    assert refused.is_set()
    assert documents_of(hub) == documents_of(edge) == [{"_id": 10 + n, "seat": n} for n in range(5)]
    assert "push_refused" not in edge.counters()


def test_all_batches_that_a_crash_left_behind_are_settled(both: Both) -> None:
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": n} for n in range(12)])
    worker = edge.replicator._push
    for number in range(2):
        assert edge.link.write(lambda view, lsid=bytes([number]) * 16: worker._prepare(view, lsid))  # type: ignore[misc]
    assert edge.counts()[State.INFLIGHT] == 10
    edge.take_up()
    edge.connect()
    assert edge.counts() == {State.DIRTY: 12}
    edge.sync()
    assert documents_of(hub) == documents_of(edge)


@pytest.fixture
def slow_batch(both: Both, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Ten documents wait; five of them are on their way in a thread, until the event is set."""
    _, edge = both
    edge.shop.orders.insert_many([{"_id": n} for n in range(10)])
    sending, go_on = threading.Event(), threading.Event()
    write = push_worker.write_batch

    def write_slowly(*arguments: Any, **named: Any) -> Any:
        if not sending.is_set():
            sending.set()
            assert go_on.wait(WAIT_SECONDS)
        return write(*arguments, **named)

    monkeypatch.setattr(push_worker, "write_batch", write_slowly)
    first = push_in_threads(edge, 1)
    assert sending.wait(WAIT_SECONDS)
    yield go_on
    go_on.set()
    join(first)
    edge.sync()
    assert edge.counts() == {}


def test_a_batch_that_a_thread_is_sending_is_nobody_elses_to_settle(both: Both, slow_batch: threading.Event) -> None:
    _, edge = both
    join(push_in_threads(edge, 1))
    assert edge.counters()["push_batches"] == 1
    assert "fences" not in edge.counters()


def test_an_echo_settles_its_batch_while_another_is_on_its_way(both: Both, slow_batch: threading.Event) -> None:
    _, edge = both
    join(push_in_threads(edge, 1))
    assert edge.counts() == {State.INFLIGHT: 5, State.AWAIT: 5}
    edge.pull()
    assert edge.counts() == {State.INFLIGHT: 5}


def test_a_change_of_the_hub_waits_until_no_batch_is_on_its_way(both: Both, slow_batch: threading.Event) -> None:
    hub, edge = both
    hub.shop.orders.insert_one({"_id": "of the hub"})
    taking = threading.Thread(target=edge.pull)
    taking.start()
    while not edge.link.lock._waiting:
        time.sleep(0.001)
    assert edge.shop.orders.find_one({"_id": "of the hub"}) is None
    slow_batch.set()
    join([taking])
    assert edge.shop.orders.find_one({"_id": "of the hub"}) is not None


def test_of_what_was_pushed_only_the_marker_comes_back(both: Both) -> None:
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": n} for n in range(2)])
    edge.sync()
    edge.shop.orders.delete_one({"_id": 0})
    edge.shop.orders.replace_one({"_id": 1}, {"v": 1})
    edge.shop.orders.insert_one({"_id": 2})
    edge.push()
    hub.shop.orders.insert_one({"_id": "of the hub"})
    listener = edge.replicator._pull._listener
    assert listener is not None
    batch = listener.next_batch(1)
    assert [(event["operationType"], event["ns"]["coll"]) for event in batch.events] == [
        ("insert", "__edge_sync"),
        ("insert", "orders"),
    ]
    edge.replicator._pull.applier.apply(batch)
    assert edge.counts() == {}
    assert documents_of(edge) == documents_of(hub)


def test_what_was_pushed_in_another_session_is_recognised_when_it_comes_back(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, edge = both
    monkeypatch.setattr(edge.link.push_sessions, "lsids", list)
    pull = edge.replicator._pull
    pull._open(after=pull.applier.position.token)
    edge.shop.orders.insert_many([{"_id": n} for n in range(5)])
    edge.push()
    assert edge.pull() == 6
    assert edge.counts() == {}
    assert "pulled_applied" not in edge.counters()
    assert documents_of(edge) == documents_of(hub)


def test_empty_timestamps_arrive_as_they_are(both: Both) -> None:
    """A server puts its own time in the place of those in an inserted document; an update may write them."""
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": 1}, {"_id": 2}])
    edge.sync()
    edge.shop.orders.update_many({}, {"$set": {"at": Timestamp(0, 0), "n": 0}})
    edge.shop.orders.update_one({"_id": 2}, {"$unset": {"n": 1}})
    edge.sync()
    hub.shop.orders.insert_one({"_id": 3})
    edge.sync()
    edge.shop.orders.update_one({"_id": 3}, {"$set": {"at": Timestamp(0, 0), "more": 1}})
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
    assert {each.get("at") for each in documents_of(hub)} == {Timestamp(0, 0)}
