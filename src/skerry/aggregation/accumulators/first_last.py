"""`$first`, `$last`, `$firstN` and `$lastN`: by the order in which documents come. Source: the manual's pages so named."""

from collections import deque
from typing import Any

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression, unary
from skerry.aggregation.accumulators.n_argument import parse_n_input
from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.stage import StageScope
from skerry.values.missing import MISSING


class First:
    """`$first`."""

    __slots__ = ("_is_empty", "_value")

    def __init__(self) -> None:
        self._is_empty = True
        self._value: Any = None

    def add(self, value: Any) -> None:
        """Take a value."""
        if self._is_empty:
            self._is_empty = False
            self._value = value

    def result(self) -> Any:
        """Return the first value, null or missing included."""
        return self._value


class Last:
    """`$last`."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value: Any = None

    def add(self, value: Any) -> None:
        """Take a value."""
        self._value = value

    def result(self) -> Any:
        """Return the last value, null or missing included."""
        return self._value


class FirstN:
    """`$firstN`; a missing value counts as null."""

    __slots__ = ("_held", "_meter", "_n")

    def __init__(self, n: int, meter: MemoryMeter) -> None:
        self._n = n
        self._meter = meter
        self._held: list[Any] = []

    def add(self, value: Any) -> None:
        """Take a value."""
        if len(self._held) < self._n:
            self._meter.add_value(value)
            self._held.append(None if value is MISSING else value)

    def result(self) -> list[Any]:
        """Return the values in the order of coming."""
        return list(self._held)


class LastN:
    """`$lastN`; a missing value counts as null."""

    __slots__ = ("_held", "_meter", "_n")

    def __init__(self, n: int, meter: MemoryMeter) -> None:
        self._n = n
        self._meter = meter
        self._held: deque[Any] = deque()

    def add(self, value: Any) -> None:
        """Take a value."""
        if len(self._held) == self._n:
            self._meter.release_value(self._held.popleft())
        self._meter.add_value(value)
        self._held.append(None if value is MISSING else value)

    def result(self) -> list[Any]:
        """Return the values in the order of coming."""
        return list(self._held)


parse_first = unary(lambda _meter: First())
parse_last = unary(lambda _meter: Last())


def parse_first_n(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse `$firstN`."""
    return parse_n_input(name, argument, scope, FirstN)


def parse_last_n(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse `$lastN`."""
    return parse_n_input(name, argument, scope, LastN)
