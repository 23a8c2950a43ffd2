"""The protocol against a brute-force oracle: two edges, a hub, a foreign writer, every fault, and hidden causality.

Every version ever written carries the set of versions its writer had seen. At the end of a schedule all links are run until
nothing moves; then (S1) every version is an ancestor of a survivor or in a conflict log, (S2) edges and hub agree. While it runs:
(S3) no push takes effect twice nor undoes what it has seen, (S4) no local document goes back to a version it had superseded.
"""

import os
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from protocol_simulation import Edge
from random_schedules import Step, play, search
from simulated_hub import DOCS, Event, Hub, Oracle
from simulated_store import Ablation

from skerry.config.sync_config import ConflictPolicy
from skerry.sync.protocol.conflict_resolution import Rules
from skerry.sync.protocol.document_state import State
from skerry.sync.protocol.event_grouping import BatchId
from skerry.sync.protocol.hybrid_clock import stamp_at

OUTCOMES = ("ok", "ok", "ack lost", "open", "late", "never")


class ProtocolModel(RuleBasedStateMachine):
    ablation = Ablation()
    policies = Rules()
    edge_type = Edge

    @initialize(skew=st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
    def open(self, skew: tuple[int, int]) -> None:
        self.oracle = Oracle()
        self.hub = Hub(self.oracle)
        self.edges = [
            self.edge_type(name, self.hub, self.oracle, self.ablation, self.policies) for name in ("north", "south")
        ]
        self.skew, self.clock = skew, 1000

    edge = st.integers(0, 1)
    doc = st.sampled_from(DOCS)

    def now(self, edge: int | None = None) -> int:
        self.clock += 1
        return stamp_at(self.clock + (0 if edge is None else self.skew[edge]))

    @rule(edge=edge, doc=doc, name=st.sampled_from("ab"), value=st.integers(0, 2))
    def local_write(self, edge: int, doc: str, name: str, value: int) -> None:
        old = self.edges[edge].disk.local[doc].content or {"_id": doc}
        self.edges[edge].write(doc, {**old, name: value}, self.now(edge))

    @rule(edge=edge, doc=doc)
    def local_delete(self, edge: int, doc: str) -> None:
        self.edges[edge].write(doc, None, self.now(edge))

    @rule(
        doc=doc, name=st.sampled_from("ab"), value=st.integers(0, 2), shares_time=st.booleans(), replaces=st.booleans()
    )
    def foreign_write(self, doc: str, name: str, value: int, shares_time: bool, replaces: bool = False) -> None:
        old = self.hub.docs[doc].content or {"_id": doc}
        if old.get(name) != value:
            content = {**old, name: value}
            self.hub.foreign_write(doc, content, shares_time=shares_time, stamp=self.now(), replaces=replaces)

    @rule(doc=doc)
    def foreign_delete(self, doc: str) -> None:
        if self.hub.docs[doc].content is not None:
            self.hub.foreign_write(doc, None, shares_time=False, stamp=self.now())

    @rule(edge=edge, size=st.integers(1, 2))
    def begin_push(self, edge: int, size: int = 2) -> None:
        self.edges[edge].begin_push(size)

    @rule(edge=edge, outcome=st.sampled_from(OUTCOMES), size=st.integers(1, 2), which=st.integers(0, 2))
    def send(self, edge: int, outcome: str, size: int = 2, which: int = 0) -> None:
        self.edges[edge].begin_push(size)
        self.edges[edge].send(outcome, which)

    @rule(edge=edge, which=st.integers(0, 2))
    def receive_outcome(self, edge: int, which: int = 0) -> None:
        """A thread hears of its batch; where none is sending, the batches without an answer are settled."""
        self.edges[edge].receive(which)
        if not self.edges[edge].is_sending:
            self.edges[edge].resolve_batches()

    @rule(edge=edge, count=st.integers(1, 6))
    def pull(self, edge: int, count: int) -> None:
        self.edges[edge].pull(count)

    @rule(commits=st.booleans(), which=st.integers(0, 2))
    def late_outcome(self, commits: bool, which: int = 0) -> None:
        open_batches = list(self.hub.pending)
        if open_batches:
            batch = open_batches[which % len(open_batches)]
            if commits:
                self.commit_open(batch)
            else:
                del self.hub.pending[batch]

    def commit_open(self, batch: BatchId) -> None:
        next(each for each in self.edges if each.name == batch.edge).commit_open(batch)

    @rule(edge=edge)
    def reopen(self, edge: int) -> None:
        self.edges[edge].open_stream()

    @rule(edge=edge)
    def renew_session(self, edge: int) -> None:
        self.edges[edge].renew_session()

    @rule(edge=edge)
    def crash(self, edge: int) -> None:
        self.edges[edge].crash()

    @rule(edge=edge)
    def rewind(self, edge: int) -> None:
        self.edges[edge].rewind()

    @rule(edge=edge)
    def lose_history(self, edge: int) -> None:
        self.edges[edge].lose_history()

    def come_to_rest(self) -> None:
        """Run all links until nothing moves."""
        for batch in list(self.hub.pending):
            self.commit_open(batch)
        for _ in range(12):
            for edge in self.edges:
                edge.begin_push()
                while edge.threads:
                    edge.send("ok")
                    edge.receive()
                edge.resolve_batches()
                edge.pull(len(self.hub.log))

    def teardown(self) -> None:
        if not hasattr(self, "edges"):
            return
        self.come_to_rest()
        final = [self.hub.docs[doc] for doc in DOCS]
        for edge in self.edges:
            assert not edge.disk.shadows or all(s.state is State.CLEAN for s in edge.disk.shadows.values())
            for doc in DOCS:
                wanted = self.hub.docs[doc].content
                assert edge.disk.local[doc].content == (wanted if edge.in_scope(wanted) else None), (
                    "no convergence (S2)"
                )
        assert not self.oracle.lost(final), "silent loss (S1)"


class CountingModel(ProtocolModel):
    """Nodes count and collect besides writing: every increment and every element that was ever added is there at the end.

    Each document has its counter and its set from the beginning and is never deleted.
    """

    policies = Rules(paths={"n": ConflictPolicy.COUNTER, "s": ConflictPolicy.SET_UNION})

    @initialize(skew=st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
    def open(self, skew: tuple[int, int]) -> None:
        super().open(skew)
        self.counted, self.added = dict.fromkeys(DOCS, 0), {doc: set[int]() for doc in DOCS}
        for doc in DOCS:
            self.hub.foreign_write(doc, {"_id": doc, "n": 0, "s": []}, shares_time=False, stamp=self.now())
        for each in self.edges:
            each.pull(len(DOCS))

    def changed(self, old: dict[str, Any], doc: str, step: int) -> dict[str, Any]:
        """Count by one; another element every other time, so that both sides often write the very same."""
        self.counted[doc] += 1
        self.added[doc].add(step)
        return {**old, "n": old["n"] + 1, "s": old["s"] if step in old["s"] else [*old["s"], step]}

    @rule(edge=ProtocolModel.edge, doc=ProtocolModel.doc, step=st.integers(0, 2))
    def count_here(self, edge: int, doc: str, step: int) -> None:
        old = self.edges[edge].disk.local[doc].content
        assert old is not None
        self.edges[edge].write(doc, self.changed(old, doc, step), self.now(edge))

    @rule(doc=ProtocolModel.doc, step=st.integers(0, 2), shares_time=st.booleans())
    def count_there(self, doc: str, step: int, shares_time: bool) -> None:
        old = self.hub.docs[doc].content
        assert old is not None
        self.hub.foreign_write(doc, self.changed(old, doc, step), shares_time=shares_time, stamp=self.now())

    def local_delete(self) -> None:
        """Not here: what is counted in a deleted document is gone by intention."""

    foreign_delete = local_delete

    def teardown(self) -> None:
        super().teardown()
        for doc in DOCS if hasattr(self, "added") else ():
            found = self.hub.docs[doc].content
            assert found is not None
            assert found["n"] == self.counted[doc], "an increment was lost or counted twice (S1, S3)"
            assert set(found["s"]) == self.added[doc], "an element was lost (S1)"


class ScopedModel(ProtocolModel):
    """One edge wants only the documents whose `a` is not 2: the others are on the hub, and on the edge that wants all."""

    @initialize(skew=st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
    def open(self, skew: tuple[int, int]) -> None:
        super().open(skew)
        self.edges[0].scope = lambda content: content is None or content.get("a") != 2


def explore(ablation: Ablation, examples: int, model: type[ProtocolModel] = ProtocolModel) -> None:
    machine = type("AblatedModel", (model,), {"ablation": ablation})
    phases = (Phase.generate, Phase.shrink) if ablation == Ablation() else (Phase.generate,)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        phases=phases,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.slow
def test_no_schedule_loses_diverges_repeats_or_goes_back() -> None:
    explore(Ablation(), 250)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_schedule_of_many_loses_diverges_repeats_or_goes_back() -> None:
    explore(Ablation(), int(os.environ.get("SKERRY_TEST_MODEL_SCHEDULES", "50000")))


@pytest.mark.slow
@pytest.mark.parametrize("model", [CountingModel, ScopedModel])
def test_no_schedule_breaks_what_was_configured(model: type[ProtocolModel]) -> None:
    explore(Ablation(), 150, model)


WEIGHTS = {
    "local_write": 6,
    "local_delete": 2,
    "foreign_write": 4,
    "foreign_delete": 1,
    "begin_push": 2,
    "send": 5,
    "receive_outcome": 2,
    "pull": 5,
    "late_outcome": 2,
    "crash": 1,
    "rewind": 1,
    "lose_history": 1,
    "reopen": 1,
    "renew_session": 1,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "ablation",
    [
        Ablation(marker=False),
        Ablation(ack_time=True),
        Ablation(compare=False),
        Ablation(base_in_walk=False),
        Ablation(walk=False),
        Ablation(ledger=False),
        Ablation(fence=False),
        Ablation(await_echo=False),
        Ablation(alone=False),
        Ablation(overtaken=False),
        Ablation(reads_may_change=False),
    ],
    ids=lambda ablation: next(f.name for f in fields(ablation) if getattr(ablation, f.name) != f.default),
)
def test_the_oracle_notices_when_a_safeguard_is_taken_away(ablation: Ablation) -> None:
    model = type("AblatedModel", (ProtocolModel,), {"ablation": ablation})
    assert search(model, WEIGHTS, schedules=20_000) is not None


@pytest.mark.slow
def test_the_oracle_notices_when_a_version_is_worked_out_across_an_own_push() -> None:
    class Heedless(Edge):
        def named(self, event: Event) -> list[str]:
            return []

    model = type("AblatedModel", (ProtocolModel,), {"edge_type": Heedless})
    assert search(model, WEIGHTS, schedules=30_000, seed=1) is not None


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_schedule_of_very_many_loses_diverges_repeats_or_goes_back() -> None:
    schedules = int(os.environ.get("SKERRY_TEST_MODEL_SCHEDULES", "200000"))
    assert search(ProtocolModel, WEIGHTS, schedules=schedules, seed=1) is None


@pytest.mark.slow
def test_a_batch_may_even_be_settled_while_it_is_being_sent_because_there_is_a_fence() -> None:
    """It costs a fence and a second push, so it is not done; without a fence it breaks as `fence` does above."""
    model = type("AblatedModel", (ProtocolModel,), {"ablation": Ablation(settles_own=False)})
    assert search(model, WEIGHTS, schedules=3_000) is None
    model = type("AblatedModel", (ProtocolModel,), {"ablation": Ablation(settles_own=False, fence=False)})
    assert search(model, WEIGHTS, schedules=3_000) is not None


@pytest.mark.parametrize("counts_on", [True, False])
def test_what_a_stream_leaves_out_does_not_hide_another_change_of_the_same_time(counts_on: bool) -> None:
    """Events are written in a session that the stream has not known; it begins again at their time, and knows it now."""
    here = {"edge": 0}
    schedule: list[Step] = [
        ("renew_session", here),
        ("renew_session", here),
        ("local_write", {**here, "doc": "x", "name": "a", "value": 1}),
        ("send", {**here, "outcome": "ok"}),
        ("receive_outcome", here),
        ("pull", {**here, "count": 6}),
        ("foreign_write", {"doc": "y", "name": "a", "value": 1, "shares_time": True}),
        ("rewind", here),
    ]
    model = type("AblatedModel", (ProtocolModel,), {"ablation": Ablation(counts_on=counts_on)})
    assert (play(model, schedule) is None) is counts_on


def test_a_commit_that_comes_after_its_look_up_is_seen_unless_there_is_a_fence() -> None:
    for ablation in (Ablation(), Ablation(fence=False)):
        model = type("Directed", (ProtocolModel,), {"ablation": ablation})()
        model.open(skew=(0, 0))
        model.local_write(edge=0, doc="x", name="a", value=1)
        model.send(edge=0, outcome="late")
        model.receive_outcome(edge=0)
        model.local_write(edge=0, doc="x", name="a", value=2)
        model.late_outcome(commits=True)
        if ablation.fence:
            model.teardown()
        else:
            with pytest.raises(AssertionError):
                model.teardown()


@pytest.mark.slow
def test_the_oracle_notices_when_equal_counts_are_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rules, "adds_up", False)
    weights = {"count_here": 6, "count_there": 6, "send": 5, "receive_outcome": 2, "pull": 5, "lose_history": 1}
    assert search(CountingModel, weights, schedules=2_000) is not None
