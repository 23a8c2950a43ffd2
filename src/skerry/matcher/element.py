"""`$exists` and `$type`: is there a value, and of which BSON type?"""

from typing import Any

from skerry.errors import FailedToParseError
from skerry.expressions.truth import is_true
from skerry.matcher.match_expression import Exists, MatchExpression, Not, TypeIs
from skerry.matcher.path_traversal import ValueTest
from skerry.values.missing import MISSING
from skerry.values.type_order import bson_type, type_code


def parse_exists(path: str, operand: Any) -> MatchExpression:
    """Parse `$exists`; a null field exists."""
    return Exists(path) if is_true(operand) else Not(Exists(path))


def parse_type(path: str, operand: Any) -> MatchExpression:
    """Parse `$type`: a number, an alias such as "string", "number", or an array of them.

    Raises FailedToParseError for an empty array; what `type_code` raises for unknown types passes.
    """
    return TypeIs(path, type_codes(operand))


def type_codes(operand: Any) -> frozenset[int]:
    """Return the BSON type numbers that an operand of `$type` or `bsonType` names."""
    if not isinstance(operand, list | tuple):
        return type_code(operand)
    if not operand:
        raise FailedToParseError("$type must match at least one type")
    return frozenset[int]().union(*(type_code(item) for item in operand))


def exists_test(value: Any) -> bool:
    """Tell whether there is a value."""
    return value is not MISSING


def type_test(codes: frozenset[int]) -> ValueTest:
    """Return the test of a value's BSON type."""
    return lambda value: value is not MISSING and bson_type(value) in codes
