"""The catalogue: every collection that exists, kept in the store itself, re-read when another instance changed it.

The catalogue has a version, a random number renewed by each change of structure. Whoever reads it compares one number and
reuses what it has when it is still the same; a rolled-back change can never be mistaken for a committed one. Counts, sizes and
the modification token are renewed in the transaction of every write, so they cannot disagree with the documents.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skerry.catalog import modification_history, modification_token
from skerry.catalog.catalog_entry import CatalogEntry, CollectionMetadata, IndexEntry
from skerry.errors import NamespaceExistsError, NamespaceNotFoundError
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.storage import ReadView, WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace

_COLLECTIONS = "SELECT file_id, db, name, uuid, options FROM collection"
_INDEXES = "SELECT file_id, index_id, spec, multikey_paths FROM collection_index ORDER BY index_id"
_METADATA = (
    "SELECT file_id, created, last_modified, document_count, document_bytes, modification_token"
    " FROM collection WHERE db = ? AND name = ?"
)
_TOUCH = (
    "UPDATE collection SET document_count = document_count + ?, document_bytes = document_bytes + ?,"
    " last_modified = ?, modification_token = ?,"
    " recent_writes = substr(? || recent_writes, 1, ?) WHERE file_id = ?"
)

_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """The structure of every collection at one version of the catalogue."""

    version: int
    collections: Mapping[Namespace, CatalogEntry]

    def get(self, namespace: Namespace) -> CatalogEntry | None:
        return self.collections.get(namespace)

    def require(self, namespace: Namespace) -> CatalogEntry:
        """Return the entry; raises `NamespaceNotFoundError`."""
        entry = self.collections.get(namespace)
        if entry is None:
            raise NamespaceNotFoundError(f"ns does not exist: {namespace}")
        return entry

    def in_database(self, db: str) -> list[CatalogEntry]:
        """Return the entries of a database by name."""
        return sorted((e for n, e in self.collections.items() if n.db == db), key=lambda e: e.namespace.coll)


class CollectionCatalog:
    """Reads and changes the catalogue through views of the store. Shared by all threads; holds only a cache."""

    def __init__(self, *, auto_create: bool = True) -> None:
        self._auto_create = auto_create
        self._cached = CatalogSnapshot(-1, {})
        self._cached_rows: dict[int, tuple[_Row, list[_Row], CatalogEntry]] = {}

    def snapshot(self, view: ReadView) -> CatalogSnapshot:
        """Return the catalogue as `view` sees it."""
        version = view.setting("catalog_version")
        cached = self._cached
        if cached.version == version:
            return cached
        fresh = self._load(view, version)
        self._cached = fresh
        return fresh

    def metadata(self, view: ReadView, namespace: Namespace) -> CollectionMetadata | None:
        """Return counts, times and the modification token of a collection."""
        row = view.row(_METADATA, (namespace.db, namespace.coll))
        return None if row is None else CollectionMetadata(str(namespace), *row)

    def create(
        self, view: WriteView, namespace: Namespace, options: Mapping[str, Any], *, collection_uuid: bytes | None = None
    ) -> CatalogEntry:
        """Add a collection and its table. Raises `NamespaceExistsError`."""
        file_id = self._add_row(view, namespace, options, collection_uuid)
        view.create_records(file_id)
        self._renew_version(view)
        return self.snapshot(view).require(namespace)

    def check_auto_create(self, namespace: Namespace) -> None:
        """Raise `NamespaceNotFoundError` when collections have to be created explicitly before they are written to."""
        if not self._auto_create:
            raise NamespaceNotFoundError(f"Collection {namespace} does not exist and auto-create is disabled")

    def adopt(
        self,
        view: WriteView,
        namespace: Namespace,
        options: Mapping[str, Any],
        *,
        file_id: int,
        collection_uuid: bytes | None = None,
    ) -> CatalogEntry:
        """Add a collection whose table of documents is there already, and count them. Raises `NamespaceExistsError`."""
        self._add_row(view, namespace, options, collection_uuid, file_id)
        self.recount(view, file_id)
        self._renew_version(view)
        return self.snapshot(view).require(namespace)

    def recount(self, view: WriteView, file_id: int) -> None:
        """Set a collection's counts to what its table holds."""
        view.run(
            "UPDATE collection SET document_count = ?, document_bytes = ? WHERE file_id = ?",
            (view.count_records(file_id), view.record_bytes(file_id), file_id),
        )
        self.touch(view, file_id, 0, 0)

    def drop(self, view: WriteView, entry: CatalogEntry) -> None:
        """Remove a collection, its indexes and their tables."""
        for index in entry.indexes:
            view.drop_index(index.index_id, entry.file_id)
        view.drop_records(entry.file_id)
        view.run("DELETE FROM collection_index WHERE file_id = ?", (entry.file_id,))
        view.run("DELETE FROM collection WHERE file_id = ?", (entry.file_id,))
        modification_history.forget(view, entry.file_id)
        self._renew_version(view)

    def rename(self, view: WriteView, entry: CatalogEntry, target: Namespace) -> None:
        """Give a collection another name; its documents and indexes stay where they are."""
        view.run(
            "UPDATE collection SET db = ?, name = ?, last_modified = ?, modification_token = ? WHERE file_id = ?",
            (target.db, target.coll, view.wall_ms, modification_token.generate(view.wall_ms), entry.file_id),
        )
        self._renew_version(view)

    def set_options(self, view: WriteView, entry: CatalogEntry, options: Mapping[str, Any]) -> None:
        view.run("UPDATE collection SET options = ? WHERE file_id = ?", (documents.encode(options), entry.file_id))
        self.touch(view, entry.file_id, 0, 0)
        self._renew_version(view)

    def add_index(self, view: WriteView, entry: CatalogEntry, descriptor: IndexDescriptor) -> IndexEntry:
        """Add an empty index and its table; `index_builder` fills it."""
        view.run(
            "INSERT INTO collection_index (file_id, name, spec, multikey_paths) VALUES (?, ?, ?, ?)",
            (entry.file_id, descriptor.name, documents.encode(descriptor.to_spec()), documents.encode({"paths": []})),
        )
        index_id = int(view.row("SELECT last_insert_rowid()")[0])
        view.create_index(index_id, entry.file_id, unique=descriptor.unique)
        self._renew_version(view)
        return IndexEntry(index_id, descriptor, frozenset())

    def replace_index_spec(self, view: WriteView, index: IndexEntry, descriptor: IndexDescriptor) -> None:
        """Change an index's options that do not alter its keys (`collMod`)."""
        spec = documents.encode(descriptor.to_spec())
        view.run("UPDATE collection_index SET spec = ? WHERE index_id = ?", (spec, index.index_id))
        self._renew_version(view)

    def drop_index(self, view: WriteView, entry: CatalogEntry, index: IndexEntry) -> None:
        view.drop_index(index.index_id, entry.file_id)
        view.run("DELETE FROM collection_index WHERE index_id = ?", (index.index_id,))
        self._renew_version(view)

    def set_multikey_paths(self, view: WriteView, index: IndexEntry, paths: frozenset[str]) -> None:
        """Record at which paths of the index documents have arrays: its bounds there may not be intersected."""
        view.run(
            "UPDATE collection_index SET multikey_paths = ? WHERE index_id = ?",
            (documents.encode({"paths": sorted(paths)}), index.index_id),
        )
        self._renew_version(view)

    def touch(self, view: WriteView, file_id: int, count_change: int, bytes_change: int) -> None:
        """Renew a collection's modification token, and move its counts, in the transaction of the write itself."""
        token = modification_token.generate(view.wall_ms)
        line = modification_history.write_line(token, count_change)
        width = modification_history.LINES_WIDTH
        view.run(_TOUCH, (count_change, bytes_change, view.wall_ms, token, line, width, file_id))

    def describe(
        self,
        view: WriteView,
        file_id: int,
        *,
        token: str,
        last_modified_ms: int,
        created_ms: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Set what may be said of a collection from outside; None leaves it as it is."""
        view.run(
            "UPDATE collection SET modification_token = ?, last_modified = ?, created = coalesce(?, created),"
            " extra = coalesce(?, extra) WHERE file_id = ?",
            (token, last_modified_ms, created_ms, None if extra is None else documents.encode(extra), file_id),
        )

    def renew(self, view: WriteView) -> None:
        """Make every instance re-read the catalogue, and what hangs on it (links, observers)."""
        self._renew_version(view)

    def _add_row(
        self,
        view: WriteView,
        namespace: Namespace,
        options: Mapping[str, Any],
        collection_uuid: bytes | None,
        file_id: int | None = None,
    ) -> int:
        """Add the row of a collection and return its file id: the given one, or the next. Raises `NamespaceExistsError`."""
        if self.snapshot(view).get(namespace) is not None:
            raise NamespaceExistsError(f"Collection {namespace} already exists.")
        view.run(
            "INSERT INTO collection (file_id, db, name, uuid, options, created, last_modified, modification_token)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                file_id,
                namespace.db,
                namespace.coll,
                collection_uuid or uuid.uuid4().bytes,
                documents.encode(options),
                view.wall_ms,
                view.wall_ms,
                modification_token.generate(view.wall_ms),
            ),
        )
        return int(view.row("SELECT last_insert_rowid()")[0])

    def _renew_version(self, view: WriteView) -> None:
        # not from `random`: a program may seed that, and the same number would stand for another catalogue then
        view.set_setting("catalog_version", secrets.randbits(62))

    def _load(self, view: ReadView, version: int) -> CatalogSnapshot:
        """Read the catalogue, keeping the entries (and their compiled key generators) whose rows did not change."""
        index_rows: dict[int, list[_Row]] = {}
        for row in view.rows(_INDEXES):
            index_rows.setdefault(row[0], []).append(row)
        known, fresh = self._cached_rows, {}
        for row in view.rows(_COLLECTIONS):
            indexes = index_rows.get(row[0], [])
            cached = known.get(row[0])
            if cached is not None and cached[0] == row and cached[1] == indexes:
                fresh[row[0]] = cached
            else:
                fresh[row[0]] = (row, indexes, _entry(row, indexes))
        self._cached_rows = fresh
        return CatalogSnapshot(version, {entry.namespace: entry for _, _, entry in fresh.values()})


def _entry(row: _Row, index_rows: list[_Row]) -> CatalogEntry:
    file_id, db, name, collection_uuid, options = row
    indexes = tuple(
        IndexEntry(
            index_id,
            IndexDescriptor.from_spec(documents.decode(spec)),
            frozenset(documents.decode(multikey)["paths"]),
        )
        for _, index_id, spec, multikey in index_rows
    )
    return CatalogEntry(file_id, Namespace(db, name), collection_uuid, documents.decode(options), indexes)
