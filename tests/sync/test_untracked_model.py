"""The protocol model where the dirty set gets full: bases are given up, or a collection is written untracked and compared."""

import os

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule
from random_schedules import Step, play, search
from simulated_hub import DOCS
from simulated_store import Ablation
from test_protocol_model import ProtocolModel, explore
from untracked_simulation import FullEdge

WEIGHTS = {
    "local_write": 6,
    "local_delete": 4,
    "foreign_write": 4,
    "foreign_delete": 2,
    "begin_push": 2,
    "send": 3,
    "receive_outcome": 2,
    "pull": 3,
    "late_outcome": 1,
    "crash": 1,
    "rewind": 1,
    "lose_history": 1,
    "spill": 1,
    "stop_tracking": 4,
    "track_again": 2,
    "compare": 3,
}


class FullModel(ProtocolModel):
    edge_type = FullEdge

    @rule(edge=ProtocolModel.edge)
    def spill(self, edge: int) -> None:
        self.edges[edge].spill()

    @rule(edge=ProtocolModel.edge)
    def stop_tracking(self, edge: int) -> None:
        self.edges[edge].stop_tracking()

    @rule(edge=ProtocolModel.edge)
    def track_again(self, edge: int) -> None:
        self.edges[edge].track_again()

    @rule(edge=ProtocolModel.edge, count=st.integers(1, len(DOCS)))
    def compare(self, edge: int, count: int) -> None:
        self.edges[edge].compare(count)

    def come_to_rest(self) -> None:
        for batch in list(self.hub.pending):
            self.commit_open(batch)
        for edge in self.edges:
            while edge.threads:
                edge.send("ok")
                edge.receive()
            edge.track_again()
            edge.compare(len(DOCS))
        super().come_to_rest()


class NeverCompared(FullModel):
    edge_type = type("NeverComparing", (FullEdge,), {"compares": False})


class ComparedInPart(FullModel):
    edge_type = type("ComparingOn", (FullEdge,), {"begins_anew": False})


class SettledAtOnce(FullModel):
    edge_type = type("SettlingAtOnce", (FullEdge,), {"settles_at_once": True})


@pytest.mark.slow
def test_no_schedule_breaks_what_is_not_tracked_for_a_while() -> None:
    explore(Ablation(), 60, FullModel)


@pytest.mark.slow
def test_no_schedule_breaks_what_is_often_not_tracked() -> None:
    assert search(FullModel, WEIGHTS, schedules=2_000) is None


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_schedule_of_many_breaks_what_is_often_not_tracked() -> None:
    schedules = int(os.environ.get("SKERRY_TEST_MODEL_SCHEDULES", "500000"))
    assert search(FullModel, WEIGHTS, schedules=schedules, seed=1) is None


@pytest.mark.parametrize("model", [NeverCompared, ComparedInPart, SettledAtOnce])
def test_the_oracle_notices_what_is_not_compared(model: type[FullModel]) -> None:
    assert search(model, WEIGHTS, schedules=8_000, seed=3) is not None


def _here(value: int) -> Step:
    return "local_write", {"edge": 0, "doc": "x", "name": "a", "value": value}


def _there(value: int) -> Step:
    return "foreign_write", {"doc": "x", "name": "b", "value": value, "shares_time": False}


def _compare(count: int) -> Step:
    return "compare", {"edge": 0, "count": count}


HERE = {"edge": 0}
STOP, AGAIN, CRASH = ("stop_tracking", HERE), ("track_again", HERE), ("crash", HERE)
PULL: Step = ("pull", {"edge": 0, "count": 6})
BEGIN, HEARD = ("begin_push", HERE), ("receive_outcome", HERE)
DELETE: Step = ("local_delete", {"edge": 0, "doc": "x"})
DELETE_THERE: Step = ("foreign_delete", {"doc": "x"})


def _sent(outcome: str) -> Step:
    return "send", {"edge": 0, "outcome": outcome}


SCHEDULES: dict[str, list[Step]] = {
    "created, deleted on its way, not arrived": [_here(1), BEGIN, DELETE, _there(2), _sent("never"), HEARD, STOP, PULL],
    "created and deleted while compared": [_here(1), STOP, AGAIN, _there(1), DELETE],
    "written and written back": [_there(0), PULL, _here(0), _sent("ok"), PULL, STOP, _here(1), _there(1), _here(0)],
    "deleted, and written on the hub": [_there(1), PULL, STOP, DELETE, _there(2), PULL],
    "deleted on both sides": [_there(1), PULL, STOP, DELETE, DELETE_THERE, PULL],
    "deleted and made again": [_there(1), PULL, STOP, DELETE, _here(1), _there(2), PULL],
    "overtaken while its echo is awaited": [_here(1), _sent("ok"), HEARD, STOP, _here(2), PULL, _there(1)],
    "overtaken on its way, by two": [_here(1), BEGIN, STOP, _here(2), AGAIN, _here(0), _sent("ack lost"), _there(1)],
    "an event between the comparisons": [_there(1), PULL, STOP, _here(1), AGAIN, _there(2), PULL, _compare(1), CRASH],
    "full again while compared": [_there(1), PULL, STOP, AGAIN, _compare(1), STOP, DELETE, AGAIN, CRASH, _compare(2)],
    "history lost while full": [_there(1), PULL, STOP, DELETE, ("lose_history", HERE), _there(2), AGAIN, _compare(1)],
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_document_of_a_full_collection_is_not_lost(schedule: list[Step]) -> None:
    assert play(FullModel, schedule) is None
