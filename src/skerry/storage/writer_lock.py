"""One writer at a time per data directory, across processes, in turn.

SQLite's own busy time-out polls with growing pauses and lets a busy process starve the others (waits of a second were
measured). Two blocking file locks do better: a process that waits for the writer lock holds the turn lock, so the one
that has just written queues behind it instead of overtaking. Threads of this process are serialised before they get here.
"""

import fcntl
import os
from pathlib import Path


class WriterLock:
    """The inter-process lock of one data directory; `acquire` blocks. Not for several threads at once."""

    def __init__(self, directory: Path) -> None:
        self._turn = os.open(directory / "writer.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._writer = os.open(directory / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        """Wait for our turn, then for the writer before us."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._writer, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def release(self) -> None:
        fcntl.flock(self._writer, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._turn)
        os.close(self._writer)
