"""The workload knows the right answers, and the hand-written store gives them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest

from benchmarks.measure import run_row
from benchmarks.stores import BareStore
from benchmarks.workload import ROWS, Progress, Scale, Stopwatch, document

SCALE = Scale(documents=1200, operations=40, row_seconds_max=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    with contextlib.closing(BareStore(tmp_path / "bare.db", is_durable=False)) as opened:
        yield opened


def test_a_document_has_about_300_bytes() -> None:
    assert 270 <= len(bson.encode(document(12_345))) <= 330


def test_documents_are_the_same_in_every_run() -> None:
    assert document(7) == document(7)
    assert document(7) != document(8)


def test_every_row_finds_the_right_answers_in_the_bare_store(store: BareStore) -> None:
    progress = Progress(SCALE)
    for row in ROWS:
        outcome = run_row(row, store, progress)
        assert "wrong" not in outcome, row
        assert "failed" not in outcome, row
        assert outcome["count"] > 0, row
    assert progress.inserted == SCALE.documents + SCALE.operations


def test_an_answer_that_is_not_the_right_one_is_reported(store: BareStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BareStore, "count_heavy_open", lambda _store: -1)
    progress = Progress(SCALE)
    run_row("insert_many", store, progress)
    assert run_row("count_filtered", store, progress)["wrong"].endswith("got -1")


def test_what_a_subject_cannot_do_fails_that_row_alone(store: BareStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_store: BareStore) -> None:
        raise NotImplementedError("no $group")

    monkeypatch.setattr(BareStore, "group_by_category", refuse)
    progress = Progress(SCALE)
    run_row("insert_many", store, progress)
    assert run_row("group", store, progress) == {"failed": "NotImplementedError: no $group"}
    assert "rate" in run_row("update_one", store, progress)


def test_a_slow_subject_goes_on_with_fewer_documents(store: BareStore) -> None:
    progress = Progress(Scale(documents=3000, operations=10, row_seconds_max=0))
    outcome = run_row("insert_many", store, progress)
    assert outcome["ended_early"]
    assert outcome["count"] == progress.inserted == 1000


def test_the_stopwatch_counts_the_calls_alone() -> None:
    watch = Stopwatch(seconds_max=1)
    assert watch.time(max, 1, 2) == 2
    first = watch.seconds
    assert first > 0
    watch.time(min, 1, 2)
    assert watch.seconds > first
    assert not watch.is_over
