"""Tables, files and verdicts of a run."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.report import markdown, print_tables, write_files
from benchmarks.targets import judge_all


def row(rate: float, **more: Any) -> dict[str, Any]:
    return {"rate": rate, "count": 100, "seconds": 1.0, **more}


@pytest.fixture
def results() -> dict[str, Any]:
    return {
        "about": {
            "date": "2026-01-02",
            "cores": 2,
            "versions": {"Python": "3.11"},
            "documents": 50_000,
            "operations": 10,
            "is_complete": True,
            "document_bytes": 300,
        },
        "subjects": {
            "skerry": {
                "rows": {"insert_many": row(30_000, bytes_on_disk=2_000_000), "find_by_id": row(3_000)},
                "peak_memory_bytes": 64_000_000,
            },
            "sqlite-bson": {"rows": {"insert_many": row(60_000), "group": {"failed": "OSError: no"}}},
            "mongomock": {"rows": {"find_by_id": row(5, wrong="expected 1, got 2")}},
            "secantusdb": {"rows": {}, "skipped": "no wheel"},
        },
        "node_costs": {
            "start_empty_seconds": 0.4,
            "start_loaded_seconds": 0.5,
            "idle_memory_bytes": 40_000_000,
            "documents": 50_000,
            "bytes_on_disk": 39_000_000,
        },
        "sync_rates": {"documents": 50_000, "edge_to_hub_backlog": 2_000.0, "edge_to_hub_latency_ms": 12.5},
        "sync_backlog": {
            "dirty_documents": 1_000_000,
            "dirty_push": 9_000.0,
            "dirty_start_seconds": 1.2,
            "dirty_memory_mb": 150.0,
        },
    }


def printed(results: dict[str, Any]) -> str:
    output = io.StringIO()
    print_tables(results, Console(file=output, width=160))
    return output.getvalue()


def test_a_rate_stands_beside_its_ratio_to_the_column_that_it_is_compared_with(results: dict[str, Any]) -> None:
    assert "30,000 (x0.50)" in printed(results)
    assert "60,000 (x2.00)" in printed(results)


def test_what_failed_was_wrong_or_left_out_is_told(results: dict[str, Any]) -> None:
    text = printed(results)
    assert "5 WRONG" in text
    for told in ("failed: OSError: no", "wrong: expected 1, got 2", "no wheel"):
        assert told in text


def test_targets_are_met_missed_or_not_measured(results: dict[str, Any]) -> None:
    verdicts = {verdict.title: verdict for verdict in judge_all(results)}
    assert verdicts["connect(): insert_many, 25,000 documents/s"].is_met is True
    assert verdicts["connect(): find_one by _id, 3,500/s"].is_met is False
    assert verdicts["connect(): unindexed count, 150,000 documents/s"].is_met is None
    assert verdicts["first answer of serve within 1.5 s"].is_met is True
    assert verdicts["50,000 documents in 40 MB on disk"].is_met is True
    assert verdicts["sync edge to hub, 3,000 documents/s"].is_met is False
    assert verdicts["1,000,000 documents wait: 300 MB of memory"].is_met is True


def test_the_memory_of_a_smaller_backlog_than_the_target_speaks_of_is_not_judged(results: dict[str, Any]) -> None:
    results["sync_backlog"]["dirty_documents"] = 40_000
    verdicts = {verdict.title: verdict for verdict in judge_all(results)}
    assert verdicts["1,000,000 documents wait: 300 MB of memory"].is_met is None
    assert "40,000 documents that waited: memory of the edge" in printed(results)


def test_what_a_part_of_a_run_was_not_asked_for_is_not_missed(results: dict[str, Any]) -> None:
    assert "not measured" in printed(results)
    results["about"]["is_complete"] = False
    assert "not measured" not in printed(results)
    assert "MISSED" in printed(results)


def test_the_files_hold_the_results_and_the_same_tables(results: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "results" / "latest.json"
    write_files(results, file)
    assert json.loads(file.read_text("utf-8")) == results
    text = file.with_suffix(".md").read_text("utf-8")
    assert text == markdown(results)
    assert "| insert_many, documents | 30,000 (x0.50) | 60,000 (x2.00) |" in text


def test_a_part_that_failed_does_not_hide_the_rest(results: dict[str, Any]) -> None:
    results["sync_rates"] = {"failed": "TimeoutError: the documents did not arrive"}
    assert "did not arrive" in printed(results)
