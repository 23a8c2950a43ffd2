"""What one update, delete or findAndModify statement does to the documents it matches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.objectid import ObjectId

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine.command_variables import CommandClock, command_variables
from skerry.engine.operation_context import Check
from skerry.engine.query_executor import Match
from skerry.engine.query_reads import matching, plan
from skerry.engine.requests import (
    DeleteStatement,
    FindAndModifyResult,
    FindAndModifyStatement,
    SortPattern,
    UpdateResult,
    UpdateSpec,
    UpdateStatement,
)
from skerry.engine.transactions import Transaction
from skerry.engine.write_target import WriteTarget
from skerry.errors import FailedToParseError
from skerry.matcher.compile import Filter, compile_filter
from skerry.matcher.match_expression import MatchExpression
from skerry.planner.query_solution import IndexScan, UnionScan
from skerry.projection.projection_parser import parse_projection
from skerry.update.update_driver import UpdateDriver, compile_update
from skerry.update.upsert import document_for_upsert
from skerry.values import documents


@dataclass(frozen=True, slots=True)
class _CompiledUpdate:
    filter: Filter
    driver: UpdateDriver
    clock: CommandClock

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        position = self.filter.array_position(document) if self.driver.needs_position else None
        return self.driver.apply(
            document,
            array_position=position,
            is_upsert_insert=False,
            now=self.clock.now,
            timestamp=self.clock.timestamp,
        )


def run_update(
    target: WriteTarget,
    index: int,
    statement: UpdateStatement,
    result: UpdateResult,
    clock: CommandClock,
    check: Check,
    sort_bytes_max: int,
) -> None:
    """Run one statement of an `update` command, adding to `result`; `index` is its place in the command."""
    compiled = _compile(
        statement.filter, statement.update, statement.array_filters, statement.let, clock, is_multi=statement.multi
    )
    entry = target.entry()
    matched = 0
    if entry is not None:
        limit = None if statement.multi else 1
        for match in to_write(
            target, entry, compiled.filter, check, statement.sort, statement.hint, limit, sort_bytes_max
        ):
            matched += 1
            if _write_update(target, match, compiled) is not None:
                result.modified += 1
    if matched == 0 and statement.upsert:
        raw, id_value = _upsert_document(compiled)
        target.insert(raw, id_value)
        result.upserted.append((index, id_value))
        matched = 1
    result.matched += matched


def run_delete(
    target: WriteTarget,
    statement: DeleteStatement,
    clock: CommandClock,
    check: Check,
    sort_bytes_max: int,
) -> int:
    """Run one statement of a `delete` command and return how many documents are gone."""
    filter = compile_filter(statement.filter, variables=command_variables(statement.let, clock))
    entry = target.entry()
    if entry is None:
        return 0
    deleted = 0
    limit = None if statement.multi else 1
    for match in to_write(target, entry, filter, check, None, statement.hint, limit, sort_bytes_max):
        target.delete(match)
        deleted += 1
    return deleted


def run_find_and_modify(
    target: WriteTarget,
    statement: FindAndModifyStatement,
    clock: CommandClock,
    check: Check,
    sort_bytes_max: int,
) -> FindAndModifyResult:
    """Change or remove one document and return it as it was, or as it has become."""
    compiled: _CompiledUpdate | None = None
    if statement.update is None:
        filter = compile_filter(statement.filter, variables=command_variables(statement.let, clock))
    else:
        compiled = _compile(
            statement.filter, statement.update, statement.array_filters, statement.let, clock, is_multi=False
        )
        filter = compiled.filter
    entry = target.entry()
    match: Match | None = None
    if entry is not None:
        found = to_write(target, entry, filter, check, statement.sort, statement.hint, 1, sort_bytes_max)
        match = next(found, None)
    if match is None:
        if compiled is None or not statement.upsert:
            return FindAndModifyResult(None, 0, updated_existing=False)
        raw, id_value = _upsert_document(compiled)
        target.insert(raw, id_value)
        shown = _shown(raw, statement, filter, clock) if statement.return_new else None
        return FindAndModifyResult(shown, 1, updated_existing=False, upserted_id=id_value, was_upsert=True)
    before = match[1]
    if compiled is None:
        target.delete(match)
        return FindAndModifyResult(_shown(before, statement, filter, clock), 1, updated_existing=False)
    after = _write_update(target, match, compiled) or before
    shown = _shown(after if statement.return_new else before, statement, filter, clock)
    return FindAndModifyResult(shown, 1, updated_existing=True)


def to_write(
    target: WriteTarget,
    entry: CatalogEntry,
    filter: Filter,
    check: Check,
    sort: SortPattern | None,
    hint: str | Mapping[str, Any] | None,
    limit: int | None,
    sort_bytes_max: int,
) -> Iterator[Match]:
    """Iterate over what a statement writes, safe against its own writes moving entries ahead of an index scan.

    An unlimited index scan is drained to record ids first, and each document read again: it is changed at most once.
    """
    if isinstance(target.source, Transaction):
        yield from list(
            matching(
                target.source,
                entry,
                filter,
                check,
                sort=sort,
                hint=hint,
                limit=limit,
                sort_bytes_max=sort_bytes_max,
            )
        )
        return
    if limit is None:
        solution, _ = plan(target.source, entry, filter, None, hint)
        if isinstance(solution, (IndexScan, UnionScan)):
            rids = [rid for rid, _, _ in target.source.matches(solution, entry, filter, check, need_documents=False)]
            yield from target.refetch(rids)
        else:
            yield from target.source.matches(solution, entry, filter, check)
        return
    yield from matching(
        target.source, entry, filter, check, sort=sort, hint=hint, limit=limit, sort_bytes_max=sort_bytes_max
    )


def _compile(
    filter_spec: Mapping[str, Any],
    update: UpdateSpec,
    array_filters: Sequence[Mapping[str, Any]],
    let: Mapping[str, Any] | None,
    clock: CommandClock,
    *,
    is_multi: bool,
) -> _CompiledUpdate:
    variables = command_variables(let, clock)
    filter = compile_filter(filter_spec, variables=variables)
    driver = compile_update(update, array_filters=array_filters, variables=variables)
    if is_multi and driver.is_replacement:
        raise FailedToParseError("multi update is not supported for replacement-style update")
    return _CompiledUpdate(filter, driver, clock)


def _write_update(target: WriteTarget, match: Match, compiled: _CompiledUpdate) -> bytes | None:
    """Write what the update makes of the document; None when that is the document itself."""
    old = match[2]
    assert old is not None
    new = compiled.apply(old)
    if new is old:
        return None
    return target.replace(match, new, is_replacement=compiled.driver.is_replacement)


def _upsert_document(compiled: _CompiledUpdate) -> tuple[bytes, Any]:
    expression: MatchExpression = compiled.filter.expression
    document = document_for_upsert(
        expression, compiled.driver, now=compiled.clock.now, timestamp=compiled.clock.timestamp
    )
    if "_id" not in document:
        document = {"_id": ObjectId(), **document}
    return documents.prepare_for_insert(documents.encode(document))


def _shown(raw: bytes, statement: FindAndModifyStatement, filter: Filter, clock: CommandClock) -> bytes:
    if not statement.projection:
        return raw
    variables = command_variables(statement.let, clock)
    projection = parse_projection(statement.projection, find=True, variables=variables)
    document = documents.decode(raw)
    position = filter.array_position(document) if projection.needs_position else None
    return documents.encode(projection.apply(document, variables, array_position=position))
