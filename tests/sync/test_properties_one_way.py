"""The seventeen properties of the one-way specification (local first, the hub as a backup), each over a hundred generated cases.

Requirement numbers are those of that specification. Where it asks for something weaker than the protocol gives, the docstring
says what stands here instead.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from edits import KINDS, Case, Edit, edits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodes import wait_for
from pymongo.errors import AutoReconnect
from quiet_pair import Edge, Node, broken, pair, put_unseen

from skerry.admin.full_sync_run import FullSyncRuns
from skerry.admin.responses import ApiError
from skerry.admin.sync_figures import metrics
from skerry.sync import pull_worker, replicator
from skerry.sync.protocol.backoff import Backoff
from skerry.sync.protocol.document_state import State
from skerry.sync.sync_health import LinkState
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
@given(took=st.lists(st.floats(0.001, 60), min_size=1, max_size=5))
def test_7_the_average_time_of_a_push_is_that_of_all_pushes(both: Both, took: list[float]) -> None:
    """Requirement 4.4: by a clock that the test moves while a batch is on its way."""
    _, edge = both
    case, watch = Case(), StopWatch()
    push, before = edge.replicator._push.push, timed(edge)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(replicator, "time", watch)

        def push_slowly() -> int:
            watch.seconds += took[n]
            return push()

        patched.setattr(edge.replicator._push, "push", push_slowly)
        for n in range(len(took)):
            edge.shop.orders.insert_one({"_id": case.id(n)})
            assert edge.replicator._push_batch() == 1
    after = timed(edge)
    assert after[0] - before[0] == len(took)
    assert after[1] - before[1] == pytest.approx(sum(took) * 1000, abs=1)
    edge.sync()


class StopWatch:
    """Takes the place of the module `time` where pushes are timed."""

    seconds = 0.0

    def perf_counter(self) -> float:
        return self.seconds


def timed(edge: Edge) -> tuple[int, float]:
    """Return how many batches were timed, and the milliseconds that the average tells of them."""
    count = sum(each.count for each in edge.link.metrics.durations().values())
    return count, count * (metrics(edge.replicator, edge.replicator.status(), 0)["avgSyncTime"] or 0.0)


SIDES = st.sampled_from(("same", "missing", "outdated"))


@settings(max_examples=100)
@given(damage=st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=6))
def test_8_a_full_sync_finds_and_mends_what_one_side_lacks_or_has_in_another_version(
    both: Both, damage: list[tuple[str, str]]
) -> None:
    """Requirement 5.2, also for differences that no write made, such as a store put back from somewhere.

    What the hub lacks was deleted there; what only this side lacks is brought back from the hub. What one side alone has in
    another version was written there; where both have, the later write counts, and the other version is kept.
    """
    hub, edge = both
    case = Case()
    edge.shop.orders.insert_many([{"_id": case.id(n), "v": n} for n in range(len(damage))])
    edge.sync()
    conflicts = edge.counters().get("conflicts", 0)
    for n, kinds in enumerate(damage):
        for node, kind, value in ((edge, kinds[0], "here"), (hub, kinds[1], "there")):
            if kind != "same":
                put_unseen(node, case.id(n), None if kind == "missing" else {"_id": case.id(n), "v": value})
    pull = edge.replicator._pull
    pull.walk.plan(pull.namespaces(), "asked for", again=True)
    while pull.walk.step():
        pass
    edge.sync()
    found = case.documents(hub.shop.orders)
    assert case.documents(edge.shop.orders) == found
    wanted = {case.id(n): _mended(kinds, n, found.get(case.id(n))) for n, kinds in enumerate(damage)}
    assert {key: each["v"] for key, each in found.items()} == {key: v for key, v in wanted.items() if v is not None}
    clashes = sum(here == "outdated" and there != "same" for here, there in damage)
    assert edge.counters().get("conflicts", 0) - conflicts == clashes


def _mended(kinds: tuple[str, str], number: int, found: Any) -> Any:
    """Return what a document's value has to be, None for no document; where both sides were written, either."""
    here, there = kinds
    if here == "outdated" and there != "same":
        either = ("here", None if there == "missing" else "there")
        return found["v"] if found is not None and found["v"] in either else None
    if here == "outdated":
        return "here"
    return {"same": number, "missing": None, "outdated": "there"}[there]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(collections=st.lists(st.sampled_from(("a", "b", "c")), max_size=3))
def test_9_a_second_full_sync_is_refused_while_one_runs(
    collections: list[str], at_work: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirement 5.5: whoever asks, until it has ended; then it can be asked for again."""
    monkeypatch.setattr(pull_worker, "AWAIT_MS", 1)
    hub, edge = at_work
    for name in collections:
        edge.shop[name].update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)
    replicator, runs = edge.replicator, FullSyncRuns()
    wait_for(lambda: replicator.status().state is LinkState.STREAMING)
    with edge.link.lock:  # nothing can be compared meanwhile
        runs.start(replicator)
        for each in (runs, FullSyncRuns()):
            assert each.progress(replicator)["state"] == "running"
            with pytest.raises(ApiError) as refused:
                each.start(replicator)
            assert (refused.value.status, refused.value.code) == (409, "full_sync_running")
    wait_for(lambda: runs.progress(replicator)["state"] == "done")
    wait_for(lambda: replicator.status().state is LinkState.STREAMING)
    FullSyncRuns().start(replicator)
    assert replicator.wait_until_in_step(10)
    assert all(edge.shop[name].find_one() == hub.shop[name].find_one() for name in collections)


@pytest.fixture(scope="module")
def at_work() -> Iterator[Both]:
    """A link that its threads work."""
    hub = Node()
    edge = Edge(hub)
    edge.shop.a.insert_one({"_id": 1})  # there is something to compare
    edge.replicator.start()
    yield hub, edge
    edge.replicator.stop()
    edge.close()
    hub.close()


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
