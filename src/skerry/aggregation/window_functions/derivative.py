"""`$derivative` and `$integral` over a window, along the order's field. Source: the manual's pages so named."""

from collections.abc import Mapping
from typing import Any, Final

from skerry.aggregation.date_steps import MILLIS_OF_UNIT, is_date, position
from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.aggregation.window_functions.window import Window
from skerry.errors import CommandError, FailedToParseError
from skerry.expressions.expression import Evaluator
from skerry.values.numbers import is_number, to_double

_NO_SINGLE_SORT: Final = 5624900


def parse_derivative(spec: WindowFunctionSpec) -> Compute:
    """Parse `{input, unit}`: the slope between the first and the last document of the window."""
    evaluate, unit, window = _parse(spec)
    if window is None:
        raise FailedToParseError("$derivative requires explicit window bounds")

    def compute(partition: Partition) -> list[Any]:
        positions = _positions(spec, partition, unit)
        values = partition.values(evaluate)
        results: list[Any] = []
        for start, end in window.stretches(len(values), spec.single_sort_values(partition, _NO_SINGLE_SORT)):
            if end - start < 2:
                results.append(None)
                continue
            left, right = values[start], values[end - 1]
            if not (is_number(left) and is_number(right)):
                raise CommandError("$derivative input must be a number", 5624900)
            run = positions[end - 1] - positions[start]
            results.append((to_double(right) - to_double(left)) / run if run else None)
        return results

    return compute


def parse_integral(spec: WindowFunctionSpec) -> Compute:
    """Parse `{input, unit}`: the area below the documents of the window, by the trapezoidal rule."""
    evaluate, unit, window = _parse(spec)
    window = window or Window("documents", "unbounded", "unbounded")

    def compute(partition: Partition) -> list[Any]:
        positions = _positions(spec, partition, unit)
        values = [to_double(value) if is_number(value) else None for value in partition.values(evaluate)]
        areas = [0.0]
        for place in range(1, len(values)):
            left, right = values[place - 1], values[place]
            is_area = left is not None and right is not None
            height = (left + right) / 2 if is_area else 0.0  # type: ignore[operator]
            areas.append(areas[-1] + height * (positions[place] - positions[place - 1]))
        stretches = window.stretches(len(values), spec.single_sort_values(partition, _NO_SINGLE_SORT))
        return [areas[end - 1] - areas[start] if end > start else None for start, end in stretches]

    return compute


def _parse(spec: WindowFunctionSpec) -> tuple[Evaluator, str | None, Window | None]:
    argument = spec.argument
    if not isinstance(argument, Mapping) or "input" not in argument or not set(argument) <= {"input", "unit"}:
        raise FailedToParseError(f"{spec.name} expects an object with 'input' and maybe 'unit'")
    unit = argument.get("unit")
    if unit is not None and unit not in MILLIS_OF_UNIT:
        raise CommandError("unit must be 'week' or smaller", 5490704)
    spec.check_single_sort(_NO_SINGLE_SORT)
    return spec.scope.expression(argument["input"]).evaluate, unit, spec.window


def _positions(spec: WindowFunctionSpec, partition: Partition, unit: str | None) -> list[float]:
    positions = []
    for value in spec.single_sort_values(partition, _NO_SINGLE_SORT):
        if unit is None and not is_number(value):
            raise CommandError(f"{spec.name} where the sortBy is a Date requires an 'unit'", 5624901)
        if unit is not None and not is_date(value):
            raise CommandError(f"{spec.name} with 'unit' expects the sortBy field to be a Date", 5624902)
        positions.append(position(value, unit))
    return positions
