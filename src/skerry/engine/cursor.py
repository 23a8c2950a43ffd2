"""An open cursor: the rest of a result, and where it is held until the client asks for more.

Documents leave as raw BSON. A cursor is used by one thread at a time (`CursorRegistry` sees to that).
"""

import time
from collections.abc import Iterator
from typing import Any

from skerry.engine.operation_context import OperationContext
from skerry.errors import CursorKilledError
from skerry.planner.query_solution import QuerySolution
from skerry.values.namespace import Namespace


class ActiveOperation:
    """The operation that a cursor works for at the moment; changes with each `getMore`."""

    __slots__ = ("context", "is_killed")

    def __init__(self, context: OperationContext) -> None:
        self.context = context
        self.is_killed = False

    def check(self, examined: int = 0, solution: QuerySolution | None = None) -> None:
        """Raise when the current operation is out of time, or its cursor has been killed; count as its context does."""
        if self.is_killed:
            raise CursorKilledError("the cursor was killed while it was in use")
        self.context.check(examined, solution)


class Cursor:
    """A result that is fetched batch by batch. `id` is 0 until the registry keeps it for a later `getMore`."""

    is_tailable = False
    ends_when_idle = True

    def __init__(self, namespace: Namespace, items: Iterator[bytes], operation: ActiveOperation) -> None:
        self.namespace = namespace
        self.id = 0
        self.lsid = operation.context.lsid
        self.client = operation.context.client
        self.needs = operation.context.needs
        self.txn_number = operation.context.txn_number if operation.context.transaction is not None else None
        self.exhausted = False
        self.last_used = time.monotonic()
        self._operation = operation
        self._items = items
        self._held: bytes | None = None

    @property
    def post_batch_resume_token(self) -> dict[str, Any] | None:
        """A change stream's position after the newest batch; None for other cursors."""
        return None

    def next_batch(self, max_documents: int | None, max_bytes: int, ctx: OperationContext) -> list[bytes]:
        """Return up to `max_documents` raw documents of up to `max_bytes` together, at least one when there is one."""
        self._operation.context = ctx
        self.last_used = time.monotonic()
        batch: list[bytes] = []
        size = 0
        if max_documents == 0:
            return batch
        items = self._items
        while True:
            raw = self._held if self._held is not None else next(items, None)
            self._held = None
            if raw is None:
                self.exhausted = True
                return batch
            size += len(raw)
            if batch and (size > max_bytes or len(batch) == max_documents):
                self._held = raw
                return batch
            batch.append(raw)

    def await_data(self, seconds: float) -> None:
        """Wait until there may be more; only tailable cursors do."""

    def kill(self) -> None:
        """Have the operation that is using the cursor end with `CursorKilledError`, as soon as it looks. From any thread."""
        self._operation.is_killed = True

    def close(self) -> None:
        """Let go of what the cursor holds."""
        self.exhausted = True
        close = getattr(self._items, "close", None)
        if close is not None:
            close()
