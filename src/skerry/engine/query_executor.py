"""Runs a query solution: from key ranges to matching documents.

The solution narrows, the compiled filter decides. Records are fetched in chunks, each in a read transaction of its own, so a
cursor holds no snapshot between the batches of a slow client; like MongoDB's cursors outside a transaction it may then see a
concurrent change of documents that it has not reached yet.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.engine.operation_context import Check
from skerry.errors import CommandError
from skerry.matcher.compile import Filter
from skerry.planner.query_solution import (
    CollectionScan,
    EmptyScan,
    IdLookup,
    IndexScan,
    QuerySolution,
    UnionScan,
)
from skerry.storage import ReadView
from skerry.values import documents, key_string

CHUNK_RECORDS_FIRST: Final = 128
CHUNK_RECORDS_MAX: Final = 4096
QUERY_PLAN_KILLED: Final = 175

Match = tuple[int, bytes, dict[str, Any] | None]
"""Record id (-1 when a transaction's own insert), raw document, decoded document (None when nobody needed it)."""
ViewSource = Callable[[], AbstractContextManager[ReadView]]
"""Opens a read view for one chunk."""


def run_solution(
    solution: QuerySolution,
    entry: CatalogEntry,
    filter: Filter,
    views: ViewSource,
    *,
    check: Check,
    first_chunk: int = CHUNK_RECORDS_FIRST,
    need_documents: bool = True,
) -> Iterator[Match]:
    """Iterate over the matches of `filter` among what `solution` yields, each document once.

    `check` is called once a chunk and may raise. Documents are decoded only where the filter or the caller needs them.
    """
    chunks = solution_chunks(solution, entry, views, first_chunk=first_chunk)
    if may_repeat(solution, entry):
        chunks = _without_repeats(chunks)
    decode = documents.decode
    accept_all = filter.matches_all or _are_matches(solution, entry)
    if accept_all and not need_documents:
        for chunk in chunks:
            check(len(chunk), solution)
            for rid, raw in chunk:
                yield rid, raw, None
        return
    matches = filter.matches
    for chunk in chunks:
        check(len(chunk), solution)
        for rid, raw in chunk:
            document = decode(raw)
            if accept_all or matches(document):
                yield rid, raw, document


def solution_chunks(
    solution: QuerySolution, entry: CatalogEntry, views: ViewSource, *, first_chunk: int = CHUNK_RECORDS_FIRST
) -> Iterator[list[tuple[int, bytes]]]:
    """Iterate over lists of (record id, raw document) that `solution` yields, before any filter."""
    match solution:
        case IdLookup(keys=keys):
            yield from _lookup_chunks(keys, entry, views)
        case CollectionScan():
            yield from _collection_chunks(solution, entry, views, first_chunk)
        case IndexScan():
            yield from _index_chunks(solution, entry, views, first_chunk)
        case UnionScan(scans=scans):
            for scan in scans:
                yield from solution_chunks(scan, entry, views, first_chunk=first_chunk)
        case EmptyScan():
            return


def may_repeat(solution: QuerySolution, entry: CatalogEntry) -> bool:
    """Whether one document can come up more than once: through several array elements, or several branches of `$or`."""
    if isinstance(solution, UnionScan):
        return True
    if isinstance(solution, IndexScan):
        index = entry.index_named(solution.index.name)
        return index is not None and bool(index.multikey_paths)
    return False


def _are_matches(solution: QuerySolution, entry: CatalogEntry) -> bool:
    """Whether all that `solution` yields matches without a look at it. Only said of `_id`s, which are never arrays.

    Another index may get its first array between two chunks, and its keys say less from then on.
    """
    if isinstance(solution, IdLookup):
        return solution.exact
    return isinstance(solution, IndexScan) and solution.exact and entry.index_named(solution.index.name) is None


def count_exact(solution: QuerySolution, entry: CatalogEntry, view: ReadView) -> int | None:
    """Count the matches of an exact solution from its keys alone; None when documents must be looked at."""
    if isinstance(solution, EmptyScan):
        return 0
    if isinstance(solution, IdLookup) and solution.exact:
        return sum(view.record_by_key(entry.file_id, key) is not None for key in solution.keys)
    if isinstance(solution, IndexScan) and solution.exact and not may_repeat(solution, entry):
        index = entry.index_named(solution.index.name)
        if index is None:
            return sum(view.count_keys(entry.file_id, each.lower, each.upper) for each in solution.ranges)
        return sum(view.count_index(index.index_id, entry.file_id, each.lower, each.upper) for each in solution.ranges)
    return None


def id_key(document: dict[str, Any]) -> bytes:
    """Return the key string of a stored document's `_id`."""
    return key_string.encode(document["_id"])


def _without_repeats(chunks: Iterator[list[tuple[int, bytes]]]) -> Iterator[list[tuple[int, bytes]]]:
    seen: set[int] = set()
    for chunk in chunks:
        fresh = []
        for record in chunk:
            if record[0] not in seen:
                seen.add(record[0])
                fresh.append(record)
        yield fresh


def _lookup_chunks(
    keys: tuple[bytes, ...], entry: CatalogEntry, views: ViewSource
) -> Iterator[list[tuple[int, bytes]]]:
    for start in range(0, len(keys), CHUNK_RECORDS_FIRST):
        found = []
        with views() as view:
            for key in keys[start : start + CHUNK_RECORDS_FIRST]:
                record = view.record_by_key(entry.file_id, key)
                if record is not None:
                    found.append(record)
        yield found


def _collection_chunks(
    solution: CollectionScan, entry: CatalogEntry, views: ViewSource, size: int
) -> Iterator[list[tuple[int, bytes]]]:
    after: int | None = None
    more = True
    while more:
        with views() as view:
            rows, more = view.scan(entry.file_id, after=after, reverse=solution.reverse, limit=size)
        if rows:
            yield rows
            after = rows[-1][0]
        size = min(size * 4, CHUNK_RECORDS_MAX)


def _index_chunks(
    solution: IndexScan, entry: CatalogEntry, views: ViewSource, size: int
) -> Iterator[list[tuple[int, bytes]]]:
    index: IndexEntry | None = None
    if solution.index.name != "_id_":
        index = entry.index_named(solution.index.name)
        if index is None:
            raise CommandError(f"index {solution.index.name!r} was dropped", QUERY_PLAN_KILLED)
    ranges = reversed(solution.ranges) if solution.reverse else solution.ranges
    for bounds in ranges:
        after: tuple[bytes, int] | None = None
        more = True
        while more:
            with views() as view:
                if index is None:
                    rows, more = view.scan_keys(
                        entry.file_id,
                        bounds.lower,
                        bounds.upper,
                        after=after[0] if after else None,
                        reverse=solution.reverse,
                        limit=size,
                    )
                else:
                    rows, more = view.scan_index(
                        index.index_id,
                        entry.file_id,
                        bounds.lower,
                        bounds.upper,
                        after=after,
                        reverse=solution.reverse,
                        limit=size,
                    )
            if rows:
                yield [(rid, raw) for _, rid, raw in rows]
                after = rows[-1][0], rows[-1][1]
            size = min(size * 4, CHUNK_RECORDS_MAX)
