"""Open cursors by id: who owns them, and when they are dropped for idleness."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from skerry.auth.fair_share import FairShare
from skerry.engine.cursor import Cursor
from skerry.engine.operation_context import ClientKey
from skerry.errors import CommandError, CursorNotFoundError, TemporarilyUnavailableError, UnauthorizedError

CURSOR_IN_USE: Final = 12051
CURSORS_MAX: Final = 10_000
SESSION_SECONDS: Final = 1800.0  # MongoDB's time-out of a session that is neither used nor refreshed


class CursorRegistry:
    """Keeps cursors between batches. Shared by all threads; a cursor is lent to one at a time.

    There are at most `cursors_max` of clients; the owner's are not counted.
    """

    def __init__(self, *, idle_ms_max: int, cursors_max: int = CURSORS_MAX) -> None:
        self._share: FairShare[ClientKey] = FairShare(cursors_max)
        self._cursors: dict[int, Cursor] = {}
        self._lent: set[int] = set()
        self._lock = threading.Lock()
        self._idle_seconds_max = idle_ms_max / 1000

    def keep(self, cursor: Cursor) -> int:
        """Give `cursor` an id, and keep it for later; ids are positive int64 beyond int32, as drivers expect of a server.

        Raises `TemporarilyUnavailableError` when there are too many and none of them is to give way.
        """
        if cursor.client is not None:
            self._make_room(cursor, cursor.client)
        with self._lock:
            if cursor.client is not None:
                self._share.take(cursor.client)
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
                    self._drop(cursor_id)
                    cursor.id = 0
                elif self._cursors.get(cursor_id) is not cursor:
                    cursor.close()  # killed when its batch was already there
            cursor.last_used = time.monotonic()

    def kill(self, cursor_id: int) -> bool:
        """Drop a cursor; false when there is none."""
        with self._lock:
            cursor = self._drop(cursor_id)
            in_use = cursor_id in self._lent
        if cursor is None:
            return False
        if in_use:
            cursor.kill()
        else:
            cursor.close()
        return True

    def sessions(self) -> set[bytes]:
        """Return the sessions that own cursors."""
        return {cursor.lsid for cursor in list(self._cursors.values()) if cursor.lsid is not None}

    def peek(self, cursor_id: int) -> Cursor | None:
        """Return a cursor to look at whose it is, None when there is none."""
        return self._cursors.get(cursor_id)

    def kill_of_session(self, lsid: bytes) -> None:
        """Drop every cursor that a session owns."""
        for cursor_id in [number for number, cursor in list(self._cursors.items()) if cursor.lsid == lsid]:
            self.kill(cursor_id)

    def drop_idle(self) -> None:
        """Drop the cursors that nobody has used for the idle time; those without a time-out live as long as a session."""
        now = time.monotonic()
        for cursor_id, cursor in list(self._cursors.items()):
            limit = self._idle_seconds_max if cursor.ends_when_idle else SESSION_SECONDS
            if now - cursor.last_used > limit and cursor_id not in self._lent:
                self.kill(cursor_id)

    def refresh_session(self, lsid: bytes) -> None:
        """Count a session's cursors as just used."""
        now = time.monotonic()
        for cursor in list(self._cursors.values()):
            if cursor.lsid == lsid and not cursor.ends_when_idle:
                cursor.last_used = now

    def count(self) -> int:
        return len(self._cursors)

    def close(self) -> None:
        for cursor_id in list(self._cursors):
            self.kill(cursor_id)

    def _drop(self, cursor_id: int) -> Cursor | None:
        cursor = self._cursors.pop(cursor_id, None)
        if cursor is not None and cursor.client is not None:
            self._share.give_back(cursor.client)
        return cursor

    def _make_room(self, cursor: Cursor, client: ClientKey) -> None:
        """Drop the cursor that waits the longest of the client who has the most, when all places are taken."""
        with self._lock:
            holder = self._share.must_yield(client)
            if holder is None:
                return
            idle = [
                each for number, each in self._cursors.items() if each.client == holder and number not in self._lent
            ]
            victim = min(idle, key=lambda each: each.last_used, default=None) if holder != client else None
        if victim is None:
            cursor.close()
            raise TemporarilyUnavailableError(f"too many open cursors: the limit is {self._share.places}")
        self.kill(victim.id)
