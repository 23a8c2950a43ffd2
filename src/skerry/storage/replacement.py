"""Puts another database file in the place of a directory's own, so that at every moment one of the two is there whole.

    1. Take the writer lock: nobody opens the directory from now on.
    2. Fold the log into the old file and remove it, which SQLite does only for the last one who has the file open.
    3. Give the old file a second name, ASIDE.
    4. Rename the new file over the old name: the one step that counts.
    5. Once the new file can be read, remove ASIDE; else rename it back.

A crash before step 4 leaves the old database in place, a crash after it the new one; ASIDE may be left over, and is never
removed unasked when it is the only name of the old database. A damaged database has no sound log to fold: it is put aside in
its two parts.
"""

import os
from pathlib import Path
from typing import Final

import apsw

from skerry.errors import CorruptDatabaseError, DatabaseExistsError, DatabaseInUseError, NotADatabaseError
from skerry.storage.failures import raise_translated
from skerry.storage.folders import fsync_path
from skerry.storage.migrations import check_identity
from skerry.storage.store import DATABASE_FILE
from skerry.storage.writer_lock import WriterLock

ASIDE: Final = DATABASE_FILE + ".before-restore"
_LOG, _SHARED_MEMORY = "-wal", "-shm"


def make_single_file(database: Path) -> None:
    """Fold the log of a database into its file, so that the file alone is the database.

    Raises `DatabaseInUseError` when anybody has it open, `CorruptDatabaseError`, `NotADatabaseError`.
    """
    connection = apsw.Connection(str(database))
    try:
        connection.set_busy_timeout(0)
        connection.pragma("journal_mode", "delete")
    except apsw.BusyError as error:
        raise DatabaseInUseError(f"{database} is in use: stop every program that has it open", str(database)) from error
    except apsw.Error as error:
        raise_translated(error, str(database))
    finally:
        connection.close()


def replace_database(directory: Path, new: Path) -> None:
    """Put the single-file database `new`, on the same file system, in place; the old one comes back when it cannot be read.

    Raises `DatabaseInUseError` when anybody has the old one open, `DatabaseExistsError` when an interrupted replacement has left
    another one aside; nothing is changed then.
    """
    lock = WriterLock(directory)
    try:
        lock.acquire()
        current, aside = directory / DATABASE_FILE, directory / ASIDE
        fsync_path(new)
        has_old = current.exists()
        if has_old:
            _put_aside(current, aside)
        os.replace(new, current)
        fsync_path(directory)
        try:
            _check_readable(current)
        except BaseException:
            if has_old:
                _put_back(current, aside)
            else:
                current.unlink()
            raise
        for suffix in ("", _LOG):
            Path(f"{aside}{suffix}").unlink(missing_ok=True)
        fsync_path(directory)
    finally:
        lock.close()


def is_other_database(directory: Path) -> bool:
    """Whether what lies aside is another database than the one in place, and so perhaps the only copy of it."""
    aside, current = directory / ASIDE, directory / DATABASE_FILE
    return aside.exists() and not (current.exists() and aside.samefile(current))


def _put_aside(current: Path, aside: Path) -> None:
    if is_other_database(aside.parent):
        raise DatabaseExistsError(f"an interrupted restore left {aside}: keep it elsewhere or remove it", str(aside))
    log = Path(f"{current}{_LOG}")
    try:
        make_single_file(current)
    except (CorruptDatabaseError, NotADatabaseError):
        pass
    if log.exists():  # of a damaged database; beside the new one it would be taken for its log
        os.replace(log, f"{aside}{_LOG}")
    Path(f"{current}{_SHARED_MEMORY}").unlink(missing_ok=True)
    aside.unlink(missing_ok=True)
    os.link(current, aside)
    fsync_path(aside.parent)


def _put_back(current: Path, aside: Path) -> None:
    os.replace(aside, current)
    log = Path(f"{aside}{_LOG}")
    if log.exists():
        os.replace(log, f"{current}{_LOG}")
    fsync_path(current.parent)


def _check_readable(database: Path) -> None:
    """Read a little of the file that has just been put in place. Raises a `StorageError`."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        check_identity(connection, str(database))
        connection.execute("SELECT count(*) FROM collection").fetchall()
    except apsw.Error as error:
        raise_translated(error, str(database))
    finally:
        connection.close()
