"""Collections and indexes that come with a multi-document transaction: there at its commit, or never.

Source: MongoDB manual, "Create Collections and Indexes in a Transaction": collections that do not exist yet, and indexes on
those, or on collections that the same transaction created and that are still empty.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.catalog.collection_options import check_options
from skerry.engine import oplog
from skerry.engine.index_builder import build_index
from skerry.engine.oplog import OplogBuffer
from skerry.engine.requests import CreateIndexesResult
from skerry.engine.schema_changes import is_present
from skerry.engine.transactions import UNCOMMITTED_FILE_ID, Transaction
from skerry.errors import NamespaceExistsError, OperationNotSupportedInTransactionError
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.matcher.compile import compile_filter
from skerry.storage import WriteView
from skerry.values.namespace import Namespace


def create_collection(transaction: Transaction, namespace: Namespace, options: Mapping[str, Any]) -> None:
    """Have the commit create a collection. Raises `NamespaceExistsError` whatever the options, and 263 for a view."""
    kept = check_options(options)
    if "viewOn" in kept:
        raise OperationNotSupportedInTransactionError("Cannot create a view in a multi-document transaction.")
    if "validator" in kept:
        compile_filter(kept["validator"])
    if transaction.entry(namespace) is not None:
        raise NamespaceExistsError(f"Collection {namespace} already exists.")
    transaction.create(CatalogEntry(UNCOMMITTED_FILE_ID, namespace, b"", kept, ()))


def create_indexes(
    transaction: Transaction, namespace: Namespace, specs: Sequence[Mapping[str, Any]]
) -> CreateIndexesResult:
    """Have the commit create indexes. Raises 263 for a collection that was there before or that has documents."""
    descriptors = [IndexDescriptor.from_spec(spec) for spec in specs]
    entry = transaction.entry(namespace)
    created = entry is None
    if entry is None:
        entry = transaction.create(CatalogEntry(UNCOMMITTED_FILE_ID, namespace, b"", {}, ()))
    before = len(entry.indexes) + 1
    wanted = [descriptor for descriptor in descriptors if not is_present(entry, descriptor)]
    if wanted and (entry.file_id != UNCOMMITTED_FILE_ID or transaction.overlays[namespace].current):
        raise OperationNotSupportedInTransactionError(
            f"Cannot create new indexes on existing collection {namespace} in a multi-document transaction."
        )
    for descriptor in wanted:
        entry = transaction.add_index(namespace, IndexEntry(-1 - len(entry.indexes), descriptor, frozenset()))
    return CreateIndexesResult(before, len(entry.indexes) + 1, created)


def commit_entry(view: WriteView, catalog: CollectionCatalog, pending: CatalogEntry, log: OplogBuffer) -> CatalogEntry:
    """Create a collection with its indexes, as the transaction saw it; return it as it is now."""
    namespace, options = pending.namespace, pending.options
    entry = catalog.create(view, namespace, options)
    log.add_command(oplog.CREATE, namespace, {"uuid": entry.uuid, **({"description": options} if options else {})})
    for index in pending.indexes:
        build_index(view, catalog, entry, index.descriptor)
        entry = catalog.snapshot(view).require(namespace)
        log.add_command(oplog.CREATE_INDEXES, namespace, {"description": {"indexes": [index.descriptor.to_spec()]}})
    return entry
