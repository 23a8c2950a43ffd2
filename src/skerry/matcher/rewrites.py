"""Normalises a parsed filter without changing its meaning, for the matcher and the planner alike.

Nested `$and`s and `$or`s are flattened, constants are folded, `$in` of one value becomes an equality, and a
disjunction of equalities on one path becomes `$in`. The order of clauses is kept: the last one that an array element
satisfies decides the positional `$`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bson.regex import Regex

from skerry.matcher.match_expression import (
    AlwaysFalse,
    AlwaysTrue,
    And,
    Comparison,
    ElemMatchObject,
    ElemMatchValue,
    In,
    MatchExpression,
    Nor,
    Not,
    Or,
)


def normalize(expression: MatchExpression) -> MatchExpression:
    """Return an equivalent tree in normal form."""
    match expression:
        case And(children):
            return conjunction(normalize(child) for child in children)
        case Or(children):
            return _disjunction([normalize(child) for child in children])
        case Nor(children):
            return _negated_disjunction([normalize(child) for child in children])
        case Not(child):
            return _negation(normalize(child))
        case In(path, values, patterns):
            return _membership(path, values, patterns)
        case ElemMatchObject(path, child):
            return ElemMatchObject(path, normalize(child))
        case ElemMatchValue(path, child):
            return ElemMatchValue(path, normalize(child))
        case _:
            return expression


def conjunction(children: Iterable[MatchExpression]) -> MatchExpression:
    """Return the conjunction of normal trees as a normal tree."""
    kept: list[MatchExpression] = []
    for child in _flat(children, And):
        if isinstance(child, AlwaysFalse):
            return child
        if not isinstance(child, AlwaysTrue):
            kept.append(child)
    if not kept:
        return AlwaysTrue()
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def _flat(children: Iterable[MatchExpression], kind: type[And | Or]) -> Iterator[MatchExpression]:
    for child in children:
        if isinstance(child, kind):
            yield from child.children
        else:
            yield child


def _disjunction(children: Sequence[MatchExpression]) -> MatchExpression:
    kept: list[MatchExpression] = []
    for child in _flat(children, Or):
        if isinstance(child, AlwaysTrue):
            return child
        if not isinstance(child, AlwaysFalse):
            kept.append(child)
    if not kept:
        return AlwaysFalse()
    if len(kept) == 1:
        return kept[0]
    return _as_membership(kept) or Or(tuple(kept))


def _as_membership(children: Sequence[MatchExpression]) -> In | None:
    values: list[Any] = []
    for child in children:
        if not isinstance(child, Comparison) or child.operator != "$eq" or isinstance(child.value, Regex):
            return None
        values.append(child.value)
    paths = {child.path for child in children if isinstance(child, Comparison)}
    return In(paths.pop(), tuple(values), ()) if len(paths) == 1 else None


def _negated_disjunction(children: Sequence[MatchExpression]) -> MatchExpression:
    whole = _disjunction(children)
    if isinstance(whole, AlwaysTrue | AlwaysFalse):
        return _negation(whole)
    return Nor(whole.children) if isinstance(whole, Or) else Not(whole)


def _negation(child: MatchExpression) -> MatchExpression:
    if isinstance(child, AlwaysTrue):
        return AlwaysFalse()
    if isinstance(child, AlwaysFalse):
        return AlwaysTrue()
    return Not(child)


def _membership(path: str, values: tuple[Any, ...], patterns: tuple[Regex[str], ...]) -> MatchExpression:
    if patterns:
        return In(path, values, patterns)
    if not values:
        return AlwaysFalse()
    return Comparison(path, "$eq", values[0]) if len(values) == 1 else In(path, values, patterns)
