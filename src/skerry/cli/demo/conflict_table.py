"""The conflicts that the edges met, with winner and loser, read from their data directories while they run."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from skerry.cli.demo.node_process import NodeProcess
from skerry.engine.engine import Engine
from skerry.sync.conflict_log import Conflict, ConflictLog
from skerry.values.field_path import read, split


def conflict_table(edges: Iterable[NodeProcess]) -> Table:
    """Return a table of every conflict of these edges."""
    table = Table(title="Conflicts: nothing was lost in silence")
    for heading in ("found on", "document", "where", "winner", "kept", "loser (in the log)"):
        table.add_column(heading)
    for edge in edges:
        for conflict in _conflicts(edge):
            table.add_row(edge.name, *_cells(conflict))
    return table


def _conflicts(edge: NodeProcess) -> list[Conflict]:
    engine = Engine(edge.directory)
    try:
        with engine.storage.read() as view:
            return ConflictLog(edge.name).entries(view, limit=1000)
    finally:
        engine.close()


def _cells(conflict: Conflict) -> tuple[str, str, str, str, str]:
    record = conflict.record
    winner = str(record["winner"])
    loser = "remote" if winner == "local" else "local"
    paths = [path for path in record["paths"] if path]
    known = next(record[name] for name in ("base", "local", "remote") if record[name] is not None)
    return (
        str(known["_id"]),
        ", ".join(paths) or "whole document",
        {"local": "this edge", "remote": "hub"}.get(winner, winner),
        _shown(record["result"], paths),
        _shown(record[loser], paths),
    )


def _shown(document: Mapping[str, Any] | None, paths: list[str]) -> str:
    if document is None:
        return "deleted"
    if not paths:
        return str(document.get("name", document["_id"]))
    return ", ".join(str(read(document, split(path))) for path in paths)
