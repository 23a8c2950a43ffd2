"""What can be written to the store inside the writer's transaction."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from skerry.storage import statements
from skerry.storage.read_view import ReadView

OplogRow = tuple[int, int, str, str, str, bytes | None, bytes | None, bytes | None, int | None, str | None]
"""ts, wall ms, op, db, coll, id document, o document, lsid, transaction number, origin."""

_INSERT_OPLOG = "INSERT INTO oplog VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class KeyTakenError(Exception):
    """A unique table already holds the key that was to be inserted."""


class WriteView(ReadView):
    """The writer's side of one transaction. Nothing is visible to others, nor durable, until the store commits it.

    `after_commit` collects what is to be called once the transaction is committed.
    """

    __slots__ = ("_last_ts", "after_commit", "wall_ms")

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.after_commit: list[Callable[[], None]] = []
        self._last_ts = -1
        self.wall_ms = 0

    def begin(self) -> None:
        """Start afresh: another process may have written since the last transaction."""
        self.after_commit = []
        self._last_ts = -1
        self.wall_ms = int(time.time() * 1000)

    def next_timestamp(self) -> int:
        """Return the next cluster time: strictly growing, even when the clock went back."""
        return self.take_timestamps(1)

    def take_timestamps(self, count: int) -> int:
        """Return the first of `count` cluster times that follow one by one."""
        if self._last_ts < 0:
            self._last_ts = self.execute("SELECT coalesce(max(ts), 0) FROM oplog").get
        first: int = max(self._last_ts + 1, (self.wall_ms // 1000 << 32) | 1)
        self._last_ts = first + count - 1
        return first

    @property
    def last_timestamp(self) -> int:
        """The newest cluster time given out in this transaction, -1 when none was."""
        return self._last_ts

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block wrote when it raises."""
        self.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK TO part")
            self.execute("RELEASE part")
            raise
        self.execute("RELEASE part")

    def set_setting(self, name: str, value: Any) -> None:
        self.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def run(self, sql: str, bindings: tuple[Any, ...] = ()) -> None:
        """Run a statement on the fixed tables."""
        self.execute(sql, bindings)

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement on the fixed tables once a row."""
        self.connection.executemany(sql, rows)

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        return self.connection.changes()

    def total_changes(self) -> int:
        """Return how many rows all statements of the connection have changed."""
        return self.connection.total_changes()

    def create_records(self, file_id: int) -> None:
        self.execute(statements.records(file_id).create)

    def drop_records(self, file_id: int) -> None:
        self.execute(statements.records(file_id).drop)

    def create_index(self, index_id: int, file_id: int, *, unique: bool) -> None:
        sql = statements.index(index_id, file_id)
        self.execute(sql.create_unique if unique else sql.create)

    def drop_index(self, index_id: int, file_id: int) -> None:
        self.execute(statements.index(index_id, file_id).drop)

    def last_rid(self, file_id: int) -> int:
        return int(self.execute(statements.records(file_id).last_rid).get)

    def insert_records(self, file_id: int, rows: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Insert (record id, `_id` key, document) rows. Raises `KeyTakenError`; part of the rows may then be in."""
        try:
            self.connection.executemany(statements.records(file_id).insert, rows)
        except apsw.ConstraintError:
            raise KeyTakenError from None

    def insert_record(self, file_id: int, rid: int, key: bytes, document: bytes) -> None:
        try:
            self.execute(statements.records(file_id).insert, (rid, key, document))
        except apsw.ConstraintError:
            raise KeyTakenError from None

    def update_record(self, file_id: int, rid: int, document: bytes) -> None:
        self.execute(statements.records(file_id).update, (document, rid))

    def rekey_record(self, file_id: int, rid: int, key: bytes) -> None:
        """Store a document under another `_id` key. Raises `KeyTakenError`."""
        try:
            self.execute(statements.records(file_id).rekey, (key, rid))
        except apsw.ConstraintError:
            raise KeyTakenError from None

    def delete_record(self, file_id: int, rid: int) -> None:
        self.execute(statements.records(file_id).delete, (rid,))

    def insert_entry(self, index_id: int, file_id: int, key: bytes, rid: int) -> None:
        try:
            self.execute(statements.index(index_id, file_id).insert, (key, rid))
        except apsw.ConstraintError:
            raise KeyTakenError from None

    def insert_entries(self, index_id: int, file_id: int, entries: Iterable[tuple[bytes, int]]) -> None:
        """Insert (key, record id) entries. Raises `KeyTakenError`; part of the entries may then be in."""
        try:
            self.connection.executemany(statements.index(index_id, file_id).insert, entries)
        except apsw.ConstraintError:
            raise KeyTakenError from None

    def delete_entry(self, index_id: int, file_id: int, key: bytes, rid: int) -> None:
        self.execute(statements.index(index_id, file_id).delete, (key, rid))

    def append_oplog(self, rows: Sequence[OplogRow]) -> None:
        if len(rows) == 1:
            self.execute(_INSERT_OPLOG, rows[0])
        else:
            self.connection.executemany(_INSERT_OPLOG, rows)
