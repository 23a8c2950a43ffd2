"""Keeps the master index elsewhere as a JSON document, and brings collections back from one.

The index lies in the database itself and is as safe as the documents, so this is no part of normal work. It helps where rows of
the catalogue are gone: a document says which name a table of documents had, with which options and indexes. It is also a way to
lay out a new database like another one. Nothing that exists is changed by `recover`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.catalog.file_service import FileService
from skerry.catalog.index_document import RecordedCollection, read_index_document, write_index_document
from skerry.engine import oplog
from skerry.engine.index_builder import build_index
from skerry.engine.operation_context import OperationContext
from skerry.engine.oplog import OplogBuffer
from skerry.engine.storage_engine import StorageEngine
from skerry.storage import WriteView
from skerry.storage.integrity import numbered, tables
from skerry.values.namespace import Namespace


class Outcome(StrEnum):
    """What became of a collection of the index document."""

    KEPT = "kept"
    """It exists, and was left as it is."""
    REATTACHED = "reattached"
    """Its documents were there without a name, and have it again."""
    CREATED = "created"
    """It is there again, but empty."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One collection that `recover` dealt with."""

    namespace: Namespace
    outcome: Outcome
    documents: int


def backup_index(engine: StorageEngine, url: str, files: FileService | None = None) -> int:
    """Write the index to the file `url` and return how many collections it has. Raises `FileServiceError`.

    `files` replaces the service that the URL calls for; `url` is then a name below its root.
    """
    with engine.catalogue() as (view, catalog):
        found = []
        for _, entry in sorted(catalog.snapshot(view).collections.items()):
            metadata = catalog.metadata(view, entry.namespace)
            assert metadata is not None  # one snapshot
            found.append((entry, metadata))
    service, name = (files, url) if files is not None else FileService.beside(url)
    service.write(name, write_index_document(found, now=datetime.now(UTC)))
    return len(found)


def recover(engine: StorageEngine, url: str, files: FileService | None = None) -> list[Recovered]:
    """Bring back the collections of an index document, all in one transaction, and return what became of each.

    Raises `FileServiceError`, what `read_index_document` raises, and `DuplicateKeyError` when documents that are reattached do
    not fit a unique index; nothing is changed then.
    """
    service, name = (files, url) if files is not None else FileService.beside(url)
    recorded = read_index_document(service.read(name), service.url_of(name))

    def job(view: WriteView) -> list[Recovered]:
        return [_recover_one(view, engine, each) for each in recorded]

    return engine.write(job, OperationContext())


def _recover_one(view: WriteView, engine: StorageEngine, recorded: RecordedCollection) -> Recovered:
    catalog = engine.catalog
    existing = catalog.metadata(view, recorded.namespace)
    if existing is not None:
        return Recovered(recorded.namespace, Outcome.KEPT, existing.document_count)
    if recorded.file_id is not None and recorded.file_id in _nameless_tables(view):
        entry = catalog.adopt(
            view, recorded.namespace, recorded.options, file_id=recorded.file_id, collection_uuid=recorded.uuid
        )
        outcome = Outcome.REATTACHED
    else:
        entry = catalog.create(view, recorded.namespace, recorded.options, collection_uuid=recorded.uuid)
        outcome = Outcome.CREATED
    _log_and_index(view, engine, entry, recorded)
    metadata = catalog.metadata(view, recorded.namespace)
    assert metadata is not None
    return Recovered(recorded.namespace, outcome, metadata.document_count)


def _log_and_index(view: WriteView, engine: StorageEngine, entry: CatalogEntry, recorded: RecordedCollection) -> None:
    log = OplogBuffer(view, lsid=None, txn_number=None, origin="")
    log.add_command(oplog.CREATE, entry.namespace, {"uuid": entry.uuid, "description": recorded.options})
    for descriptor in recorded.indexes:
        build_index(view, engine.catalog, entry, descriptor)
        log.add_command(oplog.CREATE_INDEXES, entry.namespace, {"description": {"indexes": [descriptor.to_spec()]}})
    log.flush()


def _nameless_tables(view: WriteView) -> set[int]:
    named = {row[0] for row in view.rows("SELECT file_id FROM collection")}
    return numbered(tables(view), "c_") - named
