"""`$min`, `$max`, `$minN` and `$maxN`: null and missing values are passed over. Source: the manual's pages so named."""

from collections.abc import Callable
from typing import Any, Final

from bson.int64 import Int64
from bson.objectid import ObjectId

from skerry.aggregation.accumulators.accumulator import Accumulator, AccumulatorExpression, unary
from skerry.aggregation.accumulators.n_argument import parse_n_input
from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.stage import StageScope
from skerry.values.compare import ValueKey, compare
from skerry.values.missing import MISSING

_NATIVE: Final = frozenset((int, Int64, str, ObjectId))


class Extreme:
    """The least value (`sign` -1) or the greatest (1); of equal ones the first."""

    __slots__ = ("best", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.best: Any = None

    def add(self, value: Any) -> None:
        """Take a value."""
        best = self.best
        kind = value.__class__
        if kind is best.__class__ and kind in _NATIVE:
            if (value > best) if self.sign > 0 else (value < best):
                self.best = value
        elif value is None or value is MISSING:
            return
        elif best is None or compare(value, best) == self.sign:
            self.best = value

    def result(self) -> Any:
        """Return the extreme, None when there was no value."""
        return self.best


class Extremes:
    """The `n` least or greatest values, the extreme one first."""

    __slots__ = ("_held", "_meter", "_n", "_reverse")

    def __init__(self, n: int, meter: MemoryMeter, *, reverse: bool) -> None:
        self._n = n
        self._meter = meter
        self._reverse = reverse
        self._held: list[Any] = []

    def add(self, value: Any) -> None:
        """Take a value."""
        if value is None or value is MISSING:
            return
        self._meter.add_value(value)
        self._held.append(value)
        if len(self._held) > 4 * self._n + 64:
            ordered = self._ordered()
            for each in ordered[self._n :]:
                self._meter.release_value(each)
            self._held = ordered[: self._n]

    def result(self) -> list[Any]:
        """Return the values in order."""
        return self._ordered()[: self._n]

    def _ordered(self) -> list[Any]:
        return sorted(self._held, key=ValueKey, reverse=self._reverse)


parse_min = unary(lambda _meter: Extreme(-1))
parse_max = unary(lambda _meter: Extreme(1))


def _n_parser(make: Callable[[int, MemoryMeter], Accumulator]) -> Callable[..., AccumulatorExpression]:
    def parse(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
        return parse_n_input(name, argument, scope, make)

    return parse


parse_min_n = _n_parser(lambda n, meter: Extremes(n, meter, reverse=False))
parse_max_n = _n_parser(lambda n, meter: Extremes(n, meter, reverse=True))
