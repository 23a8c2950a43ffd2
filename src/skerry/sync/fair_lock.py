"""A lock that is given to whoever has waited longest, so that a busy push does not keep events from being applied."""

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """A reentrant context manager; waiting threads get it in the order in which they came."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._condition:
            if self._owner != me:
                ticket = object()
                self._waiting.append(ticket)
                self._condition.wait_for(lambda: self._owner is None and self._waiting[0] is ticket)
                self._waiting.popleft()
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
