"""`$cmp`, `$eq` and kin: MongoDB's order of all values, in which a missing value is below null."""

from typing import Final

from skerry.expressions.operands import binary
from skerry.expressions.scope import OperatorParser
from skerry.values.compare import compare

OPERATORS: Final[dict[str, OperatorParser]] = {
    "$cmp": binary(compare),
    "$eq": binary(lambda a, b: compare(a, b) == 0),
    "$gt": binary(lambda a, b: compare(a, b) > 0),
    "$gte": binary(lambda a, b: compare(a, b) >= 0),
    "$lt": binary(lambda a, b: compare(a, b) < 0),
    "$lte": binary(lambda a, b: compare(a, b) <= 0),
    "$ne": binary(lambda a, b: compare(a, b) != 0),
}
