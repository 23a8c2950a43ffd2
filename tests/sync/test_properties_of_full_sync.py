"""Properties 7 to 9 of the one-way specification: what is measured, and the full sync, each over a hundred generated cases.

Requirement numbers are those of that specification.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from edits import Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodes import wait_for
from quiet_pair import Edge, Node, pair, put_unseen

from skerry.admin.full_sync_run import FullSyncRuns
from skerry.admin.responses import ApiError
from skerry.admin.sync_figures import metrics
from skerry.sync import pull_worker, replicator
from skerry.sync.sync_health import LinkState

pytestmark = pytest.mark.slow
Both = tuple[Node, Edge]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with pair() as made:
        yield made


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
