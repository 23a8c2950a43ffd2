"""The protocol model for hubs without transactions, with change streams (tier C) and without (tier D).

No marker says what became of a batch whose answer was lost: the edge looks. All versions survive or are logged (S1), and all
come to agree (S2). A push takes effect once (S3) and no document goes back (S4), but for a version that took effect unnoticed,
because it was overwritten before the edge looked, or came only afterwards. Its writer remembers it and knows it again when the
stream brings it, or by the fields that are left of it; not when nothing is left and no stream brings it, or when its history was
lost, or when other versions of the same content came before it.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from guarded_simulation import GuardedEdge, GuardedHub, LostAnswer
from random_schedules import search
from simulated_hub import DOCS, Oracle
from test_protocol_model import ProtocolModel

STREAMED = {
    "local_write": 6,
    "local_delete": 2,
    "foreign_write": 4,
    "foreign_delete": 1,
    "begin_push": 1,
    "look": 6,
    "write_next": 2,
    "hear": 6,
    "late_outcome": 2,
    "receive_outcome": 2,
    "pull": 4,
    "crash": 1,
    "rewind": 1,
    "lose_history": 1,
}
POLLED = {
    "poll": 6,
    **{name: weight for name, weight in STREAMED.items() if name not in ("pull", "rewind", "lose_history")},
}


class StreamedModel(ProtocolModel):
    """Tier C. Its steps are drawn by `random_schedules`."""

    hub: GuardedHub
    edges: list[GuardedEdge]  # type: ignore[assignment]
    guarded: Mapping[str, Any] = MappingProxyType({})
    """What is different about the edges."""

    def open(self, skew: tuple[int, int]) -> None:
        self.oracle, self.skew, self.clock = Oracle(), skew, 1000
        self.hub = GuardedHub(self.oracle, self.now)
        edge_type = type("ChangedEdge", (GuardedEdge,), dict(self.guarded))
        self.edges = [edge_type(name, self.hub, self.oracle, self.ablation) for name in ("north", "south")]

    def look(self, edge: int) -> None:
        self.edges[edge].begin_push()
        self.edges[edge].look()

    def write_next(self, edge: int) -> None:
        self.edges[edge].write_next()

    def hear(self, edge: int, writes: int, is_lost: bool, goes_on: bool) -> None:
        for _ in range(writes):
            self.edges[edge].write_next()
        self.edges[edge].hear(is_lost=is_lost, goes_on=goes_on)

    def poll(self, edge: int, doc: str) -> None:
        self.edges[edge].poll(doc)

    def late_outcome(self, commits: bool, which: int = 0) -> None:
        if self.hub.late:
            self.hub.write_late(takes_effect=commits)

    def come_to_rest(self) -> None:
        while self.hub.late:
            self.hub.write_late(takes_effect=True)
        for _ in range(12):
            for edge in self.edges:
                edge.hear(is_lost=False, goes_on=False)
                edge.begin_push()
                edge.look()
                edge.hear(is_lost=False, goes_on=False)
                edge.resolve_batches()
                self.take_in(edge)

    def take_in(self, edge: GuardedEdge) -> None:
        edge.pull(len(self.hub.log))


class PolledModel(StreamedModel):
    """Tier D."""

    guarded = MappingProxyType({"has_streams": False})

    def take_in(self, edge: GuardedEdge) -> None:
        for doc in DOCS:
            edge.poll(doc)


TIERS = [pytest.param(StreamedModel, STREAMED, id="C"), pytest.param(PolledModel, POLLED, id="D")]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "weights"), TIERS)
def test_no_schedule_loses_or_diverges(model: type[StreamedModel], weights: dict[str, int]) -> None:
    assert search(model, weights, schedules=1_000) is None


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("model", "weights"), TIERS)
def test_no_schedule_of_many_loses_or_diverges(model: type[StreamedModel], weights: dict[str, int]) -> None:
    schedules = int(os.environ.get("SKERRY_TEST_MODEL_SCHEDULES", "100000"))
    assert search(model, weights, schedules=schedules, seed=1) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "ablation",
    [
        {"compares": False},
        {"lost_answer": LostAnswer.YES},
        {"lost_answer": LostAnswer.NO},
    ],
    ids=["no compare", "lost answers mean yes", "lost answers mean no"],
)
@pytest.mark.parametrize(("model", "weights"), TIERS)
def test_the_oracle_notices_when_a_safeguard_is_taken_away(
    model: type[StreamedModel], weights: dict[str, int], ablation: dict[str, Any]
) -> None:
    ablated = type("AblatedModel", (model,), {"guarded": {**model.guarded, **ablation}})
    assert search(ablated, weights, schedules=4_000) is not None
