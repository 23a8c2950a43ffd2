"""Which predicates of a filter speak of one path, so that an index on the path may serve them?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.matcher.match_expression import (
    AlwaysTrue,
    And,
    Comparison,
    ElemMatchObject,
    ElemMatchValue,
    Exists,
    In,
    MatchExpression,
    Nor,
    Not,
    Or,
    RegexMatch,
    TypeIs,
)
from skerry.values.field_path import array_position, split


@dataclass(frozen=True, slots=True)
class ElementScope:
    """One `$elemMatch` on documents: its predicates are about one and the same element of the array at `array_path`."""

    array_path: str


@dataclass(frozen=True, slots=True, eq=False)
class PathPredicate:
    """A predicate on `path`, taken from the clause with number `clause` of the conjunction; `scope` by identity."""

    path: str
    predicate: MatchExpression
    clause: int
    scope: ElementScope | None = None


def clauses_of(expression: MatchExpression) -> tuple[MatchExpression, ...]:
    """Return the clauses that a document must all match; `$nor` as negations."""
    if isinstance(expression, AlwaysTrue):
        return ()
    children = expression.children if isinstance(expression, And) else (expression,)
    if not any(isinstance(child, Nor) for child in children):
        return children
    clauses: list[MatchExpression] = []
    for child in children:
        if isinstance(child, Nor):
            clauses += map(Not, child.children)
        else:
            clauses.append(child)
    return tuple(clauses)


def path_predicates(clauses: Sequence[MatchExpression]) -> list[PathPredicate]:
    """Return what the clauses of a conjunction say about single paths."""
    found: list[PathPredicate] = []
    for number, clause in enumerate(clauses):
        if isinstance(clause, ElemMatchObject):
            found += _in_elements(clause, clause.path, number)
        else:
            path = path_of(clause)
            if path is not None:
                found.append(PathPredicate(path, clause, number))
    return found


def path_of(predicate: MatchExpression) -> str | None:
    """Return the path of a predicate that may have bounds; of a disjunction the one that its branches share."""
    match predicate:
        case Comparison() | In() | RegexMatch() | TypeIs() | Exists() | ElemMatchValue():
            return predicate.path
        case Not(child):
            return path_of(child)
        case Or(children) | And(children):
            path = path_of(children[0])
            return path if path is not None and all(path_of(child) == path for child in children[1:]) else None
        case _:
            return None


def _in_elements(clause: ElemMatchObject, array_path: str, number: int) -> Iterator[PathPredicate]:
    scope = ElementScope(array_path)
    for child in clauses_of(clause.child):
        path = child.path if isinstance(child, ElemMatchObject) else path_of(child)
        if path is None or array_position(split(path)[0]) is not None:
            continue  # an element that is an array has its positions as fields, which no index follows
        whole_path = f"{array_path}.{path}"
        if isinstance(child, ElemMatchObject):
            yield from _in_elements(child, whole_path, number)
        else:
            yield PathPredicate(whole_path, child, number, scope)
