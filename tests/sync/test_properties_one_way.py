"""The seventeen properties of the one-way specification (local first, the hub as a backup), a hundred generated cases each.

Those of the full sync are in `test_properties_of_full_sync.py`. Requirement numbers are those of that specification. Where it
asks for something weaker than the protocol gives, the docstring says what stands here instead.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from edits import KINDS, Case, Edit, edits
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect
from quiet_pair import Edge, Node, broken, pair

from skerry.sync.protocol.backoff import Backoff
from skerry.sync.protocol.document_state import State
from skerry.values import documents

pytestmark = pytest.mark.slow
Both = tuple[Node, Edge]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with pair() as made:
        yield made


@pytest.fixture(scope="module")
def alone() -> Iterator[Both]:
    """An edge whose link never comes up."""
    hub = Node()
    edge = Edge(hub)
    yield hub, edge
    edge.close()
    hub.close()


def waiting(edge: Edge, case: Case) -> list[str]:
    """Return the `_id`s of the case's dirty documents, oldest first."""
    found = [documents.decode(each.id_document)["_id"] for each in edge.dirty()]
    return [each for each in found if each.startswith(case.prefix)]


def first_changes(edge: Edge, case: Case, made: list[Edit]) -> list[str]:
    """Make edits; return the `_id`s that are to be told to a hub that has none of them, in the order of their first write."""
    order: list[str] = []
    for edit in made:
        changed = case.write(edge.shop.orders, [edit])
        now = case.documents(edge.shop.orders)
        order = [each for each in order if each in now] + sorted(
            each for each in changed if each in now and each not in order
        )
    return order


@settings(max_examples=100)
@given(made=edits())
def test_1_every_operation_runs_locally_whatever_the_state_of_the_hub(alone: Both, made: list[Edit]) -> None:
    """Requirements 1.2, 1.3, 1.5, 3.4, 3.5: the same result as on a store that has no link."""
    hub, edge = alone
    case = Case()
    case.write(edge.shop.orders, made)
    case.write(hub.shop.orders, made)  # here only another store, never linked
    assert case.documents(edge.shop.orders) == case.documents(hub.shop.orders)


@settings(max_examples=100)
@given(before=edits(most=2), made=edits())
def test_2_every_write_puts_its_document_in_the_queue(both: Both, before: list[Edit], made: list[Edit]) -> None:
    """Requirements 2.1, 2.2, 2.3. A document created and deleted again before the hub heard of it needs no telling."""
    hub, edge = both
    case = Case()
    case.write(edge.shop.orders, before)
    edge.sync()
    there = case.documents(hub.shop.orders)
    assert waiting(edge, case) == []
    changed = case.write(edge.shop.orders, made)
    here, queue = case.documents(edge.shop.orders), set(waiting(edge, case))
    assert {each for each in changed if each in there or each in here} <= queue
    assert all(here.get(each) == there.get(each) for each in queue - changed)  # written as it was
    edge.sync()


@settings(max_examples=100)
@given(made=edits(("insert", "upsert", "update", "delete")))
def test_3_documents_are_pushed_in_the_order_of_their_first_write(both: Both, made: list[Edit]) -> None:
    """Requirement 2.4, 10.5: the order is that of the documents' first writes; a batch is one transaction of the hub."""
    hub, edge = both
    case = Case()
    expected = first_changes(edge, case, made)
    assert waiting(edge, case) == expected
    before = hub.now()
    edge.replicator._push._documents_max = 1
    edge.sync()
    with hub.engine.storage.read() as view:
        rows = view.rows("SELECT o FROM oplog WHERE ts > ? AND op = 'i' AND coll = 'orders' ORDER BY ts", (before,))
    assert [documents.decode(raw)["_id"] for (raw,) in rows] == expected


@settings(max_examples=100)
@given(
    least=st.integers(1, 5_000),
    factor=st.integers(1, 64),
    draws=st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
def test_4_attempts_are_spaced_out_more_and_more_up_to_a_ceiling(least: int, factor: int, draws: list[float]) -> None:
    """Requirements 2.5, 8.5. Doubling with full jitter instead of the fixed 1, 5, 15, 30, 60 s; nothing is dropped at a limit."""
    most = least * factor
    numbers = iter(draws)
    backoff = Backoff(least, most, lambda: next(numbers))
    for attempt in range(len(draws)):
        ceiling = min(most, least * 2**attempt)
        assert backoff.ceiling_ms() == ceiling
        assert ceiling // 10 <= backoff.next_delay_ms() <= ceiling
    backoff.succeeded()
    assert backoff.ceiling_ms() == least


@settings(max_examples=100)
@given(made=edits())
def test_5_writes_do_not_wait_for_the_hub(both: Both, made: list[Edit]) -> None:
    """Requirements 3.1, 3.2: they return while a batch is on its way and the link is occupied."""
    hub, edge = both
    case = Case()
    case.write(edge.shop.orders, [Edit("insert", 9, 0)])
    with edge.link.lock:
        edge.link.write(lambda view: edge.replicator._push._prepare(view, bytes(16)))
        case.write(edge.shop.orders, made)
        assert edge.counts().get(State.INFLIGHT)
    edge.replicator._push.resolve()
    edge.sync()
    assert case.documents(hub.shop.orders) == case.documents(edge.shop.orders)


@settings(max_examples=100)
@given(good=st.integers(0, 3), bad=st.integers(0, 2))
def test_6_every_push_is_recorded_with_its_time_and_every_refusal_with_its_reason(
    good: int, bad: int, refusing: Both
) -> None:
    """Requirements 4.1, 4.2."""
    hub, edge = refusing
    case = Case()
    before, refusals = edge.link.metrics.durations().get("push"), edge.counters().get("push_refused", 0)
    edge.shop.orders.insert_many([{"_id": case.id(n), "ok": n < good} for n in range(good + bad)] or [{"ok": True}])
    edge.push()
    durations = edge.link.metrics.durations()["push"]
    assert durations.count > (before.count if before else 0)
    assert durations.last_ms > 0
    refused = edge.link.read(lambda view: edge.link.shadows.of_state(view, State.QUARANTINED))
    mine = [each for each in refused if documents.decode(each.id_document)["_id"].startswith(case.prefix)]
    assert len(mine) == bad
    assert edge.counters().get("push_refused", 0) - refusals == bad
    assert all(each.shadow.error and each.shadow.attempts for each in mine)
    edge.shop.orders.delete_many(case.filter)
    edge.sync()
    assert not case.documents(hub.shop.orders)


@pytest.fixture(scope="module")
def refusing() -> Iterator[Both]:
    """A hub that takes only some documents."""
    with pair() as (hub, edge):
        hub.shop.create_collection("orders", validator={"ok": True})
        yield hub, edge


@settings(max_examples=100)
@given(made=edits())
def test_7_metrics_equal_reality(both: Both, made: list[Edit]) -> None:
    """Requirement 4.4: the queue's size, what was pushed, what failed."""
    hub, edge = both
    case = Case()
    before = edge.counters()
    case.write(edge.shop.orders, made)
    size = len(waiting(edge, case))
    assert edge.replicator.status().dirty == size
    at = hub.now()
    edge.sync()
    after = edge.counters()
    assert after.get("pushed", 0) - before.get("pushed", 0) == size == len(hub.oplog(at))
    assert after.get("push_refused", 0) == before.get("push_refused", 0)
    assert edge.replicator.status().dirty == 0


@settings(max_examples=100)
@given(made=edits(KINDS, most=3), in_transaction=st.booleans(), merged=st.booleans())
def test_10_programs_need_no_change_to_be_synced(
    both: Both, made: list[Edit], in_transaction: bool, merged: bool
) -> None:
    """Requirements 6.1, 6.3, 6.5: all the ways in which pymongo writes, transactions and `$merge` too."""
    hub, edge = both
    case = Case()
    case.write(edge.shop.orders, made)
    if in_transaction:
        with edge.client.start_session() as session, session.start_transaction():
            edge.shop.orders.insert_one({"_id": case.id(7), "by": "transaction"}, session=session)
            edge.shop.orders.delete_one({"_id": case.id(0)}, session=session)
    if merged:
        edge.shop.orders.aggregate([{"$match": case.filter}, {"$set": {"merged": 1}}, {"$merge": {"into": "orders"}}])
    edge.sync()
    assert case.documents(hub.shop.orders) == case.documents(edge.shop.orders)


@settings(max_examples=100, deadline=None)
@given(
    made=st.lists(st.tuples(st.sampled_from(("orders", "logs", "secret")), st.integers(0, 3)), max_size=8),
    size=st.integers(1, 4),
)
def test_11_settings_are_respected(both_chosen: Both, made: list[tuple[str, int]], size: int) -> None:
    """Requirements 6.2, 6.4, 7.2, 7.4: which collections travel, and how many documents at once."""
    hub, edge = both_chosen
    case = Case()
    for name, n in made:
        edge.shop[name].update_one({"_id": case.id(n)}, {"$inc": {"n": 1}}, upsert=True)
    worker = edge.replicator._push
    worker._documents_max = size
    batches = edge.counters().get("push_batches", 0)
    waits = len(edge.dirty())
    edge.link.config = replace(edge.config, batch_documents_max=size)
    edge.sync()
    assert case.documents(hub.shop.orders) == case.documents(edge.shop.orders)
    assert case.documents(hub.shop.logs) == case.documents(edge.shop.logs)
    assert not case.documents(hub.shop.secret)
    assert edge.counters().get("push_batches", 0) - batches == -(-waits // size)


@pytest.fixture(scope="module")
def both_chosen() -> Iterator[Both]:
    with pair("shop.secret=none,shop.*=both") as made:
        yield made


@settings(max_examples=100)
@given(made=edits(), again=edits(), failures=st.integers(1, 3))
def test_12_what_is_queued_survives_a_cut_and_is_sent_afterwards(
    both: Both, made: list[Edit], again: list[Edit], failures: int
) -> None:
    """Requirements 8.1, 8.2, 8.4: also over a restart of the program."""
    hub, edge = both
    case = Case()
    case.write(edge.shop.orders, made)
    waits = waiting(edge, case)
    for _ in range(failures if waits else 0):
        with pytest.raises(AutoReconnect), broken(edge):
            edge.push()
    edge.disconnect()
    case.write(edge.shop.orders, again)
    edge.take_up()
    edge.connect()
    edge.sync()
    assert case.documents(hub.shop.orders) == case.documents(edge.shop.orders)


def push_and_forget_the_outcome(edge: Edge) -> None:
    """Push one batch, and end as a process that is killed before it hears of the commit."""
    worker = edge.replicator._push
    kept = worker._finish, worker._acknowledge
    worker._finish = worker._acknowledge = lambda *_: None  # type: ignore[assignment,method-assign]
    worker.push()
    worker._finish, worker._acknowledge = kept  # type: ignore[method-assign]


def repeated(both: Both, before: list[Edit], made: list[Edit]) -> None:
    """Push the edits, lose the outcome, start again: the hub has taken each document once."""
    hub, edge = both
    case = Case()
    case.write(edge.shop.orders, before)
    edge.sync()
    at = hub.now()
    case.write(edge.shop.orders, made)
    waits = len(waiting(edge, case))
    push_and_forget_the_outcome(edge)
    edge.disconnect()
    edge.take_up()
    edge.connect()
    edge.sync()
    assert case.documents(hub.shop.orders) == case.documents(edge.shop.orders)
    assert len(hub.oplog(at)) <= waits


@settings(max_examples=100)
@given(made=edits(("insert", "upsert"), least=1))
def test_13_an_insert_that_is_sent_again_is_one_insert(both: Both, made: list[Edit]) -> None:
    """Requirements 9.1, 9.2."""
    repeated(both, [], made)


@settings(max_examples=100)
@given(made=edits(("update", "replace", "many"), least=1))
def test_14_an_update_that_is_sent_again_changes_nothing_more(both: Both, made: list[Edit]) -> None:
    """Requirement 9.3."""
    repeated(both, [Edit("insert", n, n) for n in range(4)], made)


@settings(max_examples=100)
@given(made=edits(("delete", "remove"), least=1), gone=st.booleans())
def test_15_a_delete_that_is_sent_again_or_comes_too_late_succeeds(both: Both, made: list[Edit], gone: bool) -> None:
    """Requirement 9.4."""
    hub, edge = both
    if not gone:
        repeated(both, [Edit("insert", n, n) for n in range(4)], made)
        return
    case = Case()
    case.write(edge.shop.orders, [Edit("insert", n, n) for n in range(4)])
    edge.sync()
    case.write(edge.shop.orders, made)
    hub.shop.orders.delete_many(case.filter)
    edge.sync()
    assert case.documents(hub.shop.orders) == case.documents(edge.shop.orders) == {}


@settings(max_examples=100)
@given(values=st.lists(st.integers(0, 9), min_size=1, max_size=8), many=st.integers(1, 3))
def test_16_several_writes_of_a_document_are_one_entry(alone: Both, values: list[int], many: int) -> None:
    """Requirement 10.1."""
    _, edge = alone
    case = Case()
    for value in values:
        for n in range(many):
            edge.shop.orders.update_one({"_id": case.id(n)}, {"$set": {"v": value}}, upsert=True)
    assert waiting(edge, case) == [case.id(n) for n in range(many)]


@settings(max_examples=100)
@given(before=st.booleans(), made=edits(documents=1, least=2))
def test_17_after_merging_one_operation_runs_with_the_latest_data(both: Both, before: bool, made: list[Edit]) -> None:
    """Requirements 9.5, 10.2, 10.3, 10.4. Insert and delete before the first push are no operation at all."""
    hub, edge = both
    case = Case()
    if before:
        case.write(edge.shop.orders, [Edit("insert", 0, 0)])
        edge.sync()
    there = case.documents(hub.shop.orders)
    case.write(edge.shop.orders, made)
    here = case.documents(edge.shop.orders)
    at = hub.now()
    edge.sync()
    assert case.documents(hub.shop.orders) == here
    assert len(hub.oplog(at)) == (1 if here != there else 0)
