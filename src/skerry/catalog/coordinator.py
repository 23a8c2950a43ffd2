"""`CollectionCoordinator`: operations on one collection, one after the other, whichever process they run in.

An operation takes the collection's lease, makes sure that it works on what was last committed, runs in a transaction, renews the
metadata, and gives the lease back. What it wrote is committed only while the lease is its own: the check is part of the
transaction, so an operation that was stopped and came back too late writes nothing, whatever it believes.
"""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from pymongo.errors import OperationFailure, PyMongoError

from skerry.catalog.coordinated_operation import CoordinatedOperation, LeaseKeeper
from skerry.catalog.index_records import CommitGuard
from skerry.catalog.late_sessions import end_session_of
from skerry.catalog.master_index import MasterIndex
from skerry.errors import (
    ConfigurationError,
    CoordinationError,
    CoordinationTimeoutError,
    LockAcquisitionFailureError,
    LockTimeoutError,
    ModificationConflictError,
    coordination_error_of,
)

if TYPE_CHECKING:
    from pymongo.collection import Collection

T = TypeVar("T")

Strategy = Literal["reload", "last_write_wins"]
_STRATEGIES: Final = ("reload", "last_write_wins")
_TRANSIENT: Final = "TransientTransactionError"
_RELOADED_RUNS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorSettings:
    """How a coordinator waits and what it does about conflicts; times in milliseconds.

    `strategy`: "reload" starts an operation that meets another's commit once more on what is there now, and then gives up with
    `ModificationConflictError`; "last_write_wins" heeds no token and only repeats what collides document by document.
    `retry_attempts`: how often to ask for the lease; None is as often as the time allows.
    """

    enabled: bool = True
    strategy: Strategy = "reload"
    timeout_ms: int = 30_000
    lease_ms: int = 30_000
    retry_attempts: int | None = None
    retry_delay_ms: float = 2
    retry_delay_ms_max: float = 50

    def __post_init__(self) -> None:
        if self.strategy not in _STRATEGIES:
            raise ConfigurationError("strategy", self.strategy, " or ".join(_STRATEGIES))
        for name in ("timeout_ms", "lease_ms", "retry_delay_ms", "retry_delay_ms_max"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ConfigurationError(name, value, "milliseconds, more than 0")
        if self.retry_attempts is not None and self.retry_attempts < 1:
            raise ConfigurationError("retry_attempts", self.retry_attempts, "1 or more, or None")


class CollectionCoordinator:
    """Coordinates the operations on one collection. Any thread may use it; operations of one process wait for each other too.

    `collection` comes from `connect()` or from any server's client; `master_index` defaults to the index of its database.
    `on_reload` is called when the collection was changed by somebody else since this coordinator last saw it, with the lease
    held: there the caller reads anew what it keeps in memory. The other collaborators are for tests.
    """

    def __init__(
        self,
        collection: "Collection[Any]",
        master_index: MasterIndex | None = None,
        *,
        settings: CoordinatorSettings | None = None,
        on_reload: Callable[["Collection[Any]"], object] | None = None,
        logger: logging.Logger | None = None,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
        **options: Any,
    ) -> None:
        """`options` are the fields of `CoordinatorSettings`. Raises `ConfigurationError`, `MasterIndexError`."""
        self.settings = _settings(settings, options)
        self.collection = collection
        self.name = collection.name
        self._on_reload = on_reload
        self._logger = logger or logging.getLogger("skerry.coordinator")
        self._sleep = sleep
        self._jitter = jitter
        self._token: str | None = None
        if self.settings.enabled:
            self.master_index = master_index or MasterIndex(collection.database)
            if self.master_index.database_name != collection.database.name:
                raise ConfigurationError("master_index", self.master_index.database_name, collection.database.name)
            self._token = self._current_token()
            self._keeper = LeaseKeeper(self._renew, self.settings.lease_ms, self._logger)

    @overload
    def coordinate(self, operation_name: str) -> AbstractContextManager[CoordinatedOperation]: ...

    @overload
    def coordinate(self, operation_name: str, callback: Callable[[CoordinatedOperation], T]) -> T: ...

    def coordinate(
        self, operation_name: str, callback: Callable[[CoordinatedOperation], T] | None = None
    ) -> T | AbstractContextManager[CoordinatedOperation]:
        """Run `callback` under the lease and in one transaction, and return its result; or do so with a `with` block.

        A block cannot be run again, so its first conflict is final. Raises `LockAcquisitionFailureError`,
        `ModificationConflictError`, `CoordinationTimeoutError`, `MasterIndexError`, and unchanged what the callback raises;
        in every case nothing is written and the lease is free.
        """
        if not isinstance(operation_name, str) or not operation_name:
            raise ConfigurationError("operation_name", operation_name, "a string that is not empty")
        if callback is not None and not callable(callback):
            raise ConfigurationError("callback", callback, "a function of the operation")
        operation = CoordinatedOperation(operation_name, self.collection, int(self.settings.timeout_ms))
        if not self.settings.enabled:
            return contextlib.nullcontext(operation) if callback is None else callback(operation)
        if callback is None:
            return self._coordinated(operation)
        while True:
            try:
                with self._coordinated(operation):
                    return callback(operation)
            except ModificationConflictError:
                if self.settings.strategy == "reload" and operation.attempt >= _RELOADED_RUNS:
                    raise
                operation.check()
                operation.attempt += 1

    def has_conflict(self) -> bool:
        """Whether somebody else has changed the collection since this coordinator last saw it."""
        return self._current_token() != self._token

    def resolve_conflict(self) -> None:
        """Take the collection as it is now; with the strategy "reload" the caller reads it anew as well."""
        self._take_as_it_is(self._current_token())

    def validate_modification_token(self, local: str | None, remote: str | None) -> None:
        """Raise `ModificationConflictError` when the index has another token than the one known here."""
        if remote is not None and remote != local:
            reason = "it was changed again while it was read anew"
            raise ModificationConflictError(self.name, local, remote, reason)

    @contextlib.contextmanager
    def _coordinated(self, operation: CoordinatedOperation) -> Iterator[CoordinatedOperation]:
        with self._session(operation):
            self._acquire(operation)
            try:
                self._validate_token(operation)
                with self._transaction(operation):
                    yield operation
                    self._update_metadata(operation)
            finally:
                self._release(operation)

    @contextlib.contextmanager
    def _session(self, operation: CoordinatedOperation) -> Iterator[None]:
        """Give the operation a session, whose id is its own: whoever finds its lease expired can end its transaction."""
        with self.collection.database.client.start_session() as session:
            operation.session = session
            operation.id = session.session_id["id"].hex()
            try:
                yield
            finally:
                operation.session = None

    def _acquire(self, operation: CoordinatedOperation) -> None:
        """Take the lease. Raises `LockAcquisitionFailureError`, `CoordinationTimeoutError`."""
        settings, lease_ms, asked = self.settings, int(self.settings.lease_ms), 0
        while True:
            try:
                operation.lease = self.master_index.take_lease(self.name, operation.id, lease_ms)
            except LockTimeoutError as error:
                raise CoordinationTimeoutError(operation.name, operation.timeout_ms, str(error)) from error
            if operation.lease is not None:
                break
            asked += 1
            if settings.retry_attempts is not None and asked >= settings.retry_attempts:
                raise LockAcquisitionFailureError(self.name, f"held by another operation, asked {asked} times")
            delay_ms = self._jitter() * min(settings.retry_delay_ms_max, settings.retry_delay_ms * 2 ** min(asked, 30))
            if delay_ms >= operation.remaining_ms:
                reason = f"held by another operation for the whole {operation.timeout_ms} ms"
                raise LockAcquisitionFailureError(self.name, reason)
            self._sleep(delay_ms / 1000)
        self._keeper.watch(operation)
        if operation.lease.displaced_owner is not None:
            end_session_of(self.collection.database.client, operation.lease.displaced_owner)

    def _validate_token(self, operation: CoordinatedOperation) -> None:
        assert operation.lease is not None
        if operation.lease.modification_token != self._token:
            operation.was_reloaded = True
            if self._take_as_it_is(operation.lease.modification_token):
                self.validate_modification_token(self._token, self._current_token())

    def _take_as_it_is(self, token: str | None) -> bool:
        """Go on from this token; whether the caller has read anew, which takes time in which it may change again."""
        self._token = token
        if self.settings.strategy != "reload" or self._on_reload is None:
            return False
        self._on_reload(self.collection)
        return True

    def _renew(self, operation_id: str) -> bool:
        return self.master_index.renew_lock(self.name, operation_id, int(self.settings.lease_ms))

    def _current_token(self) -> str | None:
        return self.master_index.modification_token(self.name)

    @contextlib.contextmanager
    def _transaction(self, operation: CoordinatedOperation) -> Iterator[None]:
        """Commit what the block did, or nothing of it."""
        session = operation.session
        assert session is not None
        session.start_transaction()
        try:
            yield
            session.commit_transaction()
        except PyMongoError as error:
            meaning = self._meaning(operation, error)
            if meaning is error:
                raise
            raise meaning from error
        finally:
            if session.in_transaction:
                with contextlib.suppress(PyMongoError):  # it may have ended by itself, or the server be gone
                    session.abort_transaction()
        self._settle(operation)

    def _update_metadata(self, operation: CoordinatedOperation) -> None:
        """Renew token and history with the commit, which then succeeds only under the lease."""
        operation.check()
        assert operation.lease is not None
        assert operation.session is not None
        guard = CommitGuard(
            self.name,
            operation.id,
            operation.lease.fencing_number,
            operation.name,
            operation.timeout_ms,
            self.settings.strategy == "reload",
            self._token,
            self.master_index.generate_modification_token(),
        )
        operation.gives_lease_back = self.master_index.store.guard(operation.session, guard)
        operation.guard = guard

    def _settle(self, operation: CoordinatedOperation) -> None:
        """Remember the state that is now committed as the one that is known here."""
        assert operation.guard is not None
        operation.is_committed = True
        self._token = operation.guard.new_token
        try:
            self.master_index.store.settle(operation.guard, self.collection)
        except PyMongoError as error:  # the operation is committed; the next one counts again
            self._logger.warning("operation %r: the documents were not counted: %s", operation.name, error)

    def _release(self, operation: CoordinatedOperation) -> None:
        self._keeper.forget(operation)
        if operation.is_committed and operation.gives_lease_back:
            return
        try:
            self.master_index.release_lock(self.name, operation.id)
        except CoordinationError as error:  # the lease ends by itself; what the operation did or raised counts more
            self._logger.warning("the lease of operation %r was not given back: %s", operation.name, error)

    def _meaning(self, operation: CoordinatedOperation, error: PyMongoError) -> Exception:
        """Say what a failure of the driver means; the failure itself when it means nothing more."""
        if isinstance(error, OperationFailure):
            told = coordination_error_of(error.details or {})
            if told is not None:
                return told
        if not error.has_error_label(_TRANSIENT):
            return error
        try:
            operation.check()
            lease = self.master_index.store.lease(self.name)
        except (CoordinationError, PyMongoError) as reason:
            return reason
        if lease is None or operation.lease is None or lease.fencing_number != operation.lease.fencing_number:
            return CoordinationTimeoutError(operation.name, operation.timeout_ms, "its lease has passed on")
        token = self._current_token()
        return ModificationConflictError(self.name, self._token, token, str(error))


def _settings(settings: CoordinatorSettings | None, options: dict[str, Any]) -> CoordinatorSettings:
    if settings is not None and options:
        raise ConfigurationError("settings", sorted(options), "either settings or single options")
    try:
        return settings or CoordinatorSettings(**options)
    except TypeError as error:
        raise ConfigurationError("settings", sorted(options), str(error)) from error
