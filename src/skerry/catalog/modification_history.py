"""The newest changes of each collection.

Writes are many, and each renews its collection's row anyway: what they leave is a line of fixed width in that row, the newest
first, cut off after `HISTORY_LENGTH` lines by SQLite itself (measured: 1 to 2 µs a write, where a table of its own cost 4 to 6).
Other changes are rare and have rows. Reading puts both together.
"""

from collections.abc import Mapping
from typing import Any, Final

from skerry.catalog.index_records import HISTORY_LENGTH, WRITE, Change
from skerry.storage import ReadView, WriteView
from skerry.values import documents

_TOKEN_WIDTH: Final = 23  # what `modification_token.generate` makes until the year 2286
_COUNT_WIDTH: Final = 11
LINE_WIDTH: Final = _TOKEN_WIDTH + _COUNT_WIDTH
LINES_WIDTH: Final = LINE_WIDTH * HISTORY_LENGTH

_TRIM = (
    "DELETE FROM collection_change WHERE file_id = ? AND change_id <="
    " (SELECT change_id FROM collection_change WHERE file_id = ? ORDER BY change_id DESC LIMIT 1 OFFSET ?)"
)


def write_line(token: str, count_change: int) -> str:
    """Return what a write leaves: its token, which has the time in it, and by how much the count moved."""
    return f"{token:>{_TOKEN_WIDTH}}{count_change:+0{_COUNT_WIDTH}d}"


def record(view: WriteView, file_id: int, operation: str, data: Mapping[str, Any]) -> None:
    """Remember a change that is no write."""
    view.run(
        "INSERT INTO collection_change (file_id, at, operation, data) VALUES (?, ?, ?, ?)",
        (file_id, view.wall_ms, operation, documents.encode(data)),
    )
    view.run(_TRIM, (file_id, file_id, HISTORY_LENGTH))


def read(view: ReadView, file_id: int) -> list[Change]:
    """Return the newest changes of a collection, oldest first."""
    rows = view.rows(
        "SELECT operation, at, data FROM collection_change WHERE file_id = ? ORDER BY change_id", (file_id,)
    )
    lines = view.row("SELECT recent_writes FROM collection WHERE file_id = ?", (file_id,))
    changes = _writes("" if lines is None else lines[0])
    changes += [Change(operation, at_ms, documents.decode(data)) for operation, at_ms, data in rows]
    changes.sort(
        key=lambda change: change.at_ms
    )  # stable: in one millisecond a write comes before what followed from it
    return changes[-HISTORY_LENGTH:]


def forget(view: WriteView, file_id: int) -> None:
    """Drop the history of a collection that goes."""
    view.run("DELETE FROM collection_change WHERE file_id = ?", (file_id,))


def _writes(lines: str) -> list[Change]:
    """The writes of a collection's row, oldest first."""
    changes = []
    for start in range(len(lines) - LINE_WIDTH, -1, -LINE_WIDTH):
        token = lines[start : start + _TOKEN_WIDTH].lstrip()
        data = {"modificationToken": token, "countChange": int(lines[start + _TOKEN_WIDTH : start + LINE_WIDTH])}
        changes.append(Change(WRITE, int(token.partition("-")[0]), data))
    return changes
