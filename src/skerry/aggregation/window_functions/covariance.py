"""`$covariancePop` and `$covarianceSamp` of two expressions over a window. Source: the manual's pages so named."""

from collections.abc import Callable
from typing import Any

from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.aggregation.window_functions.window import UNBOUNDED, Window
from skerry.errors import FailedToParseError
from skerry.values.numbers import is_number, to_double


def covariance_parser(*, is_sample: bool) -> Callable[[WindowFunctionSpec], Compute]:
    """Return the parser of the one or the other; pairs that are not both numbers are passed over."""

    def parse(spec: WindowFunctionSpec) -> Compute:
        if not isinstance(spec.argument, list | tuple) or len(spec.argument) != 2:
            raise FailedToParseError(f"{spec.name} expects an array of two expressions")
        first, second = (spec.scope.expression(each).evaluate for each in spec.argument)
        window = spec.window or Window("documents", UNBOUNDED, UNBOUNDED)
        if window.kind == "range":
            spec.check_single_sort(5339902)

        def compute(partition: Partition) -> list[Any]:
            pairs = list(zip(partition.values(first), partition.values(second)))
            sort_values = spec.single_sort_values(partition, 5339902) if window.kind == "range" else None
            return [
                _covariance(pairs[start:end], is_sample=is_sample)
                for start, end in window.stretches(len(pairs), sort_values)
            ]

        return compute

    return parse


def _covariance(pairs: list[tuple[Any, Any]], *, is_sample: bool) -> float | None:
    numbers = [(to_double(x), to_double(y)) for x, y in pairs if is_number(x) and is_number(y)]
    divisor = len(numbers) - is_sample
    if divisor <= 0:
        return None
    mean_x = sum(x for x, _ in numbers) / len(numbers)
    mean_y = sum(y for _, y in numbers) / len(numbers)
    return sum((x - mean_x) * (y - mean_y) for x, y in numbers) / divisor
