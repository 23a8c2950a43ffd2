"""A lock that is given to whoever has waited longest, so that a busy push does not keep events from being applied.

Those who ask for it `shared` have it together, unless somebody who wants it alone came before them.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class FairLock:
    """A context manager: its owner has the lock alone, and may take it again. Who waits gets it in the order of coming."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._owner: int | None = None
        self._depth = 0
        self._sharing = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._condition:
            if self._owner != me:
                self._wait(alone=True)
                self._owner = me
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._condition:
            self._depth -= 1
            if self._depth == 0:
                self._owner = None
                self._condition.notify_all()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Have the lock together with others who share it; whoever has it so must not ask for it alone."""
        with self._condition:
            self._wait(alone=False)
            self._sharing += 1
            self._condition.notify_all()  # the next in the line may want to share, too
        try:
            yield
        finally:
            with self._condition:
                self._sharing -= 1
                self._condition.notify_all()

    def _wait(self, *, alone: bool) -> None:
        ticket = object()
        self._waiting.append(ticket)
        self._condition.wait_for(
            lambda: self._waiting[0] is ticket and self._owner is None and not (alone and self._sharing)
        )
        self._waiting.popleft()
