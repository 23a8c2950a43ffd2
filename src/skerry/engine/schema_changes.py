"""Changes of structure: collections, views and indexes come and go, each in one transaction with its oplog entry."""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.catalog.collection_options import check_options
from skerry.engine import oplog
from skerry.engine.collection_changes import CollectionChanges
from skerry.engine.index_builder import build_index
from skerry.engine.op_observer import OpObserver
from skerry.engine.oplog import OplogBuffer
from skerry.engine.requests import CreateIndexesResult
from skerry.errors import (
    BadValueError,
    CommandNotSupportedOnViewError,
    IllegalOperationError,
    IndexKeySpecsConflictError,
    IndexNotFoundError,
    IndexOptionsConflictError,
    InvalidNamespaceError,
    InvalidOptionsError,
    NamespaceExistsError,
    NotImplementedYetError,
)
from skerry.indexes.index_descriptor import ID_INDEX, IndexDescriptor
from skerry.matcher.compile import compile_filter
from skerry.storage import WriteView
from skerry.values.namespace import Namespace


class SchemaChange:
    """Changes the catalogue within one transaction of the store; the log is flushed by `finish`.

    `observers` are told of the documents that go or move with their collection.
    """

    def __init__(
        self, view: WriteView, catalog: CollectionCatalog, origin: str, observers: Sequence[OpObserver] = ()
    ) -> None:
        self._view = view
        self._catalog = catalog
        self._documents = CollectionChanges(view, observers, origin)
        self._log = OplogBuffer(view, lsid=None, txn_number=None, origin=origin)

    def finish(self) -> None:
        self._log.flush()

    def create_collection(self, namespace: Namespace, options: Mapping[str, Any]) -> None:
        """Create a collection or view; creating it again with the same options does nothing. Raises 48 otherwise."""
        kept = check_options(options)
        if "validator" in kept:
            compile_filter(kept["validator"])
        existing = self._catalog.snapshot(self._view).get(namespace)
        if existing is not None:
            if dict(existing.options) == kept:
                return
            raise NamespaceExistsError(f"namespace {namespace} already exists, but with different options: {kept}")
        entry = self._catalog.create(self._view, namespace, kept)
        self._log.add_command(oplog.CREATE, namespace, {"uuid": entry.uuid, "description": kept})

    def drop_collection(self, namespace: Namespace) -> int | None:
        """Drop a collection; return how many indexes it had, None when it did not exist."""
        entry = self._catalog.snapshot(self._view).get(namespace)
        if entry is None:
            return None
        self._documents.removed(entry)
        self._catalog.drop(self._view, entry)
        self._log.add_command(oplog.DROP, namespace, {"uuid": entry.uuid})
        return len(entry.indexes) + 1

    def drop_database(self, db: str) -> bool:
        """Drop every collection of a database; false when it had none."""
        entries = self._catalog.snapshot(self._view).in_database(db)
        for entry in entries:
            self.drop_collection(entry.namespace)
        if entries:
            self._log.add_command(oplog.DROP_DATABASE, Namespace(db, ""), {})
        return bool(entries)

    def rename_collection(self, source: Namespace, target: Namespace, *, drop_target: bool) -> None:
        """Raises `NamespaceNotFoundError`, `NamespaceExistsError`, `IllegalOperationError`."""
        catalog = self._catalog.snapshot(self._view)
        entry = catalog.get(source)
        if entry is None:
            catalog.require(source)
        assert entry is not None
        if source == target:
            raise IllegalOperationError("Can't rename a collection to itself")
        if "viewOn" in entry.options:
            raise CommandNotSupportedOnViewError("cannot rename view")
        if catalog.get(target) is not None:
            if not drop_target:
                raise NamespaceExistsError("target namespace exists")
            self.drop_collection(target)
        self._documents.removed(entry)
        self._documents.added(entry, target)
        self._catalog.rename(self._view, entry, target)
        self._log.add_command(oplog.RENAME, source, {"uuid": entry.uuid, "to": str(target)})

    def create_indexes(self, namespace: Namespace, specs: Sequence[Mapping[str, Any]]) -> CreateIndexesResult:
        """Create and build indexes; the same ones again do nothing.

        Raises `IndexOptionsConflictError` 85, `IndexKeySpecsConflictError` 86, `DuplicateKeyError`, and what validation raises.
        """
        descriptors = [IndexDescriptor.from_spec(spec) for spec in specs]
        entry = self._catalog.snapshot(self._view).get(namespace)
        created = entry is None
        if entry is None:
            self._catalog.check_auto_create(namespace)
            entry = self._catalog.create(self._view, namespace, {})
            self._log.add_command(oplog.CREATE, namespace, {"uuid": entry.uuid})
        if "viewOn" in entry.options:
            raise CommandNotSupportedOnViewError(f"Namespace {namespace} is a view, not a collection")
        before = len(entry.indexes) + 1
        for descriptor in descriptors:
            if is_present(entry, descriptor):
                continue
            build_index(self._view, self._catalog, entry, descriptor)
            entry = self._catalog.snapshot(self._view).require(namespace)
            spec = descriptor.to_spec()
            self._log.add_command(oplog.CREATE_INDEXES, namespace, {"description": {"indexes": [spec]}})
        after = len(entry.indexes) + 1
        if after != before:
            self._catalog.touch(self._view, entry.file_id, 0, 0)
        return CreateIndexesResult(before, after, created)

    def drop_indexes(self, namespace: Namespace, wanted: str | Mapping[str, Any] | Sequence[str]) -> int:
        """Drop indexes by name, key pattern, list of names, or "*"; return how many there were before.

        Raises `IndexNotFoundError`, `InvalidOptionsError` for the `_id` index.
        """
        entry = self._catalog.snapshot(self._view).require(namespace)
        before = len(entry.indexes) + 1
        for index in _wanted_indexes(entry, wanted):
            self._catalog.drop_index(self._view, entry, index)
            spec = index.descriptor.to_spec()
            self._log.add_command(oplog.DROP_INDEXES, namespace, {"description": {"indexes": [spec]}})
        return before

    def modify_collection(self, namespace: Namespace, changes: Mapping[str, Any]) -> None:
        """`collMod`: the validator of a collection, `expireAfterSeconds` or `hidden` of an index."""
        entry = self._catalog.snapshot(self._view).require(namespace)
        rest = dict(changes)
        index_change = rest.pop("index", None)
        if index_change is not None:
            self._modify_index(entry, index_change)
        if rest:
            options = {**entry.options, **check_options(rest)}
            if rest.get("validator") == {}:
                options.pop("validator", None)
            if "validator" in options:
                compile_filter(options["validator"])
            self._catalog.set_options(self._view, entry, options)
        self._log.add_command(oplog.MODIFY, namespace, {"uuid": entry.uuid, "description": dict(changes)})

    def _modify_index(self, entry: CatalogEntry, change: Mapping[str, Any]) -> None:
        rest = dict(change)
        name, pattern = rest.pop("name", None), rest.pop("keyPattern", None)
        if (name is None) == (pattern is None):
            raise InvalidOptionsError("Must specify either index name or key pattern")
        index = _wanted_indexes(entry, name if name is not None else pattern)[0]
        if not rest or not set(rest) <= {"expireAfterSeconds", "hidden"}:
            raise NotImplementedYetError(f"collMod of an index cannot change {sorted(rest)}")
        spec = {**index.descriptor.to_spec(), **rest}
        self._catalog.replace_index_spec(self._view, index, IndexDescriptor.from_spec(spec))


def check_user_namespace(namespace: Namespace) -> None:
    """Refuse to change the structure of internal namespaces. Raises `InvalidNamespaceError`."""
    if namespace.coll.startswith("system."):
        raise InvalidNamespaceError(f"cannot modify the internal collection {namespace}")


def is_present(entry: CatalogEntry, descriptor: IndexDescriptor) -> bool:
    """Whether the collection has the same index. Raises 85 or 86 for one that is almost the same, 2 for a reserved name."""
    if descriptor.key == ID_INDEX.key:
        return True
    if descriptor.name == ID_INDEX.name:
        raise BadValueError("The index name '_id_' is reserved for the _id index")
    for existing in (index.descriptor for index in entry.indexes):
        if existing == descriptor:
            return True
        same_key = existing.key == descriptor.key and existing.partial_filter == descriptor.partial_filter
        if existing.name == descriptor.name:
            message = (
                f"An existing index has the same name as the requested index. Requested index: {descriptor.to_spec()},"
                f" existing index: {existing.to_spec()}"
            )
            if same_key:
                raise IndexOptionsConflictError(message)
            raise IndexKeySpecsConflictError(message)
        if same_key:
            raise IndexOptionsConflictError(
                f"Index already exists with a different name or options: {existing.name}; requested"
                f" {descriptor.to_spec()}"
            )
    return False


def _wanted_indexes(entry: CatalogEntry, wanted: str | Mapping[str, Any] | Sequence[str]) -> list[IndexEntry]:
    if wanted == "*":
        return list(entry.indexes)
    if isinstance(wanted, Mapping):
        key = tuple(wanted.items())
        found = [index for index in entry.indexes if index.descriptor.key == key]
        if key == ID_INDEX.key:
            raise InvalidOptionsError("cannot drop _id index")
        if not found:
            raise IndexNotFoundError(f"can't find index with key: {dict(wanted)}")
        return found
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    indexes = []
    for name in names:
        if name == ID_INDEX.name:
            raise InvalidOptionsError("cannot drop _id index")
        index = entry.index_named(name)
        if index is None:
            raise IndexNotFoundError(f"index not found with name [{name}]")
        indexes.append(index)
    return indexes
