"""`$stdDevPop` and `$stdDevSamp`, by Welford's recurrence. Source: the manual's pages so named."""

import math
from typing import Any

from skerry.aggregation.accumulators.accumulator import unary
from skerry.values.numbers import is_number, to_double


class StandardDeviation:
    """Of the population, or of a sample; what is no number is passed over."""

    __slots__ = ("_count", "_is_sample", "_mean", "_squares")

    def __init__(self, *, is_sample: bool) -> None:
        self._is_sample = is_sample
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, value: Any) -> None:
        """Take a value."""
        if not is_number(value):
            return
        number = to_double(value)
        self._count += 1
        delta = number - self._mean
        self._mean += delta / self._count
        self._squares += delta * (number - self._mean)

    def result(self) -> float | None:
        """Return the deviation; None for too few numbers (0, or 1 in a sample) or where it is not finite."""
        divisor = self._count - 1 if self._is_sample else self._count
        if divisor <= 0 or not math.isfinite(self._squares):
            return None
        return math.sqrt(self._squares / divisor)


parse_std_dev_pop = unary(lambda _meter: StandardDeviation(is_sample=False))
parse_std_dev_samp = unary(lambda _meter: StandardDeviation(is_sample=True))
