"""`$median` and `$percentile`. Source: the manual's pages so named.

The answer is the discrete percentile of all numbers, which MongoDB's "approximate" method approaches: the value at rank
`ceil(p * n)`, counted from 1.
"""

import math
from array import array
from typing import Any

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression, options_of
from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.stage import StageScope
from skerry.errors import BadValueError, CommandError
from skerry.values.numbers import is_number, to_double

_DOUBLE_BYTES = 8


class Percentiles:
    """The values at some percentiles of the numbers; what is no number is passed over."""

    __slots__ = ("_meter", "_numbers", "_ranks")

    def __init__(self, ranks: tuple[float, ...], meter: MemoryMeter) -> None:
        self._ranks = ranks
        self._meter = meter
        self._numbers = array("d")

    def add(self, value: Any) -> None:
        """Take a value."""
        if is_number(value):
            self._meter.add(_DOUBLE_BYTES)
            self._numbers.append(to_double(value))

    def result(self) -> Any:
        """Return one double for each percentile, None for each when there was no number."""
        ordered = sorted(self._numbers, key=lambda number: (not math.isnan(number), number))
        if not ordered:
            return [None] * len(self._ranks)
        return [ordered[max(0, min(len(ordered), math.ceil(rank * len(ordered))) - 1)] for rank in self._ranks]


class Median(Percentiles):
    """`$median`: the percentile 0.5."""

    __slots__ = ()

    def __init__(self, meter: MemoryMeter) -> None:
        super().__init__((0.5,), meter)

    def result(self) -> Any:
        """Return the median, None when there was no number."""
        return super().result()[0]


def parse_percentile(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse `{input, p: [numbers from 0 to 1], method: "approximate"}`. Raises CommandError 7750300 … for a bad one."""
    options = options_of(name, argument, ("input", "p", "method"), 40414)
    _check_method(name, options["method"])
    ranks_expression = scope.expression(options["p"])
    ranks = ranks_expression.evaluate({}, scope.variables)
    if not isinstance(ranks, list) or not ranks:
        raise CommandError(
            f"The {name} 'p' field must be an array of numbers from [0.0, 1.0], but found: {ranks!r}", 7750300
        )
    for rank in ranks:
        if not is_number(rank):
            raise CommandError(f"The {name} 'p' field must be an array of numbers, but found {rank!r}", 7750302)
        if not 0 <= to_double(rank) <= 1:
            raise CommandError(
                f"The {name} 'p' field must be an array of numbers from [0.0, 1.0], found {rank!r}", 7750303
            )
    checked = tuple(to_double(rank) for rank in ranks)
    evaluate = scope.expression(options["input"]).evaluate
    return AccumulatorExpression(evaluate, lambda _group, meter: Percentiles(checked, meter))


def parse_median(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse `{input, method: "approximate"}`."""
    options = options_of(name, argument, ("input", "method"), 40414)
    _check_method(name, options["method"])
    return AccumulatorExpression(scope.expression(options["input"]).evaluate, lambda _group, meter: Median(meter))


def _check_method(name: str, method: Any) -> None:
    if method != "approximate":
        raise BadValueError(f"Currently only 'approximate' can be used as percentile 'method' for {name}.")
