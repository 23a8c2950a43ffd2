"""`python -m benchmarks`: measure, print the tables, write the files."""

import importlib.metadata
import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import bson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import peers
from benchmarks.coordination import measure_coordination
from benchmarks.node_costs import measure_node_costs
from benchmarks.report import print_tables, write_files
from benchmarks.runner import measure_subject
from benchmarks.subjects import SUBJECTS
from benchmarks.sync_bench import measure_dirty, measure_sync_bench
from benchmarks.sync_rates import measure_sync_rates
from benchmarks.workload import ROWS, Scale, document

LATEST: Final = Path(__file__).with_name("results") / "latest.json"
FULL: Final = Scale(documents=50_000, operations=3_000, row_seconds_max=20)
QUICK: Final = Scale(documents=2_000, operations=200, row_seconds_max=3)
SYNC_DOCUMENTS_MAX: Final = 20_000
BACKLOG_TIMES: Final = 20  # as many documents wait for a hub as there are in the other measurements
PARTS: Final = {
    "coordination": "coordination",
    "node": "node_costs",
    "sync": "sync_rates",
    "backlog": "sync_backlog",
}  # chosen like subjects


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few documents: whether it runs, not how fast.")] = False,
    subjects: Annotated[str, typer.Option(help=f"Comma-separated; of {', '.join([*SUBJECTS, *PARTS])}.")] = "",
    rows: Annotated[str, typer.Option(help=f"Comma-separated; of {', '.join(ROWS)}; insert_many always runs.")] = "",
    output: Annotated[
        Path | None, typer.Option(help="JSON file, with a .md beside it; a complete run writes results/latest.json.")
    ] = None,
) -> None:
    """Measure skerry beside its peers, each in a process of its own."""
    chosen = _chosen(subjects, [*SUBJECTS, *PARTS], "--subjects")
    measured_rows = _chosen(rows, list(ROWS), "--rows")
    if "insert_many" not in measured_rows:
        measured_rows.insert(0, "insert_many")
    scale = QUICK if quick else FULL
    console = Console()
    is_complete = not (quick or subjects or rows)
    results: dict[str, Any] = {"about": _about(scale, is_complete=is_complete), "subjects": {}}
    names = [name for name in chosen if name in SUBJECTS]
    reasons = peers.install({peer for name in names if (peer := SUBJECTS[name].peer)})
    steps = len(names) * len(measured_rows) + len(chosen) - len(names)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=steps)
        for name in names:
            bar.update(task, description=name)
            reason = reasons.get(SUBJECTS[name].peer or "")
            results["subjects"][name] = (
                {"rows": {}, "skipped": reason}
                if reason
                else measure_subject(name, measured_rows, scale, lambda _row: bar.advance(task))
            )
        for name in chosen:
            if name in PARTS:
                bar.update(task, description=name)
                results[PARTS[name]] = _part(name, scale)
                bar.advance(task)
    print_tables(results, console)
    if file := output or (LATEST if is_complete else None):
        write_files(results, file)
        console.print(f"Written: {file} and {file.with_suffix('.md').name}")


def _chosen(given: str, known: Sequence[str], option: str) -> list[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)}: not one of {', '.join(known)}", param_hint=option)
    return [name for name in known if not names or name in names]


def _part(name: str, scale: Scale) -> dict[str, Any]:
    measures: dict[str, Callable[[int], dict[str, Any]]] = {
        "coordination": measure_coordination,
        "node": measure_node_costs,
        "sync": lambda documents: (
            measure_sync_rates(documents) | measure_sync_bench(min(documents, SYNC_DOCUMENTS_MAX))
        ),
        "backlog": lambda documents: measure_dirty(documents * BACKLOG_TIMES),
    }
    try:
        return measures[name](scale.documents)
    except Exception as error:  # the rest of a long run is worth keeping, whatever this part raised
        return {"failed": f"{type(error).__name__}: {error}"}


def _about(scale: Scale, *, is_complete: bool) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in ("skerry", "pymongo", "apsw")}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "versions": {"Python": platform.python_version(), **versions, **peers.required_versions()},
        "documents": scale.documents,
        "operations": scale.operations,
        "is_complete": is_complete,
        "document_bytes": len(bson.encode(document(12_345))),
    }


if __name__ == "__main__":
    typer.run(main)
