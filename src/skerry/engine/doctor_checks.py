"""What `doctor` looks at, check by check, each finding with the repair that fits it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.catalog.folder_writes import abandoned_temporary_files
from skerry.engine import oplog
from skerry.engine.collection_check import CollectionCheck, check_collection
from skerry.engine.index_builder import rebuild_index
from skerry.errors import CorruptDatabaseError, SkerryError
from skerry.storage import KeyTakenError, ReadView, Store, WriteView
from skerry.storage.integrity import drop_table, numbered, tables
from skerry.storage.replacement import ASIDE, is_other_database
from skerry.storage.scratch_directory import abandoned, remove_abandoned
from skerry.values import documents
from skerry.values.namespace import Namespace

LOST_AND_FOUND: Final = "lost_and_found"
# MongoDB accepts a year (maxAcceptableLogicalClockDriftSecs); but a day is no drift, it is a clock that was wrong.
CLOCK_AHEAD_SECONDS_MAX: Final = 24 * 3600

T = TypeVar("T")
Mend = Callable[[Store, CollectionCatalog], str]
"""Repairs one finding and says what it did."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: which check found it, at what (a file, a table, a namespace), and in words.

    `mend` repairs it; None when nothing that is left could.
    """

    check: str
    where: str
    message: str
    mend: Mend | None = field(default=None, repr=False, compare=False)


def check_catalogue(view: ReadView, catalog: CollectionCatalog) -> list[Finding]:
    """Find tables without a row of the catalogue and rows without their table."""
    names = tables(view)
    entries = _entries(view, catalog)
    file_ids = {entry.file_id for entry in entries}
    index_ids = {index.index_id for entry in entries for index in entry.indexes}
    found = []
    for file_id in sorted(numbered(names, "c_") - file_ids):
        count = view.count_records(file_id)
        message = f"holds {count} documents and belongs to no collection"
        found.append(Finding("tables", f"c_{file_id}", message, partial(_adopt_or_drop, file_id)))
    for index_id in sorted(numbered(names, "i_") - index_ids):
        found.append(Finding("tables", f"i_{index_id}", "belongs to no index", partial(_drop_index_table, index_id)))
    for index_id, name in _ownerless_indexes(view):
        message = f"index {name} belongs to no collection"
        found.append(Finding("tables", f"index {index_id}", message, partial(_forget_index, index_id)))
    for entry in entries:
        found += _missing_tables(view, entry, names)
    return found


def check_collections(view: ReadView, catalog: CollectionCatalog) -> list[Finding]:
    """Compare the documents of every collection with its indexes and counts."""
    names = tables(view)
    found = []
    for entry in _entries(view, catalog):
        if f"c_{entry.file_id}" in names:
            there = tuple(index for index in entry.indexes if f"i_{index.index_id}" in names)
            found += _of_collection(entry, check_collection(view, replace(entry, indexes=there)))
    return found


def check_oplog(view: ReadView, _catalog: CollectionCatalog) -> list[Finding]:
    """Check that the entries can be read and that their times are in order."""
    found = []
    row = view.row("SELECT count(*), min(ts) FROM oplog WHERE (ts >> 32) < wall / 1000")
    if row[0]:
        found.append(
            Finding("oplog", str(oplog.as_timestamp(row[1])), f"{row[0]} entries are older than their wall time")
        )
    ahead = (oplog.last_timestamp(view) >> 32) - time.time()
    if ahead > CLOCK_AHEAD_SECONDS_MAX:
        message = (
            f"the newest entry is {int(ahead)} seconds in the future: the clock of this machine went back, or was wrong"
        )
        found.append(Finding("oplog", "cluster time", message))
    after, unreadable = 0, []
    while entries := oplog.entries_after(view, after, 1000):
        unreadable += [entry.timestamp for entry in entries if not _is_readable(entry)]
        after = entries[-1].timestamp
    if unreadable:
        first = oplog.as_timestamp(unreadable[0])
        found.append(Finding("oplog", str(first), f"{len(unreadable)} entries cannot be read"))
    return found


def check_files(directory: Path) -> list[Finding]:
    """Find what programs that were killed have left in a data directory."""
    found = [
        Finding("files", path.name, "a killed program left this scratch directory", partial(_remove_scratch, path))
        for path in abandoned(directory)
    ]
    for path in abandoned_temporary_files(directory):
        found.append(Finding("files", path.name, "a killed program left this unfinished file", partial(_unlink, path)))
    if is_other_database(directory):
        message = "an interrupted restore left the database from before it: remove it when it is not needed any more"
        found.append(Finding("files", ASIDE, message))
    elif (directory / ASIDE).exists():
        message = "an interrupted restore left a second name of the database"
        found.append(Finding("files", ASIDE, message, partial(_unlink_second_name, directory)))
    return found


def _entries(view: ReadView, catalog: CollectionCatalog) -> list[CatalogEntry]:
    try:
        collections = catalog.snapshot(view).collections
    except (SkerryError, KeyError) as error:
        raise CorruptDatabaseError(f"the catalogue cannot be read: {error!r}; restore a backup", "") from error
    return [collections[namespace] for namespace in sorted(collections)]


def _ownerless_indexes(view: ReadView) -> list[tuple[int, str]]:
    return view.rows(
        "SELECT index_id, name FROM collection_index WHERE file_id NOT IN (SELECT file_id FROM collection) ORDER BY index_id"
    )


def _missing_tables(view: ReadView, entry: CatalogEntry, names: frozenset[str]) -> list[Finding]:
    where = str(entry.namespace)
    if f"c_{entry.file_id}" not in names:
        count = view.row("SELECT document_count FROM collection WHERE file_id = ?", (entry.file_id,))[0]
        if count:
            message = f"its table is gone, and the {count} documents with it: restore a backup, or drop the collection"
            return [Finding("tables", where, message)]
        return [Finding("tables", where, "its (empty) table is gone", partial(_create_records, entry))]
    return [
        Finding(
            "indexes", where, f"the table of index {index.descriptor.name} is gone", partial(_rebuild, entry, index)
        )
        for index in entry.indexes
        if f"i_{index.index_id}" not in names
    ]


def _of_collection(entry: CatalogEntry, check: CollectionCheck) -> list[Finding]:
    where = str(entry.namespace)
    found = [Finding("documents", where, f"record {rid}: {reason}") for rid, reason in check.unreadable]
    if check.misplaced:
        message = f"{len(check.misplaced)} documents are not stored under their _id"
        found.append(Finding("documents", where, message, partial(_rekey, entry, check.misplaced)))
    for index in check.indexes:
        if faults := index.faults():
            found.append(Finding("indexes", where, "; ".join(faults), partial(_rebuild, entry, index.index)))
    if not check.counts_agree:
        found.append(Finding("counts", where, check.faults()[-1], partial(_recount, entry)))
    return found


def _is_readable(entry: oplog.OplogEntry) -> bool:
    try:
        for raw in (entry.id_document, entry.o):
            if raw is not None:
                documents.decode(raw)
    except SkerryError:
        return False
    return True


def _write(store: Store, job: Callable[[WriteView], T]) -> T:
    return store.write(job, durable=True)


def _adopt_or_drop(file_id: int, store: Store, catalog: CollectionCatalog) -> str:
    def job(view: WriteView) -> str:
        if any(entry.file_id == file_id for entry in _entries(view, catalog)):
            return f"nothing: c_{file_id} belongs to a collection by now"
        if view.count_records(file_id) == 0:
            drop_table(view, "c_", file_id)
            return f"dropped the empty table c_{file_id}"
        entry = catalog.adopt(view, Namespace(LOST_AND_FOUND, f"c_{file_id}"), {}, file_id=file_id)
        log = oplog.OplogBuffer(view, lsid=None, txn_number=None, origin="")
        log.add_command(oplog.CREATE, entry.namespace, {"uuid": entry.uuid})
        log.flush()
        return f"made c_{file_id} the collection {entry.namespace}"

    return _write(store, job)


def _drop_index_table(index_id: int, store: Store, catalog: CollectionCatalog) -> str:
    def job(view: WriteView) -> str:
        if any(index.index_id == index_id for entry in _entries(view, catalog) for index in entry.indexes):
            return f"nothing: i_{index_id} belongs to an index by now"
        drop_table(view, "i_", index_id)
        return f"dropped the index table i_{index_id}"

    return _write(store, job)


def _forget_index(index_id: int, store: Store, catalog: CollectionCatalog) -> str:
    def job(view: WriteView) -> str:
        if index_id not in (found for found, _ in _ownerless_indexes(view)):
            return f"nothing: index {index_id} belongs to a collection by now"
        drop_table(view, "i_", index_id)
        view.run("DELETE FROM collection_index WHERE index_id = ?", (index_id,))
        catalog.renew(view)
        return f"removed index {index_id} from the catalogue"

    return _write(store, job)


def _create_records(entry: CatalogEntry, store: Store, _catalog: CollectionCatalog) -> str:
    _write(store, lambda view: view.create_records(entry.file_id))
    return f"made the empty table c_{entry.file_id}"


def _rebuild(entry: CatalogEntry, index: IndexEntry, store: Store, catalog: CollectionCatalog) -> str:
    def job(view: WriteView) -> str:
        current = catalog.snapshot(view).get(entry.namespace)
        named = None if current is None else current.index_named(index.descriptor.name)
        if current is None or named is None:
            return f"nothing: index {index.descriptor.name} is gone by now"
        rebuild_index(view, catalog, current, named)
        return f"rebuilt index {index.descriptor.name} from the documents"

    return _write(store, job)


def _rekey(entry: CatalogEntry, misplaced: list[tuple[int, bytes]], store: Store, _catalog: CollectionCatalog) -> str:
    def job(view: WriteView) -> str:
        try:
            for rid, key in misplaced:
                view.rekey_record(entry.file_id, rid, key)
        except KeyTakenError:
            raise CorruptDatabaseError(
                f"another document has the _id of record {rid} too", store.database_path
            ) from None
        return f"stored {len(misplaced)} documents under their _id"

    return _write(store, job)


def _recount(entry: CatalogEntry, store: Store, catalog: CollectionCatalog) -> str:
    def job(view: WriteView) -> str:
        catalog.recount(view, entry.file_id)
        return f"counted the documents again: {view.count_records(entry.file_id)}"

    return _write(store, job)


def _remove_scratch(path: Path, _store: Store, _catalog: CollectionCatalog) -> str:
    return f"removed {path.name}" if remove_abandoned(path) else f"nothing: {path.name} is in use by now"


def _unlink(path: Path, _store: Store, _catalog: CollectionCatalog) -> str:
    path.unlink(missing_ok=True)
    return f"removed {path.name}"


def _unlink_second_name(directory: Path, store: Store, catalog: CollectionCatalog) -> str:
    if is_other_database(directory):
        return f"nothing: {ASIDE} is another database by now"
    return _unlink(directory / ASIDE, store, catalog)
