"""Tells waiting change streams that something was committed.

Commits of this process are signalled at once. Those of other processes on the same directory are seen by asking the store
every `POLL_SECONDS`, only while somebody waits.
"""

import threading
from collections.abc import Callable
from typing import Final

POLL_SECONDS: Final = 0.05


class CommitSignal:
    """A counter of commits that can be waited on by threads, or subscribed to by an event loop."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._commits = 0
        self._waiters = 0
        self._subscribers: tuple[Callable[[], None], ...] = ()

    def notify(self) -> None:
        """A commit was made."""
        self._commits += 1
        if self._waiters:
            with self._condition:
                self._condition.notify_all()
        for subscriber in self._subscribers:
            subscriber()

    @property
    def commits(self) -> int:
        return self._commits

    def wait(self, seen: int, seconds: float) -> None:
        """Return when there was a commit since `commits` was `seen`, at the latest after `seconds` or the polling time."""
        with self._condition:
            self._waiters += 1
            try:
                if self._commits == seen:
                    self._condition.wait(min(seconds, POLL_SECONDS))
            finally:
                self._waiters -= 1

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (from the committing thread) after each commit; return how to stop that."""
        with self._condition:
            self._subscribers = (*self._subscribers, callback)

        def unsubscribe() -> None:
            with self._condition:
                self._subscribers = tuple(each for each in self._subscribers if each is not callback)

        return unsubscribe
