"""What a compiled expression is: a callable over a document and its variables, with what is known of it beforehand.

Rules: `evaluate` never changes its document; a value that is absent is `MISSING`, not None; an expression whose operands
are all constant is computed once, when it is compiled. One that fails then is left to fail when it is evaluated, because a
conditional around it may never do so.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skerry.errors import CommandError
from skerry.values.missing import MISSING

Document = dict[str, Any]
Variables = Mapping[str, Any]
Evaluator = Callable[[Document, Variables], Any]
Paths = frozenset[str] | None

NO_PATHS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled expression; immutable, so that threads may share it.

    `evaluate(document, variables)` returns a value or `MISSING`. `paths` are the field paths it reads, None for the whole
    document. `constant` is its value when `is_constant`, else `MISSING`.
    """

    evaluate: Evaluator
    paths: Paths = NO_PATHS
    is_constant: bool = False
    constant: Any = MISSING


def constant(value: Any) -> Expression:
    """Return the expression that is always `value`."""
    return Expression(lambda _document, _variables: value, NO_PATHS, is_constant=True, constant=value)


def combine(evaluate: Evaluator, operands: Iterable[Expression]) -> Expression:
    """Return the expression that `evaluate` computes from nothing but the operands, folded when they are constant."""
    operands = tuple(operands)
    if all(operand.is_constant for operand in operands):
        try:
            return constant(evaluate({}, {}))
        except CommandError:
            return Expression(evaluate)
    return Expression(evaluate, union_of_paths(operands))


def depend(evaluate: Evaluator, operands: Iterable[Expression]) -> Expression:
    """Return an expression that depends on more than its operands (variables, chance), so that it is never folded."""
    return Expression(evaluate, union_of_paths(operands))


def union_of_paths(operands: Iterable[Expression]) -> Paths:
    """Return every path that some operand reads, None when one of them needs the whole document."""
    paths: set[str] = set()
    for operand in operands:
        if operand.paths is None:
            return None
        paths |= operand.paths
    return frozenset(paths)
