"""What can be read from the store inside one SQLite transaction.

A view belongs to one connection and is used by one thread at a time. Scans come in chunks, bounded by rows and by bytes, and
go on from a position, so that nothing holds a snapshot between the batches of a slow client.
"""

from collections.abc import Iterator
from typing import Any, Final

import apsw

from skerry.storage import statements

CHUNK_BYTES_MAX: Final = 4 * 1024 * 1024

Record = tuple[int, bytes]
"""Record id and document."""
Entry = tuple[bytes, int, bytes]
"""Index key, record id and document."""


class ReadView:
    """Reads of documents, index entries and the oplog through one connection."""

    __slots__ = ("connection", "execute")

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.execute = connection.execute

    def setting(self, name: str) -> Any:
        """Return a named value of the store, None when there is none."""
        row = self.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return row[0] if row is not None else None

    def rows(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[Any]:
        """Return all rows of a statement on the fixed tables (catalogue, sessions, sync)."""
        return self.execute(sql, bindings).fetchall()

    def row(self, sql: str, bindings: tuple[Any, ...] = ()) -> Any:
        """Return the first row of a statement on the fixed tables, None when there is none."""
        return self.execute(sql, bindings).fetchone()

    def record_by_key(self, file_id: int, key: bytes) -> Record | None:
        row: Record | None = self.execute(statements.records(file_id).by_key, (key,)).fetchone()
        return row

    def record(self, file_id: int, rid: int) -> bytes | None:
        row = self.execute(statements.records(file_id).by_rid, (rid,)).fetchone()
        return row[0] if row is not None else None

    def scan(self, file_id: int, *, after: int | None, reverse: bool, limit: int) -> tuple[list[Record], bool]:
        """Return up to `limit` records in record-id order beyond `after`, and whether there may be more."""
        sql = statements.records(file_id)
        if reverse:
            start = (1 << 63) - 1 if after is None else after
            rows = self.execute(sql.scan_reverse, (start, limit))
        else:
            rows = self.execute(sql.scan, (-1 if after is None else after, limit))
        return _bounded(rows, 1, limit)

    def scan_keys(
        self, file_id: int, lower: bytes, upper: bytes, *, after: bytes | None, reverse: bool, limit: int
    ) -> tuple[list[Entry], bool]:
        """Return up to `limit` documents with `lower` <= `_id` key < `upper` beyond the key `after`, and if there may be more."""
        sql = statements.records(file_id)
        if after is None:
            text = sql.by_key_range_reverse if reverse else sql.by_key_range
            rows = self.execute(text, (lower, upper, limit))
        elif reverse:
            rows = self.execute(sql.by_key_before, (lower, after, limit))
        else:
            rows = self.execute(sql.by_key_after, (after, upper, limit))
        return _bounded(rows, 2, limit)

    def scan_index(
        self,
        index_id: int,
        file_id: int,
        lower: bytes,
        upper: bytes,
        *,
        after: tuple[bytes, int] | None,
        reverse: bool,
        limit: int,
    ) -> tuple[list[Entry], bool]:
        """Return up to `limit` entries with `lower` <= key < `upper` beyond `after`, and whether there may be more."""
        sql = statements.index(index_id, file_id)
        if after is None:
            rows = self.execute(sql.range_reverse if reverse else sql.range, (lower, upper, limit))
        elif reverse:
            rows = self.execute(sql.before, (*after, lower, limit))
        else:
            rows = self.execute(sql.after, (*after, upper, limit))
        return _bounded(rows, 2, limit)

    def index_entries(self, index_id: int, file_id: int) -> Iterator[tuple[bytes, int]]:
        """Iterate over all (key, record id) of an index in order."""
        return self.execute(statements.index(index_id, file_id).entries)

    def index_holder(self, index_id: int, file_id: int, key: bytes) -> int | None:
        """Return the record id of some entry with this very key."""
        row = self.execute(statements.index(index_id, file_id).holder, (key,)).fetchone()
        return row[0] if row is not None else None

    def table_bytes(self, table: str) -> int:
        """Return the size of a table or index of SQLite's in bytes: whole pages."""
        row = self.row("SELECT pgsize FROM dbstat WHERE name = ? AND aggregate = 1", (table,))
        return int(row[0]) if row is not None else 0

    def count_records(self, file_id: int) -> int:
        return int(self.execute(statements.records(file_id).count).get)

    def record_bytes(self, file_id: int) -> int:
        """Return the size of all documents of a collection in bytes."""
        return int(self.execute(statements.records(file_id).bytes).get)

    def count_keys(self, file_id: int, lower: bytes, upper: bytes) -> int:
        return int(self.execute(statements.records(file_id).count_key_range, (lower, upper)).get)

    def count_index(self, index_id: int, file_id: int, lower: bytes, upper: bytes) -> int:
        return int(self.execute(statements.index(index_id, file_id).count_range, (lower, upper)).get)


def _bounded(rows: Any, document_at: int, limit: int) -> tuple[list[Any], bool]:
    """Take rows until they hold `CHUNK_BYTES_MAX` of documents; say whether there may be more."""
    taken: list[Any] = []
    size = 0
    for row in rows:
        taken.append(row)
        size += len(row[document_at])
        if size >= CHUNK_BYTES_MAX:
            return taken, True
    return taken, len(taken) >= limit
