"""Oplog entries: what was done, in the order of commit, kept in the store beside the documents.

An entry carries what change events need: operation, namespace, `_id`, the full document (insert, replace) or the update
description (update), session and transaction number, wall time and origin. Entries are written in the transaction of the write
itself. The oldest are removed when the oplog outgrows its bounds; an entry that somebody pinned (a sync link's position) stays.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bson.timestamp import Timestamp

from skerry.storage import OplogRow, ReadView, WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace

NOOP: Final = "n"
INSERT: Final = "i"
UPDATE: Final = "u"
REPLACE: Final = "r"
DELETE: Final = "d"
CREATE: Final = "create"
DROP: Final = "drop"
RENAME: Final = "rename"
DROP_DATABASE: Final = "dropDatabase"
CREATE_INDEXES: Final = "createIndexes"
DROP_INDEXES: Final = "dropIndexes"
MODIFY: Final = "modify"

_AFTER = "SELECT ts, wall, op, db, coll, id, o, lsid, txn_number, origin FROM oplog WHERE ts > ? ORDER BY ts LIMIT ?"
_FIRST = "SELECT min(ts) FROM oplog"
_LAST = "SELECT coalesce(max(ts), 0) FROM oplog"


class OplogEntry(NamedTuple):
    """One entry as read back; `timestamp` is seconds << 32 | increment, `id_document` and `o` raw BSON."""

    timestamp: int
    wall_ms: int
    op: str
    namespace: Namespace
    id_document: bytes | None
    o: bytes | None
    lsid: bytes | None
    txn_number: int | None
    origin: str | None


def as_timestamp(number: int) -> Timestamp:
    """The 64-bit cluster time as BSON."""
    return Timestamp(number >> 32, number & 0xFFFFFFFF)


def as_number(timestamp: Timestamp) -> int:
    """BSON's timestamp as the 64-bit cluster time."""
    return timestamp.time << 32 | timestamp.inc


class OplogBuffer:
    """Collects the entries of one write command; `flush` appends them all at once."""

    __slots__ = ("_lsid", "_origin", "_rows", "_txn_number", "_view")

    def __init__(self, view: WriteView, *, lsid: bytes | None, txn_number: int | None, origin: str) -> None:
        self._view = view
        self._lsid = lsid
        self._txn_number = txn_number
        self._origin = origin or None
        self._rows: list[OplogRow] = []

    def add(self, op: str, namespace: Namespace, id_document: bytes | None, o: bytes | None) -> int:
        """Add an entry and return its timestamp. The `_id` of an insert or replace is read from `o`."""
        ts = self._view.next_timestamp()
        row = (ts, self._view.wall_ms, op, namespace.db, namespace.coll, id_document, o)
        self._rows.append((*row, self._lsid, self._txn_number, self._origin))
        return ts

    def add_inserts(self, namespace: Namespace, raws: Sequence[bytes]) -> int:
        """Add an entry for each of some new documents and return the first one's timestamp; the others follow one by one."""
        first = self._view.take_timestamps(len(raws))
        head = (self._view.wall_ms, INSERT, namespace.db, namespace.coll, None)
        tail = (self._lsid, self._txn_number, self._origin)
        self._rows += [(ts, *head, raw, *tail) for ts, raw in enumerate(raws, first)]
        return first

    def add_command(self, op: str, namespace: Namespace, details: dict[str, Any]) -> int:
        """Add an entry for a change of structure."""
        return self.add(op, namespace, None, documents.encode(details))

    def mark(self) -> int:
        """Remember where the buffer stands, for `discard`."""
        return len(self._rows)

    def discard(self, to: int) -> None:
        """Forget the entries added since `mark`: their savepoint has been rolled back."""
        del self._rows[to:]

    def flush(self) -> None:
        if self._rows:
            self._view.append_oplog(self._rows)
            self._rows = []


def entries_after(view: ReadView, timestamp: int, limit: int) -> list[OplogEntry]:
    """Return up to `limit` entries with a greater timestamp, oldest first."""
    return [
        OplogEntry(ts, wall, op, Namespace(db, coll), *rest)
        for ts, wall, op, db, coll, *rest in view.rows(_AFTER, (timestamp, limit))
    ]


def first_timestamp(view: ReadView) -> int:
    """Return the oldest entry's timestamp, 0 when the oplog is empty."""
    return view.row(_FIRST)[0] or 0


def last_timestamp(view: ReadView) -> int:
    """Return the newest entry's timestamp, 0 when the oplog is empty."""
    return int(view.row(_LAST)[0])


def is_beyond(view: ReadView, bytes_max: int) -> bool:
    """Whether the entries take more than `bytes_max`, by an estimate that need not read them: its table's pages."""
    return view.table_bytes("oplog") > bytes_max


def pinned_from(view: ReadView) -> int | None:
    """Return the oldest timestamp that a sync link still needs, None when none does."""
    value = view.setting("oplog_pinned_from")
    return None if value is None else int(value)


def trim(view: WriteView, *, bytes_max: int, keep_from: int | None) -> int:
    """Remove the oldest entries beyond `bytes_max`, never the newest one nor any from `keep_from` on; return how many.

    `trimmed_to` remembers the newest entry ever removed: a position before it has lost its history.
    """
    total = view.row("SELECT coalesce(sum(length(o)) + count(*) * 64, 0) FROM oplog")[0]
    excess = total - bytes_max
    if excess <= 0:
        return 0
    newest = last_timestamp(view)
    cut = 0
    for ts, size in view.rows("SELECT ts, coalesce(length(o), 0) + 64 FROM oplog ORDER BY ts LIMIT 100000"):
        if excess <= 0 or ts >= newest or (keep_from is not None and ts >= keep_from):
            break
        cut = ts
        excess -= size
    if cut == 0:
        return 0
    view.run("DELETE FROM oplog WHERE ts <= ?", (cut,))
    removed = view.changes()
    view.set_setting("oplog_trimmed_to", cut)
    return removed


def trimmed_to(view: ReadView) -> int:
    """Return the timestamp of the newest entry that was ever removed, 0 when none was."""
    return view.setting("oplog_trimmed_to") or 0
