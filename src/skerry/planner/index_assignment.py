"""Which predicates of a conjunction bound the fields of an index, and what remains to be checked?

Rules for fields that may be arrays (MongoDB manual, "Multikey Index Bounds"): two predicates may be met by different
elements, so their bounds are not intersected on one field, nor combined on two fields that go through the same array, unless
one `$elemMatch` asks both of the same element. Negations bound no such field.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from skerry.matcher.match_expression import Exists, MatchExpression
from skerry.planner.implication import implies
from skerry.planner.index_bounds import EVERYTHING, Bounds, bounds_of, common, inverted
from skerry.planner.path_predicates import ElementScope, PathPredicate
from skerry.planner.planner_index import PlannerIndex, is_prefix
from skerry.planner.selectivity import selectivity
from skerry.values.field_path import array_position, split
from skerry.values.key_range import KeyRange, union
from skerry.values.key_string import NULL_KEY, invert, successor

MAX_RANGES = 4096
"""An index field with more alternatives than this, all those before it counted in, is left to the matcher."""


@dataclass(frozen=True, slots=True)
class FieldBounds:
    """What one field of an index is bound to, and by which clauses of the conjunction."""

    bounds: Bounds
    clauses: frozenset[int]
    scope: ElementScope | None = None


@dataclass(frozen=True, slots=True)
class BoundIndex:
    """An index with bounds for its leading fields, taken from the clauses of a conjunction."""

    index: PlannerIndex
    fields: tuple[FieldBounds, ...]
    clauses: Sequence[MatchExpression]

    @property
    def is_empty(self) -> bool:
        return any(field.bounds.is_empty for field in self.fields)

    def covered(self) -> bool:
        """Tell whether the keys alone decide which documents match, each with one key."""
        if self.index.multikey_paths:
            return False
        used: set[int] = set()
        for field in self.fields:
            if not field.bounds.exact or NULL_KEY in field.bounds.points:
                return False
            used |= field.clauses
        if len(used) == len(self.clauses):
            return True
        return all(number in used or _holds_for_all(self.index, clause) for number, clause in enumerate(self.clauses))

    def ranges(self) -> tuple[KeyRange, ...]:
        """Return the ranges of whole keys."""
        prefixes = [b""]
        for field, (_, direction) in zip(self.fields, self.index.descriptor.key):
            bounds = field.bounds
            if not bounds.ranges:
                points = bounds.points if direction > 0 else [invert(point) for point in bounds.points]
                prefixes = [prefix + point for prefix in prefixes for point in points]
                continue
            spans = bounds.all_ranges()
            if direction < 0:
                spans = tuple(inverted(span) for span in spans)
            return union(KeyRange(prefix + span.lower, prefix + span.upper) for prefix in prefixes for span in spans)
        if not self.fields:
            return (EVERYTHING,)
        if len(prefixes) == 1:
            return (KeyRange(prefixes[0], successor(prefixes[0])),)
        return union(KeyRange(prefix, successor(prefix)) for prefix in prefixes)


def bind(index: PlannerIndex, clauses: Sequence[MatchExpression], predicates: Sequence[PathPredicate]) -> BoundIndex:
    """Return the index with as many leading fields bound as can be."""
    fields: list[FieldBounds] = []
    count = 1
    for path, _ in index.descriptor.key:
        own = [each for each in predicates if each.path == path]
        field = _field_bounds(index, path, own, fields) if own else None
        if field is None:
            break
        count *= len(field.bounds.points) + len(field.bounds.ranges)
        if count > MAX_RANGES and fields:
            break
        fields.append(field)
        if field.bounds.ranges:
            break
    return BoundIndex(index, tuple(fields), clauses)


def is_complete(bound: BoundIndex, clauses: Sequence[MatchExpression], expression: MatchExpression) -> bool:
    """Tell whether the index has an entry of each document that matches: of concern for sparse and partial indexes."""
    index = bound.index
    if index.partial_filter is not None and not implies(expression, index.partial_filter):
        return False
    if not index.descriptor.sparse:
        return True
    paths = {path for path, _ in index.descriptor.key}
    return any(NULL_KEY not in field.bounds for field in bound.fields) or any(
        isinstance(clause, Exists) and clause.path in paths for clause in clauses
    )


def _holds_for_all(index: PlannerIndex, clause: MatchExpression) -> bool:
    """Whether the index has entries only of documents that match the clause."""
    if index.partial_filter is not None:
        return implies(index.partial_filter, clause)
    key = index.descriptor.key
    return index.descriptor.sparse and len(key) == 1 and isinstance(clause, Exists) and clause.path == key[0][0]


def _field_bounds(
    index: PlannerIndex, path: str, predicates: Sequence[PathPredicate], before: Sequence[FieldBounds]
) -> FieldBounds | None:
    arrays = index.arrays_on(path)
    if not arrays:
        return _intersection(predicates, single_value=True)
    shared = _arrays_shared(index, arrays, before)
    best: FieldBounds | None = None
    has_position = any(array_position(name) is not None for name in split(path)[1:])
    for option in _options(predicates, arrays):
        if shared and not _same_element(option.scope, shared):
            continue
        if has_position and NULL_KEY in option.bounds:
            continue  # the matcher also misses the number as a field of the array's documents, the index does not
        if best is None or selectivity(option.bounds) < selectivity(best.bounds):
            best = option
    return best


def _intersection(predicates: Sequence[PathPredicate], *, single_value: bool) -> FieldBounds | None:
    found: list[Bounds] = []
    used: list[int] = []
    for each in predicates:
        bounds = bounds_of(each.predicate, single_value=single_value)
        if bounds is not None:
            # The rest of an `$elemMatch`, and that there is an array at all, is not in these bounds.
            found.append(bounds if each.scope is None else Bounds(bounds.points, bounds.ranges, exact=False))
            used.append(each.clause)
    together = found[0] if len(found) == 1 else common(found)
    return None if together is None else FieldBounds(together, frozenset(used), predicates[0].scope)


def _options(predicates: Sequence[PathPredicate], arrays: Sequence[str]) -> list[FieldBounds]:
    """Return each way to bound a field that may be an array, those of an `$elemMatch` first."""
    options: list[FieldBounds] = []
    alone: list[PathPredicate] = []
    by_scope: dict[int, list[PathPredicate]] = {}
    for each in predicates:
        if each.scope is not None and all(is_prefix(array, each.scope.array_path) for array in arrays):
            by_scope.setdefault(id(each.scope), []).append(each)
        else:
            alone.append(each)
    for group in by_scope.values():
        together = _intersection(group, single_value=True)
        if together is not None:
            options.append(together)
    for each in alone:
        single = _intersection([each], single_value=False)
        if single is not None:
            options.append(single)
    return options


def _arrays_shared(
    index: PlannerIndex, arrays: Sequence[str], before: Sequence[FieldBounds]
) -> list[tuple[str, ElementScope | None]]:
    """Return the arrays that an earlier bound field goes through as well, with that field's scope."""
    shared: list[tuple[str, ElementScope | None]] = []
    for field, (path, _) in zip(before, index.descriptor.key):
        shared += [(array, field.scope) for array in arrays if is_prefix(array, path)]
    return shared


def _same_element(scope: ElementScope | None, shared: Sequence[tuple[str, ElementScope | None]]) -> bool:
    return scope is not None and all(other is scope and is_prefix(array, scope.array_path) for array, other in shared)
