"""Copies an open database to another file while everybody goes on writing.

SQLite's online backup reads through a connection that keeps one snapshot for the whole copy, so the copy is one committed
state however long it takes, and no commit makes it start anew. Writers are never stopped; only the log cannot be emptied
before the copy is done. It is taken in steps, so that progress can be told and other threads get their turn.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from skerry.storage.failures import raise_translated
from skerry.storage.folders import fsync_path
from skerry.storage.store import Store

STEP_PAGES: Final = 512  # 2 MiB: a few milliseconds

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""


def copy_database(store: Store, target: Path, on_progress: Progress) -> None:
    """Write the committed state of `store` to the new file `target`: one file without a log, fsynced.

    Raises `OutOfDiskSpaceError`, `CorruptDatabaseError`.
    """
    snapshot = store.snapshot()
    try:
        copy = apsw.Connection(str(target))
        try:
            copy.pragma("synchronous", "off")
            with copy.backup("main", snapshot.view.connection, "main") as backup:
                while not backup.done:
                    backup.step(STEP_PAGES)
                    on_progress(backup.page_count - backup.remaining, backup.page_count)
            copy.pragma("journal_mode", "delete")
        finally:
            copy.close()
        fsync_path(target)
    except (apsw.Error, OSError) as error:
        raise_translated(error, str(target))
    finally:
        snapshot.close()
