"""Gives the pages back that a database no longer needs, while other programs may go on using it.

SQLite's VACUUM writes the whole database anew as one transaction in its log, and emptying the log then makes the file shorter.
Whoever wants to write waits for it at the writer lock; readers go on with the state that they began with, and while there are
such the file stays long. It needs as much free space as the database has, in its directory and again for temporary files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from skerry.storage.failures import raise_translated
from skerry.storage.migrations import check_identity
from skerry.storage.store import DATABASE_FILE
from skerry.storage.writer_lock import WriterLock

READERS_WAIT_MS: Final = 5_000
_INTERRUPT_STEPS: Final = 10_000  # steps of SQLite's machine between two looks for Ctrl-C


@dataclass(frozen=True, slots=True)
class Compaction:
    """Bytes of the file and its log before and after; `is_complete` is false while readers keep the file from being cut."""

    bytes_before: int
    bytes_after: int
    is_complete: bool

    @property
    def bytes_freed(self) -> int:
        """How much shorter it is; never negative."""
        return max(0, self.bytes_before - self.bytes_after)


def compact(directory: Path, *, readers_wait_ms: int = READERS_WAIT_MS) -> Compaction:
    """Rewrite the database of a directory without its free pages. Waits for its turn to write.

    Raises `OutOfDiskSpaceError`, `CorruptDatabaseError`; nothing is changed then, nor when it is interrupted.
    """
    database = directory / DATABASE_FILE
    lock = WriterLock(directory)
    try:
        lock.acquire()
        before = _size(database)
        is_complete = _vacuum(database, readers_wait_ms)
        return Compaction(before, _size(database), is_complete)
    finally:
        lock.close()


def reclaimable_bytes(directory: Path) -> int:
    """Return how much `compact` would free at least: the pages that hold nothing."""
    database = directory / DATABASE_FILE
    connection = apsw.Connection(str(database))
    try:
        check_identity(connection, str(database))
        return int(connection.pragma("freelist_count")) * int(connection.pragma("page_size"))
    except apsw.Error as error:
        raise_translated(error, str(database))
    finally:
        connection.close()


def _vacuum(database: Path, readers_wait_ms: int) -> bool:
    connection = apsw.Connection(str(database))
    try:
        check_identity(connection, str(database))
        connection.set_busy_timeout(readers_wait_ms)
        connection.pragma("temp_store", "file")
        connection.set_progress_handler(lambda: False, _INTERRUPT_STEPS)
        connection.execute("VACUUM")
        return _cut(connection)
    except apsw.Error as error:
        raise_translated(error, str(database))
    finally:
        connection.close()


def _cut(connection: apsw.Connection) -> bool:
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError:
        return False
    return True


def _size(database: Path) -> int:
    files = (database, Path(f"{database}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
