"""Builds an index over the documents that are already there."""

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.engine.query_executor import CHUNK_RECORDS_MAX
from skerry.engine.write_path import duplicate_key_error
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.storage import KeyTakenError, WriteView
from skerry.values import documents

SORTED_RUN_ENTRIES = 200_000
"""Entries are inserted in sorted runs of this many: sorted input keeps the b-tree's pages full, a bound keeps memory small."""


def build_index(view: WriteView, catalog: CollectionCatalog, entry: CatalogEntry, descriptor: IndexDescriptor) -> None:
    """Add the index and fill it, in the writer's transaction.

    Raises `DuplicateKeyError` when the index is unique and two documents share a key, and what key generation raises.
    """
    _fill(view, catalog, entry, catalog.add_index(view, entry, descriptor))


def rebuild_index(view: WriteView, catalog: CollectionCatalog, entry: CatalogEntry, index: IndexEntry) -> None:
    """Make an index anew from the documents, whatever its table holds or whether it exists. Raises as `build_index`."""
    view.drop_index(index.index_id, entry.file_id)
    view.create_index(index.index_id, entry.file_id, unique=index.descriptor.unique)
    _fill(view, catalog, entry, index)


def _fill(view: WriteView, catalog: CollectionCatalog, entry: CatalogEntry, index: IndexEntry) -> None:
    """Insert the entries of every document into an index whose table is empty, and record its array paths."""
    generate = index.key_generator.keys
    array_paths: frozenset[str] = frozenset()
    entries: list[tuple[bytes, int]] = []

    def insert_run() -> None:
        entries.sort()
        try:
            view.insert_entries(index.index_id, entry.file_id, entries)
        except KeyTakenError:
            raise _duplicate_in(view, entries) from None
        entries.clear()

    def _duplicate_in(view: WriteView, run: list[tuple[bytes, int]]) -> Exception:
        for at, (key, rid) in enumerate(run):
            holder = view.index_holder(index.index_id, entry.file_id, key)
            previous = run[at - 1] if at else None
            if (holder is not None and holder != rid) or (previous is not None and previous[0] == key):
                raw = view.record(entry.file_id, rid)
                assert raw is not None
                return duplicate_key_error(entry, index, documents.decode(raw))
        raise AssertionError("SQLite refused an entry that no other has")

    after: int | None = None
    more = True
    while more:
        rows, more = view.scan(entry.file_id, after=after, reverse=False, limit=CHUNK_RECORDS_MAX)
        for rid, raw in rows:
            keys, arrays = generate(documents.decode(raw))
            array_paths |= arrays
            for key in keys:
                entries.append((key, rid))
        if rows:
            after = rows[-1][0]
        if len(entries) >= SORTED_RUN_ENTRIES:
            insert_run()
    insert_run()
    if array_paths != index.multikey_paths:
        catalog.set_multikey_paths(view, index, array_paths)
