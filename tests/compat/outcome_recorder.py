"""A pytest plugin for a run inside the run: writes each test's outcome as JSON to the file that OUTCOMES names."""

import json
import os
from pathlib import Path

import pytest

_outcomes: dict[str, str] = {}
_RANK = {"passed": 0, "skipped": 1, "failed": 2}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the worst of a test's phases and subtests; a skipped subtest says nothing of its test."""
    outcome = report.outcome
    is_subtest = type(report).__name__ == "SubtestReport"
    if is_subtest and outcome == "skipped":
        return
    before = _outcomes.setdefault(report.nodeid, outcome)
    _outcomes[report.nodeid] = max(before, outcome, key=_RANK.__getitem__)


def pytest_sessionfinish() -> None:
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(_outcomes), "utf-8")
