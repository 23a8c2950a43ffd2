"""Every subject runs in a process of its own, and what happens there comes back."""

import dataclasses

import pytest

from benchmarks import runner
from benchmarks.runner import measure_subject
from benchmarks.subjects import SUBJECTS
from benchmarks.workload import Scale

SCALE = Scale(documents=200, operations=20, row_seconds_max=5)


@pytest.fixture(autouse=True)
def _unknown_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known to the runner, but not in the process that it starts."""
    unknown = dataclasses.replace(SUBJECTS["sqlite-bson"], title="unknown")
    monkeypatch.setattr(runner, "SUBJECTS", {**SUBJECTS, "no-such-peer": unknown})


@pytest.mark.slow
def test_rows_and_memory_come_back_from_the_process_of_a_subject() -> None:
    done: list[str] = []
    outcome = measure_subject("sqlite-bson-relaxed", ["insert_many", "find_by_id"], SCALE, done.append)
    assert done == list(outcome["rows"]) == ["insert_many", "find_by_id"]
    assert outcome["rows"]["insert_many"]["count"] == 200
    assert outcome["rows"]["insert_many"]["bytes_on_disk"] > 0
    assert outcome["peak_memory_bytes"] > 1_000_000
    assert "skipped" not in outcome


@pytest.mark.slow
def test_a_subject_that_cannot_be_opened_is_skipped_with_the_reason() -> None:
    outcome = measure_subject("no-such-peer", ["insert_many"], SCALE)
    assert outcome == {"rows": {}, "skipped": "KeyError: 'no-such-peer'"}
