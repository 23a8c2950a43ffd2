"""Steps and distances along numbers and dates, for the stages that walk a range: windows, `$densify`, `$linearFill`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from bson.datetime_ms import DatetimeMS

from skerry.errors import CommandError
from skerry.expressions.dates import millis_of
from skerry.expressions.expression_parser import compile_expression
from skerry.values.numbers import add, is_number, to_double

UNITS: Final = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond")
MILLIS_OF_UNIT: Final = {
    "week": 604_800_000,
    "day": 86_400_000,
    "hour": 3_600_000,
    "minute": 60_000,
    "second": 1_000,
    "millisecond": 1,
}
"""Of the units that always have the same length."""


def is_date(value: Any) -> bool:
    """Tell whether a value is a date."""
    return isinstance(value, datetime | DatetimeMS)


def compile_step(unit: str | None) -> Callable[[Any, Any], Any]:
    """Return the function that adds an amount to a number, or an amount of units to a date."""
    if unit is None:
        return add
    evaluate = compile_expression({"$dateAdd": {"startDate": "$date", "unit": unit, "amount": "$amount"}}).evaluate
    return lambda date, amount: evaluate({"date": date, "amount": amount}, {})


def check_unit(stage: str, unit: Any, code: int) -> str:
    """Return a unit of time. Raises CommandError with `code` for any other value."""
    if unit not in UNITS:
        raise CommandError(f"unknown time unit value in {stage}: {unit!r}", code)
    return str(unit)


def position(value: Any, unit: str | None) -> float:
    """Return where a number or date lies on a line, in `unit` for dates (milliseconds when None)."""
    if is_date(value):
        return millis_of(value) / (1 if unit is None else MILLIS_OF_UNIT[unit])
    return to_double(value)


def is_steppable(value: Any) -> bool:
    """Tell whether a value is a number or a date."""
    return is_number(value) or is_date(value)
