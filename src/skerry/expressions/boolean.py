"""`$and`, `$or`, `$not`."""

from typing import Any, Final

from skerry.expressions.expression import Document, Expression, Variables, combine
from skerry.expressions.operands import OF_ANY_LENGTH, parse_operands, unary
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import is_true


def _parse_and(name: str, argument: Any, scope: Scope) -> Expression:
    operands = parse_operands(name, argument, scope, 0, OF_ANY_LENGTH)
    evaluators = tuple(operand.evaluate for operand in operands)

    def evaluate_and(document: Document, variables: Variables) -> bool:
        for evaluate in evaluators:  # noqa: SIM110 - a generator costs twice as much
            if not is_true(evaluate(document, variables)):
                return False
        return True

    return combine(evaluate_and, operands)


def _parse_or(name: str, argument: Any, scope: Scope) -> Expression:
    operands = parse_operands(name, argument, scope, 0, OF_ANY_LENGTH)
    evaluators = tuple(operand.evaluate for operand in operands)

    def evaluate_or(document: Document, variables: Variables) -> bool:
        for evaluate in evaluators:  # noqa: SIM110
            if is_true(evaluate(document, variables)):
                return True
        return False

    return combine(evaluate_or, operands)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$and": _parse_and,
    "$not": unary(lambda value: not is_true(value)),
    "$or": _parse_or,
}
