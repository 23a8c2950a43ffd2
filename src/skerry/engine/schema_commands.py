"""Collections, views, indexes and databases: created, changed, listed and dropped."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bson.binary import UUID_SUBTYPE, Binary
from bson.int64 import Int64

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine import transaction_schema
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CreateIndexesResult
from skerry.engine.schema_changes import SchemaChange, check_user_namespace
from skerry.engine.storage_engine import StorageEngine
from skerry.errors import (
    CommandNotSupportedOnViewError,
    NamespaceNotFoundError,
    OperationNotSupportedInTransactionError,
)
from skerry.indexes.index_descriptor import ID_INDEX
from skerry.storage import WriteView
from skerry.values.namespace import Namespace

R = TypeVar("R")


class SchemaCommands:
    """The commands of one engine that change or show structure. Of the changing ones, only creating works in a transaction."""

    def __init__(self, engine: StorageEngine) -> None:
        self._engine = engine

    def create_collection(self, namespace: Namespace, options: Mapping[str, Any], ctx: OperationContext) -> None:
        """Create a collection or a view (`viewOn`). Raises `NamespaceExistsError`, and what the options' check raises."""
        if ctx.transaction is not None:
            transaction_schema.create_collection(ctx.transaction, namespace, options)
        else:
            self._change(ctx, lambda change: change.create_collection(namespace, options))

    def drop_collection(self, namespace: Namespace, ctx: OperationContext) -> dict[str, Any]:
        """Drop a collection; return `{nIndexesWas, ns}`, or {} when there was none, as the server has it since 7.0."""
        check_user_namespace(namespace)
        dropped = self._change(ctx, lambda change: change.drop_collection(namespace))
        return {} if dropped is None else {"nIndexesWas": dropped, "ns": str(namespace)}

    def drop_database(self, db: str, ctx: OperationContext) -> bool:
        """Drop all collections of a database; false when there was none."""
        return self._change(ctx, lambda change: change.drop_database(db))

    def rename_collection(
        self, source: Namespace, target: Namespace, *, drop_target: bool, ctx: OperationContext
    ) -> None:
        """Raises `NamespaceNotFoundError`, `NamespaceExistsError`, `IllegalOperationError`."""
        for namespace in (source, target):
            check_user_namespace(namespace)
        self._change(ctx, lambda change: change.rename_collection(source, target, drop_target=drop_target))

    def modify_collection(self, namespace: Namespace, changes: Mapping[str, Any], ctx: OperationContext) -> None:
        """`collMod`. Raises `NamespaceNotFoundError`, and an error that names what cannot be changed."""
        self._change(ctx, lambda change: change.modify_collection(namespace, changes))

    def create_indexes(
        self, namespace: Namespace, specs: Sequence[Mapping[str, Any]], ctx: OperationContext
    ) -> CreateIndexesResult:
        """Create and build indexes. Raises what `SchemaChange.create_indexes` raises."""
        if ctx.transaction is not None:
            return transaction_schema.create_indexes(ctx.transaction, namespace, specs)
        return self._change(ctx, lambda change: change.create_indexes(namespace, specs))

    def drop_indexes(
        self, namespace: Namespace, selector: str | Mapping[str, Any] | Sequence[str], ctx: OperationContext
    ) -> int:
        """Drop indexes; return how many there were before."""
        return self._change(ctx, lambda change: change.drop_indexes(namespace, selector))

    def list_collections(self, db: str) -> list[dict[str, Any]]:
        """Return the documents of `listCollections`, by name."""
        return [_collection_document(entry) for entry in self._entries(db)]

    def list_indexes(self, namespace: Namespace) -> list[dict[str, Any]]:
        """Return the documents of `listIndexes`. Raises `NamespaceNotFoundError`."""
        with self._engine.catalogue() as (view, catalog):
            entry = catalog.snapshot(view).get(namespace)
        if entry is None:
            raise NamespaceNotFoundError(f"ns does not exist: {namespace}")
        if "viewOn" in entry.options:
            raise CommandNotSupportedOnViewError(f"Namespace {namespace} is a view, not a collection")
        return [ID_INDEX.to_spec(), *(index.descriptor.to_spec() for index in entry.indexes)]

    def list_databases(self) -> list[dict[str, Any]]:
        """Return name, size (document bytes) and emptiness of every database, by name."""
        with self._engine.read() as view:
            sizes = view.rows("SELECT db, sum(document_bytes) FROM collection GROUP BY db ORDER BY db")
        return [{"name": db, "sizeOnDisk": Int64(size), "empty": False} for db, size in sizes]

    def _entries(self, db: str) -> list[CatalogEntry]:
        with self._engine.catalogue() as (view, catalog):
            return catalog.snapshot(view).in_database(db)

    def _change(self, ctx: OperationContext, change: Callable[[SchemaChange], R]) -> R:
        if ctx.transaction is not None:
            raise OperationNotSupportedInTransactionError(
                "Changes of collections and indexes are not supported in a multi-document transaction"
            )

        def job(view: WriteView) -> R:
            changes = SchemaChange(view, self._engine.catalog, ctx.origin, self._engine.observers)
            result = change(changes)
            changes.finish()
            return result

        return self._engine.write(job, ctx)


def _collection_document(entry: CatalogEntry) -> dict[str, Any]:
    is_view = "viewOn" in entry.options
    document: dict[str, Any] = {
        "name": entry.namespace.coll,
        "type": "view" if is_view else "collection",
        "options": dict(entry.options),
        "info": {"readOnly": is_view},
    }
    if not is_view:
        document["info"]["uuid"] = Binary(entry.uuid, UUID_SUBTYPE)
        document["idIndex"] = ID_INDEX.to_spec()
    return document
