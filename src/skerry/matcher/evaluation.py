"""`$expr`, `$mod`, `$sampleRate`: predicates that compute."""

from collections.abc import Mapping
from typing import Any

from bson.decimal128 import Decimal128

from skerry.errors import BadValueError
from skerry.expressions.expression_parser import Expression, compile_expression
from skerry.expressions.truth import is_true
from skerry.matcher.integer_operand import truncated
from skerry.matcher.match_expression import AlwaysFalse, AlwaysTrue, ExprPredicate, MatchExpression, Mod
from skerry.matcher.parsing import Parsing
from skerry.matcher.path_traversal import Predicate, ValueTest


def parse_expr(operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$expr`, which only the filter itself may hold, not `$elemMatch`."""
    if not parsing.at_top:
        raise BadValueError("$expr can only be applied to the top-level document")
    return ExprPredicate(compile_expression(operand, variables=parsing.variables))


def parse_sample_rate(operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$sampleRate`: each document matches with that probability, 0 to 1."""
    rate = operand.to_decimal() if isinstance(operand, Decimal128) else operand
    if isinstance(operand, bool) or not isinstance(operand, int | float | Decimal128):
        raise BadValueError("argument to $sampleRate must be a numeric type")
    if not 0 <= rate <= 1:
        raise BadValueError("numeric argument to $sampleRate must be in [0, 1]")
    if rate == 0:
        return AlwaysFalse()
    if rate == 1:
        return AlwaysTrue()
    return parse_expr({"$lt": [{"$rand": {}}, float(rate)]}, parsing)


def expr_predicate(expression: Expression, variables: Mapping[str, Any]) -> Predicate:
    """Return the predicate of `$expr`: the expression's value counts as true."""
    evaluate = expression.evaluate

    def match(document: dict[str, Any]) -> bool:
        value = evaluate(document, variables)
        return value if value.__class__ is bool else is_true(value)

    return match


def parse_mod(path: str, operand: Any) -> MatchExpression:
    """Parse `$mod: [divisor, remainder]`; fractions are cut.

    Raises BadValueError for any other number of elements, other types, non-finite numbers, and divisor 0.
    """
    if not isinstance(operand, list | tuple):
        raise BadValueError("malformed mod, needs to be an array")
    if len(operand) < 2:
        raise BadValueError("malformed mod, not enough elements")
    if len(operand) > 2:
        raise BadValueError("malformed mod, too many elements")
    numbers: list[int] = []
    for role, value in zip(("divisor", "remainder"), operand):
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal128):
            raise BadValueError(f"malformed mod, {role} not a number")
        number = truncated(value)
        if number is None:
            raise BadValueError(f"malformed mod, {role} value is invalid: {value} is not a 64-bit integer")
        numbers.append(number)
    if numbers[0] == 0:
        raise BadValueError("divisor cannot be 0")
    return Mod(path, numbers[0], numbers[1])


def mod_test(divisor: int, remainder: int) -> ValueTest:
    """Return the test of a number's remainder, which has the sign of the dividend."""
    modulus = abs(divisor)

    def test(value: Any) -> bool:
        number = truncated(value)
        if number is None:
            return False
        rest = abs(number) % modulus
        return (rest if number >= 0 else -rest) == remainder

    return test
