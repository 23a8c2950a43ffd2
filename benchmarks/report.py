"""Results as tables on the terminal, as JSON for programs and as Markdown for people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.subjects import SUBJECTS
from benchmarks.targets import judge_all
from benchmarks.workload import ROWS

MEGABYTE: Final = 1_000_000
Results = dict[str, Any]

# Four columns fit a terminal of ordinary width.
TABLES: Final = {
    "In the program's own process, beside the limit": (
        "skerry",
        "skerry-relaxed",
        "sqlite-bson",
        "sqlite-bson-relaxed",
    ),
    "In the program's own process, beside the peers": ("skerry-relaxed", "neosqlite", "montydb", "mongomock"),
    "Over TCP": ("skerry-server", "skerry-server-relaxed", "secantusdb", "secantusdb-durable"),
}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table before it is drawn."""

    title: str
    header: Sequence[str]
    lines: Sequence[Sequence[str]]
    has_rates: bool = False


def grids(results: Results) -> Iterator[Grid]:
    """Yield the tables of a run: rates, nodes, targets, and what was left out or went wrong."""
    for title, columns in TABLES.items():
        names = [name for name in columns if results["subjects"].get(name, {}).get("rows")]
        if names:
            yield _rates(title, results, names)
    if figures := _figures(results):
        yield Grid("A node", ("figure", "measured"), figures)
    marks = {True: "met", False: "MISSED", None: "-"}
    verdicts = [
        (verdict.title, verdict.measured, marks[verdict.is_met])
        for verdict in judge_all(results)
        # What a complete run did not measure is worth a line; what was not asked for is not.
        if results["about"]["is_complete"] or verdict.is_met is not None
    ]
    if verdicts:
        yield Grid("Targets", ("target", "measured", ""), verdicts)
    if notes := list(_notes(results)):
        yield Grid("Not as expected", ("who", "where", "what"), notes)


def print_tables(results: Results, console: Console) -> None:
    """Draw all tables on the terminal."""
    for grid in grids(results):
        table = Table(title=grid.title, title_justify="left")
        for column, heading in enumerate(grid.header):
            table.add_column(heading, justify="right" if grid.has_rates and column else "left")
        for line in grid.lines:
            table.add_row(*line)
        console.print(table)


def write_files(results: Results, file: Path) -> None:
    """Write the results as `file` and, beside it, as Markdown."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")
    file.with_suffix(".md").write_text(markdown(results), "utf-8")


def markdown(results: Results) -> str:
    """Return the tables as Markdown, with what the run was."""
    about = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    parts = [
        "# Benchmark results\n",
        f"Written by `make bench` on {about['date']}; {about['cores']} cores, {versions}.",
        f"{about['documents']:,} documents of {about['document_bytes']} bytes.",
        "All rates are a second; in brackets the rate divided by that of the column named under the heading.\n",
    ]
    for grid in grids(results):
        parts.append(f"\n## {grid.title}\n")
        parts.append(f"| {' | '.join(grid.header)} |".replace("\n", "<br>"))
        parts.append("|" + "---|" * len(grid.header))
        parts.extend(f"| {' | '.join(line)} |".replace("\n", "<br>") for line in grid.lines)
    return "\n".join(parts) + "\n"


def _rates(title: str, results: Results, names: Sequence[str]) -> Grid:
    header = ["a second"]
    for name in names:
        divided = f"\n÷ {SUBJECTS[name].compared_with}" if SUBJECTS[name].compared_with in results["subjects"] else ""
        header.append(f"{name}{divided}")
    lines = [["acknowledged: survives", *(SUBJECTS[name].durability for name in names)]]
    for key, row in ROWS.items():
        if any(key in results["subjects"][name]["rows"] for name in names):
            lines.append([row.title, *(_cell(results, name, key) for name in names)])
    for label, read in (("on disk once loaded", _bytes_on_disk), ("memory at its peak", _peak_memory)):
        lines.append([label, *(read(results["subjects"][name]) for name in names)])
    return Grid(title, header, lines, has_rates=True)


def _cell(results: Results, name: str, row: str) -> str:
    outcome = results["subjects"][name]["rows"].get(row)
    if outcome is None or "failed" in outcome:
        return "-"
    rate = outcome["rate"]
    other = results["subjects"].get(SUBJECTS[name].compared_with, {}).get("rows", {}).get(row, {}).get("rate")
    share = f" (x{rate / other:.2f})" if other else ""
    return f"{rate:,.0f}{share}{' WRONG' if 'wrong' in outcome else ''}"


def _bytes_on_disk(outcome: dict[str, Any]) -> str:
    return _megabytes(outcome["rows"].get("insert_many", {}).get("bytes_on_disk"))


def _peak_memory(outcome: dict[str, Any]) -> str:
    return _megabytes(outcome.get("peak_memory_bytes"))


def _megabytes(size: int | None) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size else "-"


def _figures(results: Results) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    costs, rates = results.get("node_costs") or {}, results.get("sync_rates") or {}
    if "failed" not in costs and costs:
        lines += [
            ("first answer of skerry serve, empty directory", f"{costs['start_empty_seconds']:.2f} s"),
            ("first answer of skerry serve, loaded directory", f"{costs['start_loaded_seconds']:.2f} s"),
            ("memory of an idle server", _megabytes(costs["idle_memory_bytes"])),
            (f"{costs['documents']:,} documents on disk", _megabytes(costs["bytes_on_disk"])),
        ]
    for name, value in rates.items():
        if name not in ("documents", "failed"):
            stem, unit = _unit(name)
            lines.append((f"sync {stem.replace('_', ' ')}", f"{value:,.{0 if value >= 1000 else 2}f} {unit}".rstrip()))
    return [
        *lines,
        *_backlog_figures(results.get("sync_backlog") or {}),
        *_coordination_figures(results.get("coordination") or {}),
    ]


def _unit(name: str) -> tuple[str, str]:
    """Return a figure's name without its unit, and the unit."""
    for suffix, unit in (("_ms", "ms"), ("_percent", "%"), ("_share", "")):
        if name.endswith(suffix):
            return name if not unit else name.removesuffix(suffix), unit
    return name, "documents/s"


def _backlog_figures(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not figures or "failed" in figures:
        return
    waiting = f"{figures['dirty_documents']:,} documents that waited"
    yield f"{waiting}: start of the edge", f"{figures['dirty_start_seconds']:.2f} s"
    yield f"{waiting}: sent", f"{figures['dirty_push']:,.0f} documents/s"
    yield f"{waiting}: memory of the edge", f"{figures['dirty_memory_mb']:,.1f} MB"


def _coordination_figures(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not figures or "failed" in figures:
        return
    for name, value in figures.items():
        if name.startswith("operations_per_second_"):
            yield f"coordinated operations, processes: {name.rpartition('_')[2]}", f"{value:,.1f}/s"
    yield "coordinating one operation alone adds", f"{figures['overhead_ms']:.2f} ms"
    yield f"a new process lists {figures['collections']:,} collections", f"{figures['open_catalogue_seconds']:.2f} s"


def _notes(results: Results) -> Iterator[tuple[str, str, str]]:
    for name, outcome in results["subjects"].items():
        if "skipped" in outcome:
            yield name, "left out", outcome["skipped"]
        for row, measured in outcome.get("rows", {}).items():
            for kind in ("failed", "wrong"):
                if kind in measured:
                    yield name, row, f"{kind}: {measured[kind]}"
            if measured.get("ended_early"):
                yield name, row, f"too slow: went on with {measured['count']:,} documents"
    for part in ("node_costs", "sync_rates", "sync_backlog", "coordination"):
        if "failed" in (results.get(part) or {}):
            yield "skerry serve", part, results[part]["failed"]
