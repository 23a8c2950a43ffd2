"""One run of a coordinated operation: what its callback is handed, and who keeps its lease alive meanwhile."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from skerry.catalog.index_records import CommitGuard, Lease
from skerry.errors import CoordinationTimeoutError

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

WAKES_A_LEASE: Final = 4
"""A lease is renewed when a quarter of it is over at the latest: two renewals may fail before it is lost."""


class CoordinatedOperation:
    """An operation that runs. Its writes belong to its transaction: pass `session=operation.session` to every one of them.

    `session` is None when coordination is switched off; otherwise `id`, which owns the lease, is the session's. `attempt`
    counts from 1; `was_reloaded` says that somebody else had changed the collection since this coordinator last saw it.
    """

    def __init__(self, name: str, collection: "Collection[Any]", timeout_ms: int) -> None:
        self.name = name
        self.id = uuid.uuid4().hex
        self.collection = collection
        self.timeout_ms = timeout_ms
        self.session: ClientSession | None = None
        self.lease: Lease | None = None
        self.guard: CommitGuard | None = None
        self.gives_lease_back = False
        self.is_committed = False
        self.attempt = 1
        self.was_reloaded = False
        self.has_lost_lease = False
        self._deadline = time.monotonic() + timeout_ms / 1000

    @property
    def remaining_ms(self) -> float:
        """How much of the operation's time is left, 0 when none is."""
        return max(0.0, (self._deadline - time.monotonic()) * 1000)

    def check(self) -> None:
        """Raise `CoordinationTimeoutError` when the time is over or the lease is lost. Call it in long loops."""
        if self.remaining_ms <= 0:
            raise CoordinationTimeoutError(self.name, self.timeout_ms, "out of time; nothing was written")
        if self.has_lost_lease:
            raise CoordinationTimeoutError(self.name, self.timeout_ms, "its lease has passed on; nothing was written")


class LeaseKeeper:
    """Renews the leases of the operations that it watches, until they are forgotten.

    One thread, which starts with an operation and ends when it wakes and none is left: a thread for each operation would cost
    more than the rest of a short one (measured: 0.2 ms).
    """

    def __init__(self, renew: Callable[[str], bool], lease_ms: float, logger: logging.Logger) -> None:
        """`renew` is given an operation's id and says whether the lease is still its own."""
        self._renew = renew
        self._pause_seconds = lease_ms / 1000 / WAKES_A_LEASE
        self._logger = logger
        self._lock = threading.Lock()
        self._operations: dict[str, CoordinatedOperation] = {}
        self._thread: threading.Thread | None = None

    def watch(self, operation: CoordinatedOperation) -> None:
        """Keep the operation's lease, which has just been taken."""
        with self._lock:
            self._operations[operation.id] = operation
            if self._thread is None or not self._thread.is_alive():  # after a fork it is there and dead
                self._thread = threading.Thread(target=self._run, name="skerry-lease", daemon=True)
                self._thread.start()

    def forget(self, operation: CoordinatedOperation) -> None:
        """Renew no more."""
        with self._lock:
            self._operations.pop(operation.id, None)

    def _run(self) -> None:
        while True:
            time.sleep(self._pause_seconds)
            with self._lock:
                operations = list(self._operations.values())
                if not operations:
                    self._thread = None
                    return
            for operation in operations:
                self._keep(operation)

    def _keep(self, operation: CoordinatedOperation) -> None:
        try:
            if not self._renew(operation.id):
                operation.has_lost_lease = True
        except Exception as error:  # the next renewal may succeed; if none does, the lease runs out and the fence holds
            self._logger.warning("the lease of operation %r was not renewed: %s", operation.name, error)
