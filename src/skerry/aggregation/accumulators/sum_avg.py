"""`$sum`, `$avg` and `$count`. Numbers only, everything else is passed over. Source: the manual's pages so named."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from bson.decimal128 import Decimal128, create_decimal128_context
from bson.int64 import Int64

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression, unary
from skerry.aggregation.stage import StageScope
from skerry.errors import TypeMismatchError
from skerry.values.numbers import INT64_MAX, INT64_MIN, is_number, normalize, to_decimal

_CONTEXT: Final = create_decimal128_context()


class Total:
    """Adds numbers of all widths: integers exactly, doubles with their rounding errors kept, decimals in their context.

    The sum of the doubles is `double + error`: the error of each addition is exact (Knuth's two-sum), so that a long row
    of small numbers does not drift.
    """

    __slots__ = ("count", "decimal", "double", "error", "has_double", "has_long", "whole")

    def __init__(self) -> None:
        self.count = 0
        self.whole = 0
        self.has_long = False
        self.double = 0.0
        self.error = 0.0
        self.has_double = False
        self.decimal: Decimal | None = None

    def add(self, value: Any) -> None:
        """Take a value; what is no number does not count."""
        kind = value.__class__
        if kind is int:
            self.whole += value
        elif kind is float:
            before = self.double
            after = self.double = before + value
            added = after - before
            self.error += (before - (after - added)) + (value - added)
            self.has_double = True
        elif kind is Int64:
            self.whole += int(value)
            self.has_long = True
        elif kind is Decimal128:
            self.decimal = _CONTEXT.add(self.decimal or Decimal(0), value.to_decimal())
        else:
            return
        self.count += 1

    def total(self) -> Any:
        """Return the sum in the widest type among the numbers; integers that overflow become a double."""
        if self.decimal is not None:
            rest = _CONTEXT.add(Decimal(self.whole), to_decimal(self._doubles()).to_decimal())
            return Decimal128(_CONTEXT.add(self.decimal, rest))
        if self.has_double:
            return self._doubles() + self.whole
        if not INT64_MIN <= self.whole <= INT64_MAX:
            return float(self.whole)
        return Int64(self.whole) if self.has_long else normalize(self.whole)

    def _doubles(self) -> float:
        # An infinity on the way makes the error meaningless.
        return self.double + self.error if math.isfinite(self.double) else self.double


class Sum(Total):
    """`$sum`."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the sum, 0 when there was no number."""
        return self.total()


class Average(Total):
    """`$avg`."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the mean as a double or decimal, None when there was no number."""
        if not self.count:
            return None
        if self.decimal is not None:
            return Decimal128(_CONTEXT.divide(self.total().to_decimal(), Decimal(self.count)))
        if self.has_double:
            return self.total() / self.count
        return self.whole / self.count


_parse_unary_sum = unary(lambda _meter: Sum())


def parse_sum(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse `$sum`; a constant is not added document by document."""
    parsed = _parse_unary_sum(name, argument, scope)
    if is_number(argument):
        return AccumulatorExpression(parsed.evaluate, parsed.start, times=argument)
    return parsed


parse_average = unary(lambda _meter: Average())


def parse_count(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse `$count: {}`. Raises TypeMismatchError for any argument."""
    if not isinstance(argument, Mapping) or argument:
        raise TypeMismatchError(f"{name} takes no arguments, i.e. {name}:{{}}")
    return parse_sum(name, 1, scope)
