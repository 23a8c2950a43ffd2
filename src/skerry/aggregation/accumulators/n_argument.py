"""The argument `n` of `$firstN` and its kin: a positive whole number, computed once for each group from its `_id`."""

from collections.abc import Callable
from typing import Any

from skerry.aggregation.accumulators.accumulator import Accumulator, AccumulatorExpression, Start, options_of
from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.stage import Document, StageScope
from skerry.errors import CommandError
from skerry.values.numbers import is_number, to_int64_exact


def parse_n_input(
    name: str, argument: Any, scope: StageScope, make: Callable[[int, MemoryMeter], Accumulator]
) -> AccumulatorExpression:
    """Parse `{input: expression, n: expression}`. Raises CommandError 5787900 for another form."""
    options = options_of(name, argument, ("input", "n"), 5787900)
    evaluate = scope.expression(options["input"]).evaluate
    return AccumulatorExpression(evaluate, start_with_n(options["n"], scope, make))


def start_with_n(spec: Any, scope: StageScope, make: Callable[[int, MemoryMeter], Accumulator]) -> Start:
    """Return the start of a group's state with its `n`. Raises CommandError 5787902, 5787903 or 5787908 for a bad one."""
    expression = scope.expression(spec)
    if expression.is_constant:
        constant = _checked_n(expression.constant)
        return lambda _group, meter: make(constant, meter)
    evaluate, variables = expression.evaluate, scope.variables

    def start(group: Document, meter: MemoryMeter) -> Accumulator:
        return make(_checked_n(evaluate(group, variables)), meter)

    return start


def _checked_n(value: Any) -> int:
    if not is_number(value):
        raise CommandError(f"Value for 'n' must be of integral type, but found {value!r}", 5787902)
    n = to_int64_exact(value)
    if n is None:
        raise CommandError(f"Value for 'n' must be of integral type, but found {value!r}", 5787903)
    if n <= 0:
        raise CommandError(f"'n' must be greater than 0, found {n}", 5787908)
    return n
