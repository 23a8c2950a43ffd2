"""A hub without change streams: both sides are compared from time to time, and when somebody waits for it."""

import time
from collections.abc import Callable
from typing import Final

from skerry.sync.full_sync import COPIED_STORE, FullSync
from skerry.sync.link import Link
from skerry.values.namespace import Namespace

PAUSE_SECONDS: Final = 0.1  # also bounds how long stopping takes


class Polling:
    """Plans the walks of one link; used by the thread that pulls, but for `flush`."""

    def __init__(self, link: Link, walk: FullSync, namespaces: Callable[[], list[Namespace]]) -> None:
        self._link = link
        self._walk = walk
        self._namespaces = namespaces
        self._due_at = 0.0
        self._asked = 0  # the number of the newest flush
        self._begun = 0  # the newest flush asked for before the present walk began

    def connected(self, *, is_clone: bool) -> None:
        """Begin with a comparison, after one that was interrupted."""
        self._due_at = 0.0
        if is_clone:
            self._begin(COPIED_STORE)

    def flush(self, number: int) -> None:
        """Ask for a comparison that begins after now."""
        self._asked = number

    def step(self, flushed: int) -> int:
        """Begin a comparison when it is time, else wait a moment; return the newest flush that has been compared."""
        if self._walk.is_pending:
            return flushed
        flushed = max(flushed, self._begun)
        if time.monotonic() >= self._due_at or self._asked > self._begun:
            self._begin("polled")
        else:
            time.sleep(PAUSE_SECONDS)
        return flushed

    def _begin(self, reason: str) -> None:
        self._begun = self._asked
        self._due_at = time.monotonic() + self._link.config.poll_interval_ms / 1000
        self._walk.plan(self._namespaces(), reason, again=True)
