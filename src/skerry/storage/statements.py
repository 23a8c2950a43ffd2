"""SQL text, constant per table, so that SQLite's statement cache always hits (without it a read costs twice).

`c_<file id>` holds documents by record id and `_id` key; `i_<index id>` holds index entries. A unique index has its key alone
as primary key, so that SQLite itself refuses a second entry; others have (key, record id).
"""

from functools import lru_cache
from typing import Final

CREATE_RECORDS: Final = "CREATE TABLE {table} (rid INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, doc BLOB NOT NULL)"
CREATE_INDEX: Final = (
    "CREATE TABLE {table} (key BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY ({key})) WITHOUT ROWID"
)


class RecordStatements:
    """The statements of one collection's table."""

    __slots__ = (
        "by_key",
        "by_key_after",
        "by_key_before",
        "by_key_range",
        "by_key_range_reverse",
        "by_rid",
        "bytes",
        "count",
        "count_key_range",
        "create",
        "delete",
        "drop",
        "insert",
        "last_rid",
        "rekey",
        "scan",
        "scan_reverse",
        "update",
    )

    def __init__(self, file_id: int) -> None:
        table = f"c_{file_id}"
        self.create = CREATE_RECORDS.format(table=table)
        self.drop = f"DROP TABLE IF EXISTS {table}"
        self.by_key = f"SELECT rid, doc FROM {table} WHERE key = ?"
        self.by_rid = f"SELECT doc FROM {table} WHERE rid = ?"
        self.scan = f"SELECT rid, doc FROM {table} WHERE rid > ? ORDER BY rid LIMIT ?"
        self.scan_reverse = f"SELECT rid, doc FROM {table} WHERE rid < ? ORDER BY rid DESC LIMIT ?"
        entries = f"SELECT key, rid, doc FROM {table} WHERE"
        self.by_key_range = f"{entries} key >= ? AND key < ? ORDER BY key LIMIT ?"
        self.by_key_range_reverse = f"{entries} key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
        self.by_key_after = f"{entries} key > ? AND key < ? ORDER BY key LIMIT ?"
        self.by_key_before = f"{entries} key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
        self.count = f"SELECT count(*) FROM {table}"
        self.bytes = f"SELECT coalesce(sum(length(doc)), 0) FROM {table}"
        self.count_key_range = f"SELECT count(*) FROM {table} WHERE key >= ? AND key < ?"
        self.last_rid = f"SELECT coalesce(max(rid), 0) FROM {table}"
        self.insert = f"INSERT INTO {table} (rid, key, doc) VALUES (?, ?, ?)"
        self.update = f"UPDATE {table} SET doc = ? WHERE rid = ?"
        self.rekey = f"UPDATE {table} SET key = ? WHERE rid = ?"
        self.delete = f"DELETE FROM {table} WHERE rid = ?"


class IndexStatements:
    """The statements of one index's table, joined with its collection's where documents are wanted."""

    __slots__ = (
        "after",
        "before",
        "count_range",
        "create",
        "create_unique",
        "delete",
        "drop",
        "entries",
        "holder",
        "insert",
        "range",
        "range_reverse",
    )

    def __init__(self, index_id: int, file_id: int) -> None:
        table, records = f"i_{index_id}", f"c_{file_id}"
        self.create = CREATE_INDEX.format(table=table, key="key, rid")
        self.create_unique = CREATE_INDEX.format(table=table, key="key")
        self.drop = f"DROP TABLE IF EXISTS {table}"
        fetch = f"SELECT i.key, i.rid, c.doc FROM {table} i CROSS JOIN {records} c ON c.rid = i.rid WHERE"
        forwards, backwards = "ORDER BY i.key, i.rid LIMIT ?", "ORDER BY i.key DESC, i.rid DESC LIMIT ?"
        self.range = f"{fetch} i.key >= ? AND i.key < ? {forwards}"
        self.range_reverse = f"{fetch} i.key >= ? AND i.key < ? {backwards}"
        self.after = f"{fetch} (i.key, i.rid) > (?, ?) AND i.key < ? {forwards}"
        self.before = f"{fetch} (i.key, i.rid) < (?, ?) AND i.key >= ? {backwards}"
        self.entries = f"SELECT key, rid FROM {table} ORDER BY key, rid"
        self.count_range = f"SELECT count(*) FROM {table} WHERE key >= ? AND key < ?"
        self.holder = f"SELECT rid FROM {table} WHERE key = ? LIMIT 1"
        self.insert = f"INSERT INTO {table} (key, rid) VALUES (?, ?)"
        self.delete = f"DELETE FROM {table} WHERE key = ? AND rid = ?"


@lru_cache(maxsize=4096)
def records(file_id: int) -> RecordStatements:
    """Return the statements of a collection's table."""
    return RecordStatements(file_id)


@lru_cache(maxsize=16384)
def index(index_id: int, file_id: int) -> IndexStatements:
    """Return the statements of an index's table."""
    return IndexStatements(index_id, file_id)
