"""Accumulators as expressions: `$sum`, `$avg`, `$min`, `$max`, `$stdDevPop`, `$stdDevSamp`, `$median`, `$percentile`.

Rules (MongoDB manual): a single operand that is an array is looked into; one of several is not. What is no number is ignored
by the arithmetic ones, null and missing by all. Doubles are summed without loss, as the server does.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from bson.decimal128 import Decimal128, create_decimal128_context
from bson.int64 import Int64

from skerry.errors import BadValueError, CommandError
from skerry.expressions.expression import Document, Expression, Variables, combine
from skerry.expressions.operands import OF_ANY_LENGTH, Arguments, parse_operands
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import is_nullish
from skerry.values.compare import compare
from skerry.values.numbers import INT64_MAX, INT64_MIN, is_nan, is_number, to_decimal, to_double
from skerry.values.type_order import INT32_MAX, INT32_MIN, type_name_of

_CONTEXT: Final = create_decimal128_context()


def _accumulating(function: Callable[[list[Any]], Any]) -> OperatorParser:
    """Return the parser of an accumulator's expression form."""

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        operands = parse_operands(name, argument, scope, 0, OF_ANY_LENGTH)
        evaluators = tuple(operand.evaluate for operand in operands)

        def accumulate(document: Document, variables: Variables) -> Any:
            values = [evaluate(document, variables) for evaluate in evaluators]
            if len(values) == 1 and values[0].__class__ is list:
                values = values[0]
            return function(values)

        return combine(accumulate, operands)

    return parse


def sum_of(values: list[Any]) -> Any:
    """Return the sum of the numbers among the values: int, long, double or decimal, as the widest of them needs."""
    whole, is_long = 0, False
    doubles: list[float] = []
    decimals: list[Decimal128] = []
    for value in values:
        if value.__class__ is int or value.__class__ is Int64:
            whole += value
            is_long |= value.__class__ is Int64
        elif value.__class__ is float:
            doubles.append(value)
        elif value.__class__ is Decimal128:
            decimals.append(value)
    if decimals:
        total = to_decimal(_float_sum(doubles)).to_decimal() + Decimal(whole) if doubles else Decimal(whole)
        for each in decimals:
            total = _CONTEXT.add(total, each.to_decimal())
        return Decimal128(_CONTEXT.plus(total))
    if doubles:
        return _float_sum([*doubles, *_halves(whole)])
    if not is_long and INT32_MIN <= whole <= INT32_MAX:
        return int(whole)
    return Int64(whole) if INT64_MIN <= whole <= INT64_MAX else float(whole)


def _halves(whole: int) -> tuple[float, ...]:
    """Return an integer as doubles that add up to it."""
    rounded = float(whole)
    return (rounded, float(whole - int(rounded))) if whole else ()


def _float_sum(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return sum(values)
    except ValueError:  # opposite infinities
        return math.nan


def _numbers(values: list[Any]) -> list[Any]:
    return [value for value in values if is_number(value)]


def _average(values: list[Any]) -> Any:
    numbers = _numbers(values)
    if not numbers:
        return None
    total = sum_of(numbers)
    if isinstance(total, Decimal128):
        return Decimal128(_CONTEXT.divide(total.to_decimal(), Decimal(len(numbers))))
    return total / len(numbers)


def _minimum(values: list[Any]) -> Any:
    least: Any = None
    for value in values:
        if not is_nullish(value) and (least is None or compare(value, least) < 0):
            least = value
    return least


def _maximum(values: list[Any]) -> Any:
    greatest: Any = None
    for value in values:
        if not is_nullish(value) and (greatest is None or compare(value, greatest) > 0):
            greatest = value
    return greatest


def _deviation(fewer: int) -> Callable[[list[Any]], float | None]:
    """Return the standard deviation of a population (`fewer` is 0) or of a sample (1)."""

    def compute(values: list[Any]) -> float | None:
        numbers = [to_double(value) for value in _numbers(values)]
        if len(numbers) <= fewer:
            return None
        if not all(math.isfinite(number) for number in numbers):
            return math.nan
        mean = math.fsum(numbers) / len(numbers)
        return math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / (len(numbers) - fewer))

    return compute


def _parse_quantiles(name: str, argument: Any, scope: Scope) -> Expression:
    is_median = name == "$median"
    arguments = Arguments(
        name,
        argument,
        required=("input", "method") if is_median else ("input", "p", "method"),
        not_a_document=7436100 if is_median else 7429703,
        unknown=40415,
        missing=40414,
    )
    if arguments["method"] != "approximate":
        raise BadValueError(
            f"Currently only 'approximate' can be used as percentile 'method', not {arguments['method']}"
        )
    source = arguments.compile("input", scope)
    ranks = [0.5] if is_median else _ranks(arguments.compile("p", scope))

    def quantiles(document: Document, variables: Variables) -> Any:
        value = source.evaluate(document, variables)
        numbers = sorted(
            to_double(each) for each in _numbers(value if value.__class__ is list else [value]) if not is_nan(each)
        )
        found = [numbers[max(0, math.ceil(rank * len(numbers)) - 1)] if numbers else None for rank in ranks]
        return found[0] if is_median else found

    return combine(quantiles, (source,))


def _ranks(p: Expression) -> list[float]:
    if not p.is_constant or not isinstance(p.constant, list) or not p.constant:
        raise CommandError("The $percentile 'p' field must be a constant array of numbers from [0.0, 1.0]", 7750301)
    for each in p.constant:
        if not is_number(each):
            raise CommandError(
                f"The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found {type_name_of(each)}",
                7750302,
            )
        if not 0 <= to_double(each) <= 1:
            raise CommandError(
                f"The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found {each}", 7750303
            )
    return [to_double(each) for each in p.constant]


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$avg": _accumulating(_average),
    "$max": _accumulating(_maximum),
    "$median": _parse_quantiles,
    "$min": _accumulating(_minimum),
    "$percentile": _parse_quantiles,
    "$stdDevPop": _accumulating(_deviation(0)),
    "$stdDevSamp": _accumulating(_deviation(1)),
    "$sum": _accumulating(sum_of),
}
