"""`$locf` and `$linearFill`: what stands in for null and missing values. Source: the manual's pages so named."""

from typing import Any

from skerry.aggregation.date_steps import is_date, is_steppable, position
from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.errors import CommandError
from skerry.values.missing import MISSING
from skerry.values.numbers import add, is_number, multiply, subtract


def parse_locf(spec: WindowFunctionSpec) -> Compute:
    """Parse `$locf: expression`: the last value before it, null when there is none."""
    spec.refuse_window()
    evaluate = spec.scope.expression(spec.argument).evaluate

    def compute(partition: Partition) -> list[Any]:
        filled = []
        last: Any = None
        for value in partition.values(evaluate):
            if value is not None and value is not MISSING:
                last = value
            filled.append(last)
        return filled

    return compute


def parse_linear_fill(spec: WindowFunctionSpec) -> Compute:
    """Parse `$linearFill: expression`: on the line between the values around it, null outside of them."""
    spec.refuse_window()
    spec.check_single_sort(605001)
    evaluate = spec.scope.expression(spec.argument).evaluate

    def compute(partition: Partition) -> list[Any]:
        positions = _checked_positions(spec.single_sort_values(partition, 605001))
        values = partition.values(evaluate)
        filled: list[Any] = []
        known: int | None = None
        for place, value in enumerate(values):
            if value is None or value is MISSING:
                filled.append(None)
                continue
            if not is_number(value):
                raise CommandError(f"Value to be filled must be numeric or nullish, but found {value!r}", 6050201)
            if known is not None:
                for between in range(known + 1, place):
                    share = (positions[between] - positions[known]) / (positions[place] - positions[known])
                    filled[between] = add(values[known], multiply(subtract(value, values[known]), share))
            filled.append(value)
            known = place
        return filled

    return compute


def _checked_positions(sort_values: list[Any]) -> list[float]:
    positions: list[float] = []
    for value in sort_values:
        if not is_steppable(value):
            raise CommandError("linearFill sortBy value must be numeric or a date", 605001)
        place = position(value, None)
        if positions and place == positions[-1]:
            raise CommandError("There can be no repeated values in the sort field", 6050106)
        if is_date(value) != is_date(sort_values[0]):
            raise CommandError("Conflicting sort value types, previous and current types don't match", 6050202)
        positions.append(place)
    return positions
