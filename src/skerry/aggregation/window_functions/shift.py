"""`$shift`: the value of the document so many places away. Source: MongoDB manual, `$shift`."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.errors import FailedToParseError
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index


def parse_shift(spec: WindowFunctionSpec) -> Compute:
    """Parse `{output, by, default}`. Raises FailedToParseError for a bad form."""
    spec.refuse_window()
    spec.require_sort()
    argument = spec.argument
    if not isinstance(argument, Mapping):
        raise FailedToParseError(f"Argument to $shift must be an object, found {argument!r}")
    for name in argument:
        if name not in ("output", "by", "default"):
            raise FailedToParseError(f"Unknown argument in $shift: {name}")
    by = as_index(argument.get("by"))
    if "output" not in argument or by is None:
        raise FailedToParseError("$shift requires 'output', and 'by' as an integer")
    default = spec.scope.expression(argument.get("default"))
    if not default.is_constant:
        raise FailedToParseError("'$shift:default' expression must yield a constant value.")
    evaluate = spec.scope.expression(argument["output"]).evaluate

    def compute(partition: Partition) -> list[Any]:
        values = partition.values(evaluate)
        count = len(values)
        shifted = [values[place + by] if 0 <= place + by < count else default.constant for place in range(count)]
        return [None if value is MISSING else value for value in shifted]

    return compute
