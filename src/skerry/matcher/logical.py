"""`$and`, `$or`, `$nor`, `$not`: predicates over predicates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bson.regex import Regex

from skerry.errors import BadValueError
from skerry.matcher.match_expression import And, MatchExpression, Nor, Not, Or
from skerry.matcher.parsing import Parsing
from skerry.matcher.regular_expression import match_of_regex

Test = Callable[[Any], bool]


def parse_and(operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$and`."""
    return And(_clauses(operand, parsing))


def parse_or(operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$or`."""
    return Or(_clauses(operand, parsing))


def parse_nor(operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$nor`."""
    return Nor(_clauses(operand, parsing))


def _clauses(operand: Any, parsing: Parsing) -> tuple[MatchExpression, ...]:
    if not isinstance(operand, list | tuple):
        raise BadValueError("$and/$or/$nor must be an array")
    if not operand:
        raise BadValueError("$and/$or/$nor must be a nonempty array")
    for clause in operand:
        if not isinstance(clause, Mapping):
            raise BadValueError("$or/$and/$nor entries need to be full objects")
    return tuple(parsing.document(clause) for clause in operand)


def parse_not(path: str, operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `{path: {$not: operators or pattern}}`."""
    if isinstance(operand, Regex):
        return Not(match_of_regex(path, operand))
    if not isinstance(operand, Mapping):
        raise BadValueError("$not needs a regex or a document")
    if not operand:
        raise BadValueError("$not cannot be empty")
    return Not(parsing.operators(path, operand))


def all_of(tests: Sequence[Test]) -> Test:
    """Return the conjunction, evaluated in order."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda subject: first(subject) and second(subject)
    if len(tests) == 3:
        first, second, third = tests
        return lambda subject: first(subject) and second(subject) and third(subject)

    return lambda subject: all(test(subject) for test in tests)


def any_of(tests: Sequence[Test]) -> Test:
    """Return the disjunction, evaluated in order."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda subject: first(subject) or second(subject)

    return lambda subject: any(test(subject) for test in tests)


def negation(test: Test) -> Test:
    """Return the complement."""
    return lambda subject: not test(subject)
