"""Where a master index is kept: the one seam between what it means (`master_index`) and where it lies.

Every method is one atomic step of the store, reads what others have committed up to now, and goes by the store's clock, never
the caller's. Names are those of one database's collections; a lease may be taken on any name. Failures of the store itself
pass as the store raises them (`StorageError`, `PyMongoError`); `MasterIndex` says `MasterIndexError`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from skerry.catalog.index_records import Change, CollectionRecord, CommitGuard, Lease

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection


MASTER_INDEX_KEY: Final = "GASDB_MASTER_INDEX"
"""The collection that has the index where the store is a MongoDB, unless another name was asked for."""


class IndexStore(Protocol):
    """Keeps the index of one database.

    `fields` are named as in the index document (`fileId`, `created`, `lastModified`, `documentCount`, `modificationToken`, and
    any others); times are milliseconds. What the store knows by itself it does not take from `fields`.
    """

    @property
    def database_name(self) -> str:
        """The database whose collections these are."""
        ...

    def collection(self, name: str) -> CollectionRecord | None:
        """Return one collection, None when there is none of that name."""
        ...

    def collections(self) -> list[CollectionRecord]:
        """Return all collections by name."""
        ...

    def add(self, name: str, fields: Mapping[str, Any]) -> CollectionRecord:
        """Add a collection, or write over what is said of it."""
        ...

    def update(self, name: str, fields: Mapping[str, Any], operation: str) -> CollectionRecord | None:
        """Change what is said of a collection, and remember it as `operation`; None when there is no such collection."""
        ...

    def remove(self, name: str) -> bool:
        """Remove a collection with its history and lease; false when there was none."""
        ...

    def history(self, name: str) -> list[Change]:
        """Return the newest `HISTORY_LENGTH` changes, oldest first."""
        ...

    def leases(self) -> list[Lease]:
        """Return every lease that nobody has given back, also those that have expired."""
        ...

    def lease(self, name: str) -> Lease | None:
        """Return the lease on `name`, also one that has expired."""
        ...

    def take_lease(self, name: str, owner: str, duration_ms: int) -> Lease | None:
        """Take the lease, None while a live one exists, even of the same owner. It tells the collection's token."""
        ...

    def renew_lease(self, name: str, owner: str, duration_ms: int) -> bool:
        """Let the owner's live lease expire `duration_ms` from now; false when it has none."""
        ...

    def release_lease(self, name: str, owner: str) -> bool:
        """Give the lease back; false when it is not the owner's."""
        ...

    def drop_expired_leases(self) -> int:
        """Remove the leases that have expired; return how many."""
        ...

    def guard(self, session: "ClientSession", guard: CommitGuard) -> bool:
        """Make the session's transaction fail to commit unless the guard holds then; with it the metadata are renewed.

        Returns whether the commit also gives the lease back.
        Raises, here or at the commit, `CoordinationTimeoutError` when the lease has passed on, `ModificationConflictError`
        when the token is another, or a driver error with the label TransientTransactionError.
        """
        ...

    def settle(self, guard: CommitGuard, collection: "Collection[Any]") -> None:
        """Note after the commit what the store cannot count itself."""
        ...

    def flush(self) -> None:
        """Return when all that was written so far is safe."""
        ...

    def close(self) -> None:
        """Let go of what the store itself has opened."""
        ...
