"""`MasterIndex`: which collections a database has, which version each has, and who may change it now.

A thin face over an `IndexStore`: nothing is kept here, so every answer is what all instances have committed up to now. On a
skerry the store is the engine's own catalogue; on another MongoDB it is a collection there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from skerry.catalog import modification_token
from skerry.catalog.default_index_store import default_index_store
from skerry.catalog.index_records import CONFLICT_RESOLVED, UPDATE_METADATA, Lease, iso_of, ms_of, now_ms
from skerry.catalog.index_store import MASTER_INDEX_KEY
from skerry.errors import (
    CollectionNotFoundError,
    CommandError,
    ConfigurationError,
    MasterIndexError,
    StorageError,
    coordination_error_of,
)
from skerry.values.namespace import check_collection_name

if TYPE_CHECKING:
    from skerry.catalog.index_store import IndexStore

LOCK_TIMEOUT_MS: Final = 30_000
LAST_WRITE_WINS: Final = "LAST_WRITE_WINS"
_STRATEGIES: Final = (LAST_WRITE_WINS,)


class MasterIndex:
    """The index of one database. Any thread may use it.

    `target` is a pymongo `Database`, or an `IndexStore`. `master_index_key` names the collection that holds the index on a
    MongoDB that is no skerry; `lock_timeout_ms` is how long a lease lasts. Raises `ConfigurationError` for wrong arguments and
    `MasterIndexError` when the store fails.
    """

    def __init__(
        self,
        target: "IndexStore | Database[Any]",
        *,
        master_index_key: str = MASTER_INDEX_KEY,
        lock_timeout_ms: int = LOCK_TIMEOUT_MS,
        version: int | str = 1,
    ) -> None:
        _check_text("master_index_key", master_index_key)
        if isinstance(lock_timeout_ms, bool) or not isinstance(lock_timeout_ms, int) or lock_timeout_ms < 0:
            raise ConfigurationError("lock_timeout_ms", lock_timeout_ms, "milliseconds, 0 or more")
        self.master_index_key = master_index_key
        self.lock_timeout_ms = lock_timeout_ms
        self.version = version
        if isinstance(target, Database):
            with self._reporting("load"):
                self.store: IndexStore = default_index_store(target, master_index_key)
        else:
            self.store = target

    @property
    def database_name(self) -> str:
        """The database whose collections these are."""
        return self.store.database_name

    def is_initialised(self) -> bool:
        """Whether the index can be read. Raises `MasterIndexError` when it cannot."""
        with self._reporting("load"):
            self.store.leases()
        return True

    # collections

    def add_collection(self, name: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Add a collection, or write over what is said of it, and return its entry."""
        _check_collection(name)
        fields = _fields({} if metadata is None else metadata)
        with self._reporting("addCollection"):
            return self.store.add(name, fields).as_document()

    def add_collections(self, collections: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add several collections and return their entries."""
        if not isinstance(collections, Mapping) or not collections:
            raise ConfigurationError("collections", collections, "a mapping of names to metadata, not empty")
        return [self.add_collection(name, metadata) for name, metadata in collections.items()]

    def get_collection(self, name: str) -> dict[str, Any] | None:
        """Return a collection's entry, None when there is none."""
        _check_text("name", name)
        with self._reporting("getCollection"):
            record = self.store.collection(name)
        return None if record is None else record.as_document()

    def get_collections(self) -> dict[str, dict[str, Any]]:
        """Return every collection's entry by name."""
        with self._reporting("getCollections"):
            return {record.name: record.as_document() for record in self.store.collections()}

    def update_collection_metadata(self, name: str, updates: Mapping[str, Any]) -> dict[str, Any]:
        """Change what is said of a collection and return its entry, which has a new token.

        `lastModified` and `modificationToken` are renewed unless they are among the updates. Raises `CollectionNotFoundError`.
        """
        return self._update(name, updates, UPDATE_METADATA, "updateCollectionMetadata")

    def remove_collection(self, name: str) -> bool:
        """Remove a collection, on a skerry with its documents; false when there was none."""
        _check_text("name", name)
        with self._reporting("removeCollection"):
            return self.store.remove(name)

    # leases

    def acquire_lock(self, name: str, operation_id: str) -> bool:
        """Take the lease on a name, which need not be a collection's; false while a live one exists, even one's own."""
        _check_text("name", name)
        _check_text("operation_id", operation_id)
        return self.take_lease(name, operation_id, self.lock_timeout_ms) is not None

    def take_lease(self, name: str, operation_id: str, duration_ms: int) -> Lease | None:
        """Take the lease for a time of one's own; return it with its fencing number, None while a live one exists."""
        with self._reporting("acquireLock"):
            return self.store.take_lease(name, operation_id, duration_ms)

    def renew_lock(self, name: str, operation_id: str, duration_ms: int | None = None) -> bool:
        """Let one's lease last `duration_ms` (`lock_timeout_ms`) from now; false when it is missing, another's, or expired."""
        _check_text("name", name)
        _check_text("operation_id", operation_id)
        with self._reporting("renewLock"):
            return self.store.renew_lease(name, operation_id, duration_ms or self.lock_timeout_ms)

    def release_lock(self, name: str, operation_id: str) -> bool:
        """Give the lease back; false when there is none or it is another's."""
        _check_text("name", name)
        _check_text("operation_id", operation_id)
        with self._reporting("releaseLock"):
            return self.store.release_lease(name, operation_id)

    def is_locked(self, name: str) -> bool:
        """Whether somebody holds a live lease on the name; false for what is no name."""
        if not isinstance(name, str) or not name:
            return False
        with self._reporting("isLocked"):
            lease = self.store.lease(name)
        return lease is not None and lease.is_live

    def cleanup_expired_locks(self) -> bool:
        """Remove expired leases; whether there were any."""
        with self._reporting("cleanupExpiredLocks"):
            return self.store.drop_expired_leases() > 0

    # conflicts

    def has_conflict(self, name: str, expected_token: str) -> bool:
        """Whether a collection has another token than this one; false for a collection that is not there."""
        _check_text("name", name)
        _check_text("expected_token", expected_token)
        token = self.modification_token(name)
        return token is not None and token != expected_token

    def modification_token(self, name: str) -> str | None:
        """Return the token of a collection's last commit, None when there is no such collection."""
        with self._reporting("getCollection"):
            record = self.store.collection(name)
        return None if record is None else record.modification_token

    def resolve_conflict(
        self, name: str, new_data: Mapping[str, Any], strategy: str = LAST_WRITE_WINS
    ) -> dict[str, Any]:
        """Put what the caller says in place of what is there; return `{success, data, strategy}`.

        Raises `CollectionNotFoundError`, `ConfigurationError` for another strategy.
        """
        if strategy not in _STRATEGIES:
            raise ConfigurationError("strategy", strategy, " or ".join(_STRATEGIES))
        return {
            "success": True,
            "data": self._update(name, new_data, CONFLICT_RESOLVED, "resolveConflict"),
            "strategy": strategy,
        }

    def generate_modification_token(self) -> str:
        """Return a new token: `<milliseconds since 1970>-<base 36>`."""
        return modification_token.generate(now_ms())

    def validate_modification_token(self, token: Any) -> bool:
        """Whether `token` has the shape of a token; never raises."""
        return modification_token.is_valid(token)

    def get_modification_history(self, name: str) -> list[dict[str, Any]]:
        """Return the newest 50 changes of a collection, oldest first: `{operation, timestamp, data}`."""
        _check_text("name", name)
        with self._reporting("getModificationHistory"):
            return [change.as_document() for change in self.store.history(name)]

    # the whole index

    def load(self) -> dict[str, Any]:
        """Read the whole index; the same as `to_dict`, because nothing is kept that could be stale."""
        return self.to_dict()

    def save(self) -> None:
        """Return when every change is safe on disk. Each is committed when it is made: there is nothing else to save."""
        with self._reporting("save"):
            self.store.flush()

    def to_dict(self) -> dict[str, Any]:
        """Return the index as one JSON document: version, lastUpdated, collections, locks, modificationHistory."""
        with self._reporting("load"):
            records = self.store.collections()
            locks = self.store.leases()
            histories = {record.name: self.store.history(record.name) for record in records}
        changed_ms = [record.last_modified_ms for record in records] + [lease.acquired_ms for lease in locks]
        return {
            "version": self.version,
            "lastUpdated": iso_of(max(changed_ms, default=now_ms())),
            "collections": {record.name: record.as_document() for record in records},
            "locks": {lease.name: lease.as_document() for lease in locks},
            "modificationHistory": {
                name: [change.as_document() for change in changes] for name, changes in histories.items() if changes
            },
        }

    def close(self) -> None:
        """Let go of what the store has opened."""
        self.store.close()

    def _update(self, name: str, updates: Mapping[str, Any], operation: str, reported_as: str) -> dict[str, Any]:
        _check_text("name", name)
        fields = _fields(updates)
        with self._reporting(reported_as):
            record = self.store.update(name, fields, operation)
        if record is None:
            raise CollectionNotFoundError(name)
        return record.as_document()

    @contextmanager
    def _reporting(self, operation: str) -> Iterator[None]:
        """Say `MasterIndexError` for whatever the store raises that is not said more precisely."""
        try:
            yield
        except OperationFailure as error:
            raise coordination_error_of(error.details or {}) or MasterIndexError(operation, str(error)) from error
        except (PyMongoError, StorageError, CommandError) as error:
            raise MasterIndexError(operation, str(error)) from error


def _check_text(setting: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(setting, value, "a string that is not empty")


def _check_collection(name: Any) -> None:
    _check_text("name", name)
    try:
        check_collection_name(name)
    except CommandError as error:
        raise ConfigurationError("name", name, "the name of a collection") from error


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as a store takes them: times in milliseconds, the rest as given."""
    if not isinstance(given, Mapping):
        raise ConfigurationError("metadata", given, "a mapping")
    fields = {name: value for name, value in given.items() if name not in ("name", "lockStatus")}
    for name in ("created", "lastModified"):
        if fields.get(name) is None:
            fields.pop(name, None)
        else:
            fields[name] = ms_of(name, fields[name])
    token = fields.get("modificationToken")
    if token is None:
        fields.pop("modificationToken", None)
    elif not modification_token.is_valid(token):
        raise ConfigurationError("modificationToken", token, "a token: milliseconds, a hyphen, base 36 digits")
    return fields
