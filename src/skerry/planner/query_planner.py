"""Enumerates the ways to answer a query and chooses one.

Strategy: each visible index is bound to the clauses of the filter; an `$or` is a union when each of its branches has a bounded
solution of its own; the collection scan is what remains. There are no statistics: `plan_ranking` guesses. A solution only
narrows, the compiled filter checks every document unless the solution says that it is exact.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson.decimal128 import Decimal128

from skerry.errors import BadValueError, CommandError
from skerry.indexes.index_spec_validation import MAX_KEY_FIELDS
from skerry.matcher.match_expression import AlwaysFalse, AlwaysTrue, Comparison, MatchExpression, Or
from skerry.matcher.rewrites import conjunction
from skerry.planner.index_assignment import BoundIndex, bind, is_complete
from skerry.planner.path_predicates import clauses_of, path_predicates
from skerry.planner.plan_ranking import LOOKUP_COST, Candidate, index_cost, scan_cost, sorted_cost
from skerry.planner.planner_index import ID_PLANNER_INDEX, PlannerIndex
from skerry.planner.query_solution import (
    CollectionScan,
    EmptyScan,
    IdLookup,
    IndexScan,
    QuerySolution,
    UnionScan,
)
from skerry.planner.sort_analysis import SortPattern, scan_direction
from skerry.values.key_range import union
from skerry.values.key_string import encode
from skerry.values.numbers import is_number

__all__ = ["PlannerIndex", "plan_query"]

AMBIGUOUS_INDEX_KEY_PATTERN: Final = 181
_NATURAL: Final = "$natural"
_UNION_DEPTH: Final = 2
"""How deep `$or`s within `$or`s are planned."""

Hint = str | Mapping[str, Any]


def plan_query(
    expression: MatchExpression,
    *,
    sort: SortPattern | None = None,
    indexes: Sequence[PlannerIndex],
    hint: Hint | None = None,
) -> QuerySolution:
    """Return how to find the documents that match; `indexes` are the secondary ones, `_id` is implied.

    Raises BadValueError for a hint that names no visible index, CommandError 181 for one that names several.
    """
    if hint:
        return _hinted(expression, sort, indexes, hint)
    if isinstance(expression, AlwaysFalse):
        return EmptyScan()
    if sort and sort[0][0] == _NATURAL:
        return CollectionScan(reverse=sort[0][1] < 0)
    if isinstance(expression, AlwaysTrue) and not sort:
        return CollectionScan()
    if isinstance(expression, Comparison) and expression.path == "_id" and expression.operator == "$eq":
        # The commonest query needs no search for a plan.
        value = expression.value
        if value is not None and not isinstance(value, list | tuple):
            return IdLookup((encode(value),), exact=True)
    visible = [ID_PLANNER_INDEX, *(index for index in indexes if not index.descriptor.hidden)]
    return _best(expression, sort, visible)


def _best(expression: MatchExpression, sort: SortPattern | None, indexes: Sequence[PlannerIndex]) -> QuerySolution:
    best: Candidate | None = None
    for candidate in _candidates(expression, sort, indexes, _UNION_DEPTH):
        if candidate is None:
            return EmptyScan()
        if best is None or candidate.rank < best.rank:
            best = candidate
    if best is None or best.cost > scan_cost(must_sort=bool(sort)):
        return CollectionScan()
    scans = best.make_scans()
    return scans[0] if len(scans) == 1 else UnionScan(tuple(scans))


def _candidates(
    expression: MatchExpression, sort: SortPattern | None, indexes: Sequence[PlannerIndex], depth: int
) -> Iterator[Candidate | None]:
    """Yield the ways to use indexes; None says that no document can match."""
    clauses = clauses_of(expression)
    predicates = path_predicates(clauses)
    leading = {each.path for each in predicates}
    if sort:
        leading.update(path for path, _ in sort)
    for index in indexes:
        if not index.is_restricted and index.descriptor.key[0][0] not in leading:
            continue
        bound = bind(index, clauses, predicates)
        direction = scan_direction(bound, sort) if sort else None
        if not bound.fields and direction is None and not index.is_restricted:
            continue
        if index.is_restricted and not is_complete(bound, clauses, expression):
            continue
        if bound.is_empty:
            yield None
            return
        yield _of_index(bound, direction, must_sort=bool(sort) and direction is None)
    if depth:
        for number, clause in enumerate(clauses):
            if isinstance(clause, Or):
                others = [*clauses[:number], *clauses[number + 1 :]]
                yield from _unions(clause, others, indexes, depth, must_sort=bool(sort))


def _of_index(bound: BoundIndex, direction: int | None, *, must_sort: bool) -> Candidate:
    key_fields = len(bound.index.descriptor.key)
    if bound.index is ID_PLANNER_INDEX and bound.fields and not bound.fields[0].bounds.ranges:
        keys = bound.fields[0].bounds.points
        return Candidate(lambda: (IdLookup(keys, bound.covered()),), LOOKUP_COST * len(keys), key_fields)
    cost = index_cost(bound, must_sort=must_sort)
    return Candidate(lambda: (_index_scan(bound, direction),), cost, key_fields)


def _index_scan(bound: BoundIndex, direction: int | None) -> IndexScan:
    return IndexScan(
        bound.index.descriptor,
        bound.ranges(),
        reverse=direction == -1,
        provides_sort=direction is not None,
        exact=bound.covered(),
    )


def _unions(
    clause: Or, others: Sequence[MatchExpression], indexes: Sequence[PlannerIndex], depth: int, *, must_sort: bool
) -> Iterator[Candidate | None]:
    """Yield the union of the branches' best solutions, if each has one."""
    scans: list[IndexScan | IdLookup] = []
    cost = 0.0
    for branch in clause.children:
        whole = conjunction([*others, branch])
        if isinstance(whole, AlwaysFalse):
            continue
        best: Candidate | None = None
        for candidate in _candidates(whole, None, indexes, depth - 1):
            if candidate is None:
                break
            if best is None or candidate.rank < best.rank:
                best = candidate
        else:
            if best is None:
                return
            scans += best.make_scans()
            cost += best.cost
    if not scans:
        yield None
        return
    merged = _merged(scans)
    yield Candidate(lambda: merged, sorted_cost(cost) if must_sort else cost, key_fields=MAX_KEY_FIELDS)


def _merged(scans: Sequence[IndexScan | IdLookup]) -> tuple[IndexScan | IdLookup, ...]:
    """Return the same scans with one lookup and one scan an index at most."""
    keys: set[bytes] = set()
    by_index: dict[str, list[IndexScan]] = {}
    for scan in scans:
        if isinstance(scan, IdLookup):
            keys.update(scan.keys)
        else:
            by_index.setdefault(scan.index.name, []).append(scan)
    merged: list[IndexScan | IdLookup] = []
    if keys:
        merged.append(IdLookup(tuple(sorted(keys)), exact=all(s.exact for s in scans if isinstance(s, IdLookup))))
    for same in by_index.values():
        ranges = union(each for scan in same for each in scan.ranges)
        merged.append(IndexScan(same[0].index, ranges, exact=all(scan.exact for scan in same)))
    return tuple(merged)


def _hinted(
    expression: MatchExpression, sort: SortPattern | None, indexes: Sequence[PlannerIndex], hint: Hint
) -> QuerySolution:
    if not isinstance(hint, str) and next(iter(hint)) == _NATURAL:
        return CollectionScan(reverse=_natural_direction(hint) < 0)
    index = _hinted_index(indexes, hint)
    if sort and sort[0][0] == _NATURAL:
        raise BadValueError("a $natural sort cannot be combined with the hint of an index")
    if isinstance(expression, AlwaysFalse):
        return EmptyScan()
    clauses = clauses_of(expression)
    bound = bind(index, clauses, path_predicates(clauses))
    if bound.is_empty:
        return EmptyScan()
    direction = scan_direction(bound, sort) if sort else None
    # A sparse or partial index is used even if it lacks documents that match: the hint asks for it, as in MongoDB.
    return _of_index(bound, direction, must_sort=False).make_scans()[0]


def _natural_direction(hint: Mapping[str, Any]) -> int:
    value = hint[_NATURAL]
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    if len(hint) != 1 or not is_number(value) or number not in (1, -1):
        raise BadValueError("$natural hint must be the only field, and 1 or -1")
    return int(number)


def _hinted_index(indexes: Sequence[PlannerIndex], hint: Hint) -> PlannerIndex:
    visible = [ID_PLANNER_INDEX, *(index for index in indexes if not index.descriptor.hidden)]
    if isinstance(hint, str):
        found = [index for index in visible if index.descriptor.name == hint]
    else:
        pattern = [(path, float(value)) for path, value in hint.items() if is_number(value)]
        found = [index for index in visible if list(index.descriptor.key) == pattern and len(pattern) == len(hint)]
    if not found:
        raise BadValueError("error processing query: hint provided does not correspond to an existing index")
    if len(found) > 1:
        names = ", ".join(index.descriptor.name for index in found)
        raise CommandError(
            f"Hint matched multiple indexes, must hint by index name. Matched: {names}", AMBIGUOUS_INDEX_KEY_PATTERN
        )
    return found[0]
