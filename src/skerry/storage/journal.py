"""When a commit is safe against power loss.

SQLite commits with `synchronous=NORMAL`: the write-ahead log is written, not fsynced, which is safe against a crash of the
process. Durability against power loss is ours: an `fdatasync` of the log outside the writer lock, shared by every thread
that committed before it started, so that a slow disk holds up nobody who did not ask for it. Whatever no one waited for is
flushed by a background thread within `flush_interval_ms`. SQLite itself syncs the log before each checkpoint and the header
of a restarted log, so nothing un-synced is ever the only copy of a checkpointed page.

A failed fdatasync is final, as in PostgreSQL: the kernel may have dropped the pages, so no later success can be trusted.
"""

import os
import threading
from pathlib import Path

from skerry.errors import StorageError


class Journal:
    """Counts commits and knows up to which one the log is on disk. Shared by all threads."""

    def __init__(self, log: Path, *, flush_interval_ms: int, volatile: bool) -> None:
        self._path = str(log)
        self._fd = os.open(log, os.O_RDWR | os.O_CLOEXEC)
        self._volatile = volatile
        self._committed = 0
        self._durable = 0
        self._failure: OSError | None = None
        self._sync_lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._interval = flush_interval_ms / 1000
        self._flusher = threading.Thread(target=self._flush_regularly, name="skerry-journal", daemon=True)
        if not volatile:
            self._flusher.start()

    def note_commit(self) -> int:
        """Number a commit that has just been made; the caller holds the writer lock."""
        self._committed += 1
        if not self._wake.is_set():
            self._wake.set()
        return self._committed

    def check(self) -> None:
        """Raise `StorageError` when the log could not be flushed once: nothing more may be acknowledged."""
        if self._failure is not None:
            raise StorageError(f"{self._path} could not be flushed to disk: {self._failure}", self._path)

    def wait_durable(self, commit: int) -> None:
        """Return when `commit` is on disk. Raises `StorageError` when the disk refuses."""
        if self._volatile or self._durable >= commit:
            return
        with self._sync_lock:
            self.check()
            if self._durable >= commit:
                return
            reached = self._committed
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._failure = error
                self.check()
            self._durable = reached

    def flush(self) -> None:
        """Return when all that was committed so far is on disk. Raises `StorageError`."""
        self.wait_durable(self._committed)

    def close(self) -> None:
        """Flush what is left and end the background thread."""
        self._closing.set()
        self._wake.set()
        if self._flusher.is_alive():
            self._flusher.join()
        try:
            self.wait_durable(self._committed)
        finally:
            os.close(self._fd)

    def _flush_regularly(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._closing.wait(self._interval):
                return
            try:
                self.wait_durable(self._committed)
            except StorageError:
                return
