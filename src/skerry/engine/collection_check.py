"""Whether a collection's documents, index entries and counts agree: what `validate` reports and `doctor` mends.

An index is compared with the documents by its number of entries and the sum of their hashes, so that a collection of any size
takes little memory; the entries themselves are compared only where these differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import xxhash

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.errors import SkerryError
from skerry.storage import ReadView
from skerry.values import documents, key_string

_CHUNK_RECORDS: Final = 4096


@dataclass(slots=True)
class IndexCheck:
    """One index as found; `unrecorded_paths` hold arrays of which the catalogue does not know, which makes plans wrong."""

    index: IndexEntry
    entries: int = 0
    missing: int = 0
    extra: int = 0
    unrecorded_paths: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.index.descriptor.name

    def faults(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        found = []
        if self.missing or self.extra:
            found.append(f"index {self.name}: {self.missing} entries missing, {self.extra} too many")
        if self.unrecorded_paths:
            found.append(f"index {self.name}: arrays at {', '.join(sorted(self.unrecorded_paths))} are not recorded")
        return found


@dataclass(slots=True)
class CollectionCheck:
    """One collection as found: `counted` is what the catalogue says, `document_bytes` the size of all documents.

    `unreadable` are record ids with the reason, `misplaced` those not stored under the key of their `_id`, with that key.
    """

    counted: int
    counted_bytes: int
    documents: int = 0
    document_bytes: int = 0
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    misplaced: list[tuple[int, bytes]] = field(default_factory=list)
    indexes: list[IndexCheck] = field(default_factory=list)

    @property
    def counts_agree(self) -> bool:
        return (self.counted, self.counted_bytes) == (self.documents, self.document_bytes)

    def faults(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        found = [f"record {rid}: {reason}" for rid, reason in self.unreadable]
        found += [f"record {rid}: its _id is not what it is stored under" for rid, _ in self.misplaced]
        for index in self.indexes:
            found += index.faults()
        if not self.counts_agree:
            found.append(
                f"the catalogue counts {self.counted} documents of {self.counted_bytes} bytes,"
                f" there are {self.documents} of {self.document_bytes}"
            )
        return found


class _EntrySum:
    """An order-independent fingerprint of index entries."""

    __slots__ = ("count", "hashes")

    def __init__(self) -> None:
        self.count = 0
        self.hashes = 0

    def add(self, key: bytes, rid: int) -> None:
        self.count += 1
        self.hashes += xxhash.xxh3_128_intdigest(key + rid.to_bytes(8, "big", signed=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _EntrySum) and (self.count, self.hashes) == (other.count, other.hashes)

    __hash__ = None  # type: ignore[assignment]  # it changes


def check_collection(view: ReadView, entry: CatalogEntry) -> CollectionCheck:
    """Read every document and index entry of a collection and compare them."""
    counted = view.row("SELECT document_count, document_bytes FROM collection WHERE file_id = ?", (entry.file_id,))
    check = CollectionCheck(*counted)
    sums = {index.index_id: _EntrySum() for index in entry.indexes}
    array_paths = {index.index_id: set[str]() for index in entry.indexes}
    for rid, raw in _records(view, entry):
        check.documents += 1
        check.document_bytes += len(raw)
        try:
            document = documents.decode(raw)
            key = key_string.encode(document["_id"])
            if view.record_by_key(entry.file_id, key) != (rid, raw):
                check.misplaced.append((rid, key))
            for index in entry.indexes:
                keys, arrays = index.key_generator.keys(document)
                array_paths[index.index_id] |= arrays
                for index_key in keys:
                    sums[index.index_id].add(index_key, rid)
        except KeyError:
            check.unreadable.append((rid, "it has no _id"))
        except SkerryError as error:
            check.unreadable.append((rid, str(error)))
    for index in entry.indexes:
        found = _check_index(view, entry, index, sums[index.index_id])
        found.unrecorded_paths = frozenset(array_paths[index.index_id] - index.multikey_paths)
        check.indexes.append(found)
    return check


def _check_index(view: ReadView, entry: CatalogEntry, index: IndexEntry, expected: _EntrySum) -> IndexCheck:
    stored = _EntrySum()
    for key, rid in view.index_entries(index.index_id, entry.file_id):
        stored.add(key, rid)
    check = IndexCheck(index, stored.count)
    if stored != expected:
        check.missing, check.extra = _difference(view, entry, index)
    return check


def _difference(view: ReadView, entry: CatalogEntry, index: IndexEntry) -> tuple[int, int]:
    """Count the entries that the documents call for and the index lacks, and those that it has too many."""
    unmatched = set(view.index_entries(index.index_id, entry.file_id))
    missing = 0
    for rid, raw in _records(view, entry):
        try:
            keys = index.key_generator.keys(documents.decode(raw))[0]
        except SkerryError:
            continue
        for key in keys:
            if (key, rid) in unmatched:
                unmatched.discard((key, rid))
            else:
                missing += 1
    return missing, len(unmatched)


def _records(view: ReadView, entry: CatalogEntry) -> Iterator[tuple[int, bytes]]:
    after: int | None = None
    more = True
    while more:
        rows, more = view.scan(entry.file_id, after=after, reverse=False, limit=_CHUNK_RECORDS)
        yield from rows
        after = rows[-1][0] if rows else after
