"""Open cursors by id: who owns them, and when they are dropped for idleness."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from skerry.engine.cursor import Cursor
from skerry.errors import CommandError, CursorNotFoundError, UnauthorizedError

CURSOR_IN_USE: Final = 12051


class CursorRegistry:
    """Keeps cursors between batches. Shared by all threads; a cursor is lent to one at a time."""

    def __init__(self, *, idle_ms_max: int) -> None:
        self._cursors: dict[int, Cursor] = {}
        self._lent: set[int] = set()
        self._lock = threading.Lock()
        self._idle_seconds_max = idle_ms_max / 1000

    def keep(self, cursor: Cursor) -> int:
        """Give `cursor` an id, and keep it for later; ids are positive int64 beyond int32, as drivers expect of a server."""
        with self._lock:
            while True:
                number = random.randint(1 << 32, (1 << 63) - 1)
                if number not in self._cursors:
                    break
            cursor.id = number
            self._cursors[number] = cursor
        return number

    @contextmanager
    def use(self, cursor_id: int, lsid: bytes | None) -> Iterator[Cursor]:
        """Lend the cursor for one batch; it is dropped afterwards when exhausted.

        Raises `CursorNotFoundError`, `UnauthorizedError` for another session's cursor, and 12051 while it is in use.
        """
        with self._lock:
            cursor = self._cursors.get(cursor_id)
            if cursor is None:
                raise CursorNotFoundError(f"cursor id {cursor_id} not found")
            if cursor.lsid != lsid:
                raise UnauthorizedError(f"cursor id {cursor_id} was not created by this session")
            if cursor_id in self._lent:
                raise CommandError(f"cursor id {cursor_id} is already in use", CURSOR_IN_USE)
            self._lent.add(cursor_id)
        try:
            yield cursor
        except BaseException:
            cursor.close()
            raise
        finally:
            with self._lock:
                self._lent.discard(cursor_id)
                if cursor.exhausted:
                    self._cursors.pop(cursor_id, None)
                    cursor.id = 0
            cursor.last_used = time.monotonic()

    def kill(self, cursor_id: int) -> bool:
        """Drop a cursor; false when there is none."""
        with self._lock:
            cursor = self._cursors.pop(cursor_id, None)
            in_use = cursor_id in self._lent
        if cursor is None:
            return False
        if in_use:
            cursor.exhausted = True
        else:
            cursor.close()
        return True

    def kill_of_session(self, lsid: bytes) -> None:
        """Drop every cursor that a session owns."""
        for cursor_id in [number for number, cursor in list(self._cursors.items()) if cursor.lsid == lsid]:
            self.kill(cursor_id)

    def drop_idle(self) -> None:
        """Drop the cursors that nobody has used for the idle time; those of sessions end with their session."""
        limit = time.monotonic() - self._idle_seconds_max
        for cursor_id, cursor in list(self._cursors.items()):
            if cursor.last_used < limit and cursor_id not in self._lent:
                self.kill(cursor_id)

    def count(self) -> int:
        return len(self._cursors)

    def close(self) -> None:
        for cursor_id in list(self._cursors):
            self.kill(cursor_id)
