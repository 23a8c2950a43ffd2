"""`$expMovingAvg`: the exponential moving average. Source: MongoDB manual, `$expMovingAvg`."""

from collections.abc import Mapping
from typing import Any

from bson.decimal128 import Decimal128

from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.errors import FailedToParseError
from skerry.values.numbers import add, as_index, is_number, multiply, subtract, to_double


def parse_exp_moving_avg(spec: WindowFunctionSpec) -> Compute:
    """Parse `{input, N}` or `{input, alpha}`. Raises FailedToParseError for a bad form."""
    spec.refuse_window()
    spec.require_sort()
    argument = spec.argument
    if not isinstance(argument, Mapping) or set(argument) not in ({"input", "N"}, {"input", "alpha"}):
        raise FailedToParseError("$expMovingAvg must have exactly one argument for 'input' and either 'N' or 'alpha'")
    alpha = _alpha(argument)
    evaluate = spec.scope.expression(argument["input"]).evaluate

    def compute(partition: Partition) -> list[Any]:
        averages: list[Any] = []
        average: Any = None
        for value in partition.values(evaluate):
            if not is_number(value):
                averages.append(None)
                continue
            if average is None:
                average = value
            else:
                average = add(multiply(value, alpha), multiply(average, subtract(1, alpha)))
            averages.append(average if isinstance(average, Decimal128) else to_double(average))
        return averages

    return compute


def _alpha(argument: Mapping[str, Any]) -> Any:
    if "N" in argument:
        count = as_index(argument["N"])
        if count is None or count <= 0:
            raise FailedToParseError("'N' field must be an integer greater than zero")
        return 2.0 / (count + 1)
    alpha = argument["alpha"]
    if not is_number(alpha) or not 0 < to_double(alpha) < 1:
        raise FailedToParseError("'alpha' must be between 0 and 1 (exclusive)")
    return alpha
