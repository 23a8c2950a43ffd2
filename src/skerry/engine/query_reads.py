"""Reads of one collection: find, count, distinct, each from a plan to its result."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from bson.regex import Regex

from skerry.aggregation.stages.sort import sort_items
from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine.operation_context import Check
from skerry.engine.query_executor import CHUNK_RECORDS_FIRST, CHUNK_RECORDS_MAX, Match, count_exact
from skerry.engine.record_source import RecordSource
from skerry.engine.requests import CountQuery, FindQuery, SortPattern
from skerry.errors import BadValueError, NotImplementedYetError
from skerry.matcher.compile import Filter, compile_filter
from skerry.planner.query_planner import plan_query
from skerry.planner.query_solution import CollectionScan, EmptyScan, IndexScan, QuerySolution
from skerry.projection.projection_parser import parse_projection
from skerry.values import documents, field_path, key_string
from skerry.values.compare import ValueKey
from skerry.values.missing import MISSING


def plain_id(filter: Mapping[str, Any]) -> bytes | None:
    """Return the key of the only document that `filter` can match when it is just `{_id: value}`, else None."""
    if len(filter) != 1 or "_id" not in filter:
        return None
    value = filter["_id"]
    if isinstance(value, (Mapping, list, Regex)) or value is None:
        return None
    return key_string.encode(value)


def plan(
    source: RecordSource,
    entry: CatalogEntry,
    filter: Filter,
    sort: SortPattern | None,
    hint: str | Mapping[str, Any] | None,
) -> tuple[QuerySolution, bool]:
    """Return the solution and whether it already yields the documents in the order of `sort`."""
    usable_sort = sort if sort and source.keeps_index_order(entry.namespace) else None
    solution = plan_query(filter.expression, sort=usable_sort, indexes=entry.planner_indexes, hint=hint)
    if not sort:
        return solution, True
    if isinstance(solution, IndexScan):
        return solution, usable_sort is not None and solution.provides_sort
    if isinstance(solution, CollectionScan):
        return solution, sort[0][0] == "$natural"
    return solution, False


def reads_keys(solution: QuerySolution) -> bool:
    """Whether the solution goes through an index."""
    return not isinstance(solution, (CollectionScan, EmptyScan))


def matching(
    source: RecordSource,
    entry: CatalogEntry,
    filter: Filter,
    check: Check,
    *,
    sort: SortPattern | None = None,
    hint: str | Mapping[str, Any] | None = None,
    limit: int | None = None,
    need_documents: bool = True,
    sort_bytes_max: int,
) -> Iterator[Match]:
    """Iterate over the matches in the order of `sort`, at most `limit` of them."""
    solution, is_sorted = plan(source, entry, filter, sort, hint)
    blocking = bool(sort) and not is_sorted
    matches = source.matches(
        solution,
        entry,
        filter,
        check,
        first_chunk=_first_chunk(None if blocking or not filter.matches_all else limit),
        need_documents=need_documents or blocking,
    )
    if blocking:
        assert sort is not None
        matches = iter(sort_items(matches, sort, _document_of, limit, memory_limit_bytes=sort_bytes_max))
    return matches if limit is None else islice(matches, limit)


def find_raw(
    source: RecordSource,
    entry: CatalogEntry,
    query: FindQuery,
    variables: dict[str, Any],
    check: Check,
    *,
    sort_bytes_max: int,
) -> Iterator[bytes]:
    """Iterate over the raw documents of a `find`. Raises what parsing raises before anything is iterated."""
    if not query.is_plain:
        raise NotImplementedYetError("find options returnKey, showRecordId, min and max are not implemented")
    filter = compile_filter(query.filter, variables=variables)
    projection = parse_projection(query.projection, find=True, variables=variables) if query.projection else None
    limit = None if query.limit is None else query.limit + query.skip
    matches = matching(
        source,
        entry,
        filter,
        check,
        sort=query.sort,
        hint=query.hint,
        limit=limit,
        need_documents=projection is not None,
        sort_bytes_max=sort_bytes_max,
    )
    if query.skip:
        matches = islice(matches, query.skip, None)
    if projection is None:
        return (raw for _, raw, _ in matches)
    return _projected(matches, projection, filter, variables)


def count(
    source: RecordSource,
    entry: CatalogEntry,
    query: CountQuery,
    variables: Mapping[str, Any],
    check: Check,
) -> int:
    """Count matches, from index keys alone where the plan is exact."""
    filter = compile_filter(query.filter, variables=variables)
    solution, _ = plan(source, entry, filter, None, query.hint)
    total: int | None = None
    if source.keeps_index_order(entry.namespace):
        with source.view() as view:
            if filter.matches_all and query.hint is None:
                total = _metadata_count(view, entry)
            else:
                total = count_exact(solution, entry, view)
    if total is None:
        ceiling = None if not query.limit else query.limit + query.skip
        matches = source.matches(
            solution, entry, filter, check, first_chunk=CHUNK_RECORDS_MAX // 4, need_documents=False
        )
        total = sum(1 for _ in islice(matches, ceiling))
    total = max(0, total - query.skip)
    return min(total, query.limit) if query.limit else total


def distinct(
    source: RecordSource,
    entry: CatalogEntry,
    path: str,
    filter_spec: Mapping[str, Any],
    hint: str | Mapping[str, Any] | None,
    variables: Mapping[str, Any],
    check: Check,
) -> list[Any]:
    """Return the distinct values at `path`, array elements one by one (manual: `distinct`)."""
    filter = compile_filter(filter_spec, variables=variables)
    solution, _ = plan(source, entry, filter, None, hint)

    def found() -> Iterator[dict[str, Any]]:
        for _, _, document in source.matches(solution, entry, filter, check):
            assert document is not None
            yield document

    return distinct_values(found(), path)


def distinct_values(found: Iterable[Mapping[str, Any]], path: str) -> list[Any]:
    """Return the distinct values at `path` in BSON order. Raises `BadValueError` for an empty path."""
    if not path:
        raise BadValueError("distinct: 'key' must be a non-empty string")
    parts = field_path.split(path)
    seen: dict[ValueKey, Any] = {}
    for document in found:
        for value in field_path.candidates(document, parts):
            for each in value if isinstance(value, list) else (value,):
                if each is not MISSING:
                    seen.setdefault(ValueKey(each), each)
    return [seen[key] for key in sorted(seen)]


def _projected(matches: Iterator[Match], projection: Any, filter: Filter, variables: dict[str, Any]) -> Iterator[bytes]:
    encode = documents.encode
    apply = projection.apply
    if projection.needs_position:
        for _, _, document in matches:
            assert document is not None
            yield encode(apply(document, variables, array_position=filter.array_position(document)))
        return
    for _, _, document in matches:
        yield encode(apply(document, variables))


def _document_of(match: Match) -> dict[str, Any]:
    document = match[2]
    assert document is not None
    return document


def _first_chunk(limit: int | None) -> int:
    return CHUNK_RECORDS_FIRST if limit is None else max(1, min(limit, CHUNK_RECORDS_FIRST))


def _metadata_count(view: Any, entry: CatalogEntry) -> int:
    return int(view.row("SELECT document_count FROM collection WHERE file_id = ?", (entry.file_id,))[0])
