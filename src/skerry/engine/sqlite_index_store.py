"""The master index inside `skerry.db`: the very tables that the engine goes by, so there is nothing to keep in step.

In the engine and not in the catalogue, because adding and removing a collection here is creating and dropping it, oplog entry
included. The store counts documents itself and makes the files itself: `fileId`, `documentCount` and `lockStatus` that somebody
hands in do not replace the facts.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from skerry.catalog import leases, modification_history, modification_token
from skerry.catalog.command_index_store import send_guard
from skerry.catalog.index_records import ADD_COLLECTION, Change, CollectionRecord, CommitGuard, Lease
from skerry.config.engine_config import EngineConfig
from skerry.engine.operation_context import OperationContext
from skerry.engine.schema_changes import SchemaChange, check_user_namespace
from skerry.engine.storage_engine import StorageEngine
from skerry.storage import ReadView, WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

T = TypeVar("T")

_FACTS: Final = frozenset({"name", "fileId", "documentCount", "lockStatus"})
_DESCRIPTION: Final = frozenset({"created", "lastModified", "modificationToken"})
_SELECT: Final = (
    "SELECT file_id, name, created, last_modified, document_count, modification_token, extra"
    " FROM collection WHERE db = ?"
)


class SqliteIndexStore:
    """The index of one database in a data directory; any thread may use it, any number of processes may have one."""

    def __init__(self, engine: StorageEngine | str | Path, database_name: str) -> None:
        """Use an open engine, or open the directory; then `close` closes it. Raises what opening raises."""
        self._owns_engine = not isinstance(engine, StorageEngine)
        self._engine = engine if isinstance(engine, StorageEngine) else StorageEngine(engine, EngineConfig())
        self._db = database_name

    @property
    def database_name(self) -> str:
        return self._db

    def collection(self, name: str) -> CollectionRecord | None:
        with self._engine.read() as view:
            return self._record(view, name)

    def collections(self) -> list[CollectionRecord]:
        with self._engine.read() as view:
            held = {lease.name: lease for lease in leases.read_all(view, self._db)}
            return [_record(row, held.get(row[1])) for row in view.rows(_SELECT + " ORDER BY name", (self._db,))]

    def add(self, name: str, fields: Mapping[str, Any]) -> CollectionRecord:
        """Create the collection. Raises `InvalidNamespaceError`."""
        namespace = Namespace.checked(self._db, name)
        check_user_namespace(namespace)

        def job(view: WriteView) -> CollectionRecord:
            if self._engine.catalog.snapshot(view).get(namespace) is None:
                change = SchemaChange(view, self._engine.catalog, "")
                change.create_collection(namespace, {})
                change.finish()
            return self._describe(view, name, fields, ADD_COLLECTION)

        return self._engine.write(job, OperationContext())

    def update(self, name: str, fields: Mapping[str, Any], operation: str) -> CollectionRecord | None:
        def job(view: WriteView) -> CollectionRecord | None:
            return None if self._record(view, name) is None else self._describe(view, name, fields, operation)

        return self._write(job)

    def remove(self, name: str) -> bool:
        """Drop the collection with its documents."""
        namespace = Namespace(self._db, name)
        check_user_namespace(namespace)

        def job(view: WriteView) -> bool:
            leases.release(view, self._db, name, None)
            change = SchemaChange(view, self._engine.catalog, "")
            dropped = change.drop_collection(namespace)
            change.finish()
            return dropped is not None

        return self._engine.write(job, OperationContext())

    def history(self, name: str) -> list[Change]:
        with self._engine.read() as view:
            row = view.row("SELECT file_id FROM collection WHERE db = ? AND name = ?", (self._db, name))
            return [] if row is None else modification_history.read(view, row[0])

    def leases(self) -> list[Lease]:
        with self._engine.read() as view:
            return leases.read_all(view, self._db)

    def lease(self, name: str) -> Lease | None:
        with self._engine.read() as view:
            return leases.read(view, self._db, name)

    def take_lease(self, name: str, owner: str, duration_ms: int) -> Lease | None:
        held = self.lease(name)
        if held is not None and held.is_live:
            return None  # those who wait do not stand in the way of the holder's own writes
        return self._write(lambda view: leases.take(view, self._db, name, owner, duration_ms))

    def renew_lease(self, name: str, owner: str, duration_ms: int) -> bool:
        return self._write(lambda view: leases.renew(view, self._db, name, owner, duration_ms))

    def release_lease(self, name: str, owner: str) -> bool:
        return self._write(lambda view: leases.release(view, self._db, name, owner))

    def drop_expired_leases(self) -> int:
        return self._write(lambda view: leases.drop_expired(view, self._db))

    def guard(self, session: "ClientSession", guard: CommitGuard) -> bool:
        send_guard(session, self._db, guard)
        return True

    def settle(self, guard: CommitGuard, collection: "Collection[Any]") -> None:
        """Nothing: the commit has counted."""

    def flush(self) -> None:
        self._engine.store.flush()

    def close(self) -> None:
        if self._owns_engine:
            self._engine.close()

    def _write(self, job: Callable[[WriteView], T]) -> T:
        # Not waiting for the disk: no holder of a lease outlives a power failure, and what is only said of a collection may wait.
        return self._engine.store.write(job, durable=False)

    def _record(self, view: ReadView, name: str) -> CollectionRecord | None:
        row = view.row(_SELECT + " AND name = ?", (self._db, name))
        return None if row is None else _record(row, leases.read(view, self._db, name))

    def _describe(self, view: WriteView, name: str, fields: Mapping[str, Any], operation: str) -> CollectionRecord:
        catalog, namespace = self._engine.catalog, Namespace(self._db, name)
        file_id = catalog.snapshot(view).require(namespace).file_id
        before = self._record(view, name)
        assert before is not None
        extra = {key: value for key, value in fields.items() if key not in _FACTS | _DESCRIPTION}
        catalog.describe(
            view,
            file_id,
            token=fields.get("modificationToken") or modification_token.generate(view.wall_ms),
            last_modified_ms=fields.get("lastModified", view.wall_ms),
            created_ms=fields.get("created"),
            extra={**before.extra, **extra} if extra else None,
        )
        modification_history.record(view, file_id, operation, fields)
        after = self._record(view, name)
        assert after is not None
        return after


def _record(row: tuple[Any, ...], lease: Lease | None) -> CollectionRecord:
    file_id, name, created_ms, last_modified_ms, document_count, token, extra = row
    return CollectionRecord(
        name,
        f"c_{file_id}",
        created_ms,
        last_modified_ms,
        document_count,
        token,
        lease,
        documents.decode(extra) if extra else {},
    )
