"""`$dateAdd`, `$dateSubtract`, `$dateDiff`, `$dateTrunc`: computing with time units in a time zone.

Rules (MongoDB manual): years to days are counted on the local calendar, hours and less on the time line; `$dateDiff` counts
the unit boundaries between two dates; the bins of `$dateTrunc` are counted from 2000-01-01 in the zone, weeks from the first
`startOfWeek` on or after it. A null operand gives null.
"""

from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from bson.int64 import Int64

from skerry.errors import CommandError
from skerry.expressions.date_zones import (
    UNIT_MILLIS,
    UNIT_MONTHS,
    add_months,
    date_of_local,
    local_of,
    millis_of_local,
    offset_millis,
    unit_of,
    weekday_of,
    zone_of,
)
from skerry.expressions.dates import coerce_to_millis, date_of
from skerry.expressions.operands import named
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import any_nullish, is_nullish
from skerry.values.numbers import to_int64_exact
from skerry.values.type_order import type_name_of

OVERFLOW: Final = 5166406
REFERENCE: Final = datetime(2000, 1, 1)  # manual, $dateTrunc

_HOUR: Final = UNIT_MILLIS["hour"]


def shift(millis: int, unit: str, amount: int, zone: tzinfo) -> int:
    """Return a date so many units on, in milliseconds since 1970.

    Raises CommandError 5166406 or NotImplementedYetError beyond the years 1 to 9999.
    """
    if unit in UNIT_MILLIS:
        return millis + amount * UNIT_MILLIS[unit]
    local = local_of(millis, zone)
    if unit in UNIT_MONTHS:
        return millis_of_local(add_months(local, amount * UNIT_MONTHS[unit]), zone)
    days = amount * 7 if unit == "week" else amount
    try:
        return millis_of_local(local + timedelta(days=days), zone)
    except OverflowError:
        raise CommandError("dateAdd overflowed", OVERFLOW) from None


def _adder(name: str, sign: int) -> OperatorParser:
    def add(start: Any, unit: Any, amount: Any, zone: Any) -> Any:
        if any_nullish(start, unit, amount, zone):
            return None
        of_unit, where = unit_of(name, unit, 5166404, 9), zone_of(zone)
        count = to_int64_exact(amount)
        if count is None:
            raise CommandError(f"{name} expects integer amount of time units", 5166405)
        try:
            millis = coerce_to_millis(start)
        except CommandError:
            raise CommandError(f"{name} requires startDate to be convertible to a date", 5166403) from None
        return date_of(shift(millis, of_unit, sign * count, where))

    return named(
        add,
        required=("startDate", "unit", "amount"),
        optional={"timezone": "UTC"},
        not_a_document=5166400,
        unknown=5166401,
        missing=5166402,
    )


def difference(start: int, end: int, unit: str, zone: tzinfo, week_start: int) -> int:
    """Return how many boundaries of the unit lie between two dates, negative when `end` is before `start`."""
    if unit == "hour":
        # Hours begin where the local clock has them; a clock change by whole hours adds none.
        past, past_at_end = offset_millis(start, zone) % _HOUR, offset_millis(end, zone) % _HOUR
        return (end + past_at_end) // _HOUR - (start + past) // _HOUR
    if unit in UNIT_MILLIS:
        return end // UNIT_MILLIS[unit] - start // UNIT_MILLIS[unit]
    first, last = local_of(start, zone), local_of(end, zone)
    if unit in UNIT_MONTHS:
        months = UNIT_MONTHS[unit]
        return (last.year * 12 + last.month - 1) // months - (first.year * 12 + first.month - 1) // months
    if unit == "day":
        return last.toordinal() - first.toordinal()
    # Day 1 of the ordinals is a Monday.
    return (last.toordinal() - 1 - week_start) // 7 - (first.toordinal() - 1 - week_start) // 7


def _difference(start: Any, end: Any, unit: Any, zone: Any, week_start: Any) -> Any:
    if any_nullish(start, end, unit, zone) or (unit == "week" and is_nullish(week_start)):
        return None
    of_unit, where = unit_of("$dateDiff", unit), zone_of(zone)
    first_day = weekday_of("$dateDiff", week_start) if of_unit == "week" else 6
    first = _date("$dateDiff", "startDate", start, 5166307)
    last = _date("$dateDiff", "endDate", end, 5166307)
    return Int64(difference(first, last, of_unit, where, first_day))


def _date(name: str, role: str, value: Any, code: int) -> int:
    try:
        return coerce_to_millis(value)
    except CommandError:
        raise CommandError(f"{name} requires '{role}' to be a date, but got {type_name_of(value)}", code) from None


def truncate(millis: int, unit: str, size: int, zone: tzinfo, week_start: int) -> Any:
    """Return the start of the bin of so many units in which a date lies."""
    if unit in UNIT_MILLIS:
        reference = millis_of_local(REFERENCE, zone)
        width = UNIT_MILLIS[unit] * size
        return date_of(millis - (millis - reference) % width)
    local = local_of(millis, zone)
    if unit in UNIT_MONTHS:
        months = (local.year - REFERENCE.year) * 12 + local.month - 1
        return date_of_local(add_months(REFERENCE, months - months % (UNIT_MONTHS[unit] * size)), zone)
    reference_day = REFERENCE.toordinal()
    width = size
    if unit == "week":
        reference_day += (week_start - REFERENCE.weekday()) % 7
        width = size * 7
    day = local.toordinal()
    start = day - (day - reference_day) % width
    if start < 1:
        raise CommandError("dateTrunc overflowed", 5439000)
    return date_of_local(datetime.fromordinal(start), zone)


def _truncate(date: Any, unit: Any, size: Any, zone: Any, week_start: Any) -> Any:
    if any_nullish(date, unit, size, zone) or (unit == "week" and is_nullish(week_start)):
        return None
    of_unit, where = unit_of("$dateTrunc", unit), zone_of(zone)
    count = to_int64_exact(size)
    if count is None:
        raise CommandError(
            f"$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '{size}' of type {type_name_of(size)}",
            5439017,
        )
    if count <= 0:
        raise CommandError(f"$dateTrunc requires 'binSize' to be greater than 0, but got value {count}", 5439018)
    first_day = weekday_of("$dateTrunc", week_start) if of_unit == "week" else 6
    return truncate(_date("$dateTrunc", "date", date, 5439012), of_unit, count, where, first_day)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$dateAdd": _adder("$dateAdd", 1),
    "$dateDiff": named(
        _difference,
        required=("startDate", "endDate", "unit"),
        optional={"timezone": "UTC", "startOfWeek": "sunday"},
        not_a_document=5166301,
        unknown=5166302,
        missing={"startDate": 5166303, "endDate": 5166304, "unit": 5166305},
    ),
    "$dateSubtract": _adder("$dateSubtract", -1),
    "$dateTrunc": named(
        _truncate,
        required=("date", "unit"),
        optional={"binSize": 1, "timezone": "UTC", "startOfWeek": "sunday"},
        not_a_document=5439007,
        unknown=5439008,
        missing={"date": 5439009, "unit": 5439010},
    ),
}
