"""SQLite's errors in our own words."""

import errno
from typing import NoReturn

import apsw

from skerry.errors import (
    CommandError,
    CorruptDatabaseError,
    NotADatabaseError,
    OutOfDiskSpaceError,
    ReadOnlyDatabaseError,
)

QUERY_PLAN_KILLED = 175
LOCK_TIMEOUT = 24


def raise_translated(error: Exception, path: str) -> NoReturn:
    """Raise what `error` (an `apsw.Error` or `OSError`) means to a caller; `path` is the database file."""
    if isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        raise OutOfDiskSpaceError(f"no space left for {path}; the write was rolled back") from error
    if isinstance(error, apsw.NotADBError):
        raise NotADatabaseError(f"{path} is not a skerry database", path) from error
    if isinstance(error, apsw.CorruptError):
        raise CorruptDatabaseError(f"{path} is damaged: {error}", path) from error
    if isinstance(error, (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, PermissionError)):
        raise ReadOnlyDatabaseError(f"{path} cannot be opened for writing: {error}", path) from error
    if isinstance(error, apsw.BusyError):
        raise CommandError(f"{path} is locked by another program: {error}", LOCK_TIMEOUT) from error
    if isinstance(error, apsw.SQLError) and "no such table" in str(error):
        raise CommandError("collection or index dropped while the operation was running", QUERY_PLAN_KILLED) from error
    raise error
