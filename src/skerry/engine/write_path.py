"""One document change, whole: document, index entries, oplog entry, counts and observers in one transaction.

Everything that changes a stored document goes through a `CollectionWriter`: client commands, the commit of a transaction, TTL
and sync. Documents come in final form: `_id` first, checked for size and depth.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.engine import oplog
from skerry.engine.document_validation import check_valid
from skerry.engine.op_observer import Change, OpObserver
from skerry.engine.oplog import OplogBuffer
from skerry.errors import DuplicateKeyError
from skerry.storage import KeyTakenError, WriteView
from skerry.update.document_diff import update_description
from skerry.values import documents, field_path, key_string
from skerry.values.missing import MISSING

ID_INDEX_NAME = "_id_"


class CollectionWriter:
    """Changes documents of one collection within one transaction; `finish` must be called before it commits.

    Raises `DuplicateKeyError`, `DocumentValidationFailureError` and what key generation raises; the caller's savepoint or
    transaction undoes what was half done.
    """

    def __init__(
        self,
        view: WriteView,
        catalog: CollectionCatalog,
        entry: CatalogEntry,
        log: OplogBuffer,
        observers: Sequence[OpObserver],
        *,
        origin: str = "",
        validate: bool = True,
    ) -> None:
        self._view = view
        self._catalog = catalog
        self.entry = entry
        self._log = log
        self._origin = origin
        asked = [observer.sink(view, entry.namespace, origin) for observer in observers]
        self._sinks = [sink for sink in asked if sink is not None]
        self._changes: list[Change] = []
        self._count_change = 0
        self._bytes_change = 0
        self._touched = False
        self._next_rid = -1
        self._validator: Mapping[str, Any] | None = entry.options.get("validator") if validate else None

    def insert(self, raw: bytes, id_value: Any) -> int:
        """Insert a document and return its record id."""
        view, entry = self._view, self.entry
        key = key_string.encode(id_value)
        rid = self._take_rids(1)
        try:
            view.insert_record(entry.file_id, rid, key, raw)
        except KeyTakenError:
            raise self._duplicate_id(id_value) from None
        if entry.indexes or self._validator is not None:
            document = documents.decode(raw)
            self._check(document)
            for index in self.entry.indexes:
                self._insert_keys(index, self._keys(index, document), rid, document)
        self._note(oplog.INSERT, key, None, raw, None, raw)
        self._count_change += 1
        self._bytes_change += len(raw)
        return rid

    def insert_many(self, prepared: Sequence[tuple[bytes, bytes]]) -> None:
        """Insert documents together, as (key string of the `_id`, raw); when it raises, none of them may be kept."""
        view, entry = self._view, self.entry
        first = self._take_rids(len(prepared))
        rows = [(first + at, key, raw) for at, (key, raw) in enumerate(prepared)]
        view.insert_records(entry.file_id, rows)
        if entry.indexes or self._validator is not None:
            decoded = [(rid, documents.decode(raw)) for rid, _, raw in rows]
            if self._validator is not None:
                for _, document in decoded:
                    self._check(document)
            for index in entry.indexes:
                self._insert_keys_of_many(index, decoded)
        self._note_inserts(rows)
        self._count_change += len(rows)
        self._bytes_change += sum(len(row[2]) for row in rows)

    def replace(
        self,
        rid: int,
        before: bytes,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        is_replacement: bool,
        after: bytes | None = None,
    ) -> bytes:
        """Put `new` in place of `old` (same `_id`) and return it raw; `after` is `new` encoded, where the caller has it."""
        if after is None:
            after = documents.encode(new)
        documents.check_size(after)
        self._check(new)
        self._view.update_record(self.entry.file_id, rid, after)
        for index in self.entry.indexes:
            self._change_keys(index, rid, old, new)
        key = key_string.encode(new["_id"])
        id_document = documents.id_document(after)
        if is_replacement:
            self._note(oplog.REPLACE, key, before, after, None, after)
        else:
            description = documents.encode(update_description(dict(old), dict(new)))
            self._note(oplog.UPDATE, key, before, after, id_document, description)
        self._bytes_change += len(after) - len(before)
        return after

    def delete(self, rid: int, before: bytes, old: Mapping[str, Any] | None = None) -> None:
        """Remove a document; `old` is `before` decoded, where the caller has it."""
        self._view.delete_record(self.entry.file_id, rid)
        if self.entry.indexes:
            document = documents.decode(before) if old is None else old
            for index in self.entry.indexes:
                for key in self._keys(index, document):
                    self._view.delete_entry(index.index_id, self.entry.file_id, key, rid)
        id_document = documents.id_document(before)
        key = key_string.encode(documents.id_of(before))
        self._note(oplog.DELETE, key, before, None, id_document, None)
        self._count_change -= 1
        self._bytes_change -= len(before)

    def finish(self) -> None:
        """Renew the collection's token and counts and tell the observers, in the same transaction."""
        if not self._touched:
            return
        self._catalog.touch(self._view, self.entry.file_id, self._count_change, self._bytes_change)
        if self._changes:
            for sink in self._sinks:
                sink(self._changes)
        self._count_change = self._bytes_change = 0
        self._changes = []
        self._touched = False

    def discard(self, to: tuple[int, int, int]) -> None:
        """Forget what was noted since `mark`: its savepoint has been rolled back."""
        self._count_change, self._bytes_change, changes = to
        del self._changes[changes:]
        self._next_rid = -1
        self.entry = self._catalog.snapshot(self._view).require(self.entry.namespace)

    def mark(self) -> tuple[int, int, int]:
        """Remember where the notes stand, for `discard`."""
        return self._count_change, self._bytes_change, len(self._changes)

    def _note(
        self, op: str, key: bytes, before: bytes | None, after: bytes | None, id_document: bytes | None, o: bytes | None
    ) -> None:
        self._touched = True
        ts = self._log.add(op, self.entry.namespace, id_document, o)
        if self._sinks:
            self._changes.append(Change(self.entry.namespace, key, before, after, ts, self._origin))

    def _note_inserts(self, rows: Sequence[tuple[int, bytes, bytes]]) -> None:
        self._touched = True
        namespace, origin = self.entry.namespace, self._origin
        first = self._log.add_inserts(namespace, [raw for _, _, raw in rows])
        if self._sinks:
            self._changes += [
                Change(namespace, key, None, raw, first + at, origin) for at, (_, key, raw) in enumerate(rows)
            ]

    def _take_rids(self, count: int) -> int:
        if self._next_rid < 0:
            self._next_rid = self._view.last_rid(self.entry.file_id) + 1
        first = self._next_rid
        self._next_rid += count
        return first

    def _check(self, document: Mapping[str, Any]) -> None:
        if self._validator is not None:
            check_valid(document, self.entry)

    def _keys(self, index: IndexEntry, document: Mapping[str, Any]) -> list[bytes]:
        keys, array_paths = index.key_generator.keys(document)
        if not array_paths <= index.multikey_paths:
            self._note_array_paths(index, array_paths)
        return keys

    def _note_array_paths(self, index: IndexEntry, paths: frozenset[str]) -> None:
        """Add to what the catalogue knows by now, which may be more than `index` does."""
        (known,) = (each.multikey_paths for each in self.entry.indexes if each.index_id == index.index_id)
        if not paths <= known:
            self._catalog.set_multikey_paths(self._view, index, known | paths)
            self.entry = self._catalog.snapshot(self._view).require(self.entry.namespace)

    def _insert_keys(self, index: IndexEntry, keys: list[bytes], rid: int, document: Mapping[str, Any]) -> None:
        for key in keys:
            try:
                self._view.insert_entry(index.index_id, self.entry.file_id, key, rid)
            except KeyTakenError:
                raise self._duplicate(index, document) from None

    def _insert_keys_of_many(self, index: IndexEntry, decoded: list[tuple[int, dict[str, Any]]]) -> None:
        entries = [(key, rid) for rid, document in decoded for key in self._keys(index, document)]
        entries.sort()
        self._view.insert_entries(index.index_id, self.entry.file_id, entries)

    def _change_keys(self, index: IndexEntry, rid: int, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        old_keys, new_keys = self._keys(index, old), self._keys(index, new)
        if old_keys == new_keys:
            return
        kept = set(old_keys).intersection(new_keys)
        for key in old_keys:
            if key not in kept:
                self._view.delete_entry(index.index_id, self.entry.file_id, key, rid)
        self._insert_keys(index, [key for key in new_keys if key not in kept], rid, new)

    def _duplicate_id(self, id_value: Any) -> DuplicateKeyError:
        return DuplicateKeyError(str(self.entry.namespace), ID_INDEX_NAME, {"_id": 1}, {"_id": id_value})

    def _duplicate(self, index: IndexEntry, document: Mapping[str, Any]) -> DuplicateKeyError:
        return duplicate_key_error(self.entry, index, document)


def duplicate_key_error(entry: CatalogEntry, index: IndexEntry, document: Mapping[str, Any]) -> DuplicateKeyError:
    """The error for `document`, whose key in the unique `index` is taken."""
    pattern = dict(index.descriptor.key)
    values = {path: field_path.read(document, field_path.split(path)) for path in pattern}
    shown = {path: None if value is MISSING else value for path, value in values.items()}
    return DuplicateKeyError(str(entry.namespace), index.descriptor.name, pattern, shown)
