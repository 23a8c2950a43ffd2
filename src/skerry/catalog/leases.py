"""Leases in the store: rows that expire. Everything that changes a lease in `skerry.db` is here.

A lease's row id is its fencing number: SQLite never gives an AUTOINCREMENT id twice, so a later lease has a greater number
even when no row is left of the earlier ones. The clock is that of the machine, which all processes on a directory share, read
when it is needed: a transaction may have waited for its turn while other leases went on expiring.
"""

from typing import Any

from skerry.catalog import index_records
from skerry.catalog.index_records import Lease
from skerry.storage import ReadView, WriteView

_SELECT = "SELECT fencing_number, name, owner, acquired, expires FROM lease WHERE db = ?"
_INSERT = "INSERT INTO lease (db, name, owner, acquired, expires) VALUES (?, ?, ?, ?, ?)"


def read(view: ReadView, db: str, name: str) -> Lease | None:
    """Return the lease on a name, also one that has expired."""
    row = view.row(_SELECT + " AND name = ?", (db, name))
    return None if row is None else _lease(row, index_records.now_ms())


def read_all(view: ReadView, db: str) -> list[Lease]:
    """Return the leases of a database by name, also those that have expired."""
    now_ms = index_records.now_ms()
    return [_lease(row, now_ms) for row in view.rows(_SELECT + " ORDER BY name", (db,))]


def take(view: WriteView, db: str, name: str, owner: str, duration_ms: int) -> Lease | None:
    """Take the lease, None while a live one exists."""
    now_ms = index_records.now_ms()
    held = view.row(_SELECT + " AND name = ?", (db, name))
    if held is not None:
        if held[4] > now_ms:
            return None
        view.run("DELETE FROM lease WHERE fencing_number = ?", (held[0],))
    view.run(_INSERT, (db, name, owner, now_ms, now_ms + duration_ms))
    number = view.row("SELECT last_insert_rowid()")[0]
    token = view.row("SELECT modification_token FROM collection WHERE db = ? AND name = ?", (db, name))
    return Lease(
        name,
        owner,
        now_ms,
        now_ms + duration_ms,
        number,
        modification_token=None if token is None else token[0],
        displaced_owner=None if held is None else held[2],
    )


def renew(view: WriteView, db: str, name: str, owner: str, duration_ms: int) -> bool:
    """Let the owner's live lease expire `duration_ms` from now; false when it has none."""
    held = read(view, db, name)
    if held is None or held.owner != owner or not held.is_live:
        return False
    expires_ms = index_records.now_ms() + duration_ms
    view.run("UPDATE lease SET expires = ? WHERE fencing_number = ?", (expires_ms, held.fencing_number))
    return True


def release(view: WriteView, db: str, name: str, owner: str | None) -> bool:
    """Remove the owner's lease (None: whoever's); false when there is none."""
    held = read(view, db, name)
    if held is None or owner not in (None, held.owner):
        return False
    view.run("DELETE FROM lease WHERE fencing_number = ?", (held.fencing_number,))
    return True


def drop_expired(view: WriteView, db: str) -> int:
    """Remove the expired leases of a database; return how many."""
    expired = [lease for lease in read_all(view, db) if not lease.is_live]
    for lease in expired:
        view.run("DELETE FROM lease WHERE fencing_number = ?", (lease.fencing_number,))
    return len(expired)


def _lease(row: Any, now_ms: int) -> Lease:
    fencing_number, name, owner, acquired_ms, expires_ms = row
    return Lease(name, owner, acquired_ms, expires_ms, fencing_number, is_live=expires_ms > now_ms)
