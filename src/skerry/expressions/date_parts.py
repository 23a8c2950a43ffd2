"""Dates taken apart and put together: `$year` … `$millisecond`, `$dateToParts`, `$dateFromParts`.

Source: MongoDB manual, "Date Expression Operators". A null date or time zone gives null.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from bson.int64 import Int64

from skerry.errors import CommandError
from skerry.expressions.date_zones import date_of_local, local_of, zone_of
from skerry.expressions.dates import coerce_to_millis
from skerry.expressions.expression import Document, Expression, Variables, combine, constant
from skerry.expressions.operands import Arguments, named
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import any_nullish, is_nullish
from skerry.values.missing import MISSING
from skerry.values.numbers import to_int64_exact
from skerry.values.type_order import type_name_of

PART_MIN: Final = -32768  # the server keeps the parts of $dateFromParts in 16 bits
PART_MAX: Final = 32767


def _part(read: Callable[[datetime], Any]) -> OperatorParser:
    """Return the parser of an operator on one part of a date: `{$year: date}` or `{$year: {date, timezone}}`."""

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        date, zone = _date_and_zone(name, argument, scope)
        evaluate_date, evaluate_zone = date.evaluate, zone.evaluate

        def part(document: Document, variables: Variables) -> Any:
            value = evaluate_date(document, variables)
            if is_nullish(value):
                return None
            zone_name = evaluate_zone(document, variables)
            return None if is_nullish(zone_name) else read(local_of(coerce_to_millis(value), zone_of(zone_name)))

        return combine(part, (date, zone))

    return parse


def _date_and_zone(name: str, argument: Any, scope: Scope) -> tuple[Expression, Expression]:
    if isinstance(argument, list | tuple):
        if len(argument) != 1:
            raise CommandError(
                f"{name} accepts exactly one argument if given an array, but was given {len(argument)}", 40536
            )
        argument = argument[0]
    if not isinstance(argument, Mapping) or next(iter(argument), "").startswith("$"):
        return scope.compile(argument), constant("UTC")
    arguments = Arguments(
        name, argument, required=("date",), optional=("timezone",), not_a_document=40535, unknown=40535, missing=40539
    )
    return arguments.compile("date", scope), arguments.compile("timezone", scope, default="UTC")


def week_from_sunday(local: datetime) -> int:
    """Return the week of the year, 0 to 53; week 1 begins on the first Sunday."""
    return (local.timetuple().tm_yday + 6 - (local.weekday() + 1) % 7) // 7


def day_from_sunday(local: datetime) -> int:
    """Return the day of the week, 1 for Sunday to 7 for Saturday."""
    return (local.weekday() + 1) % 7 + 1


def _date_to_parts(date: Any, zone: Any, iso8601: Any) -> Any:
    if any_nullish(date, zone, iso8601):
        return None
    if not isinstance(iso8601, bool):
        raise CommandError(f"iso8601 must evaluate to a bool, found {type_name_of(iso8601)}", 40521)
    local = local_of(coerce_to_millis(date), zone_of(zone))
    if iso8601:
        year, week, day = local.isocalendar()
        parts = {"isoWeekYear": year, "isoWeek": week, "isoDayOfWeek": day}
    else:
        parts = {"year": local.year, "month": local.month, "day": local.day}
    return {
        **parts,
        "hour": local.hour,
        "minute": local.minute,
        "second": local.second,
        "millisecond": local.microsecond // 1000,
    }


_TIME_PARTS: Final = ("hour", "minute", "second", "millisecond")
_NATURAL_PARTS: Final = ("year", "month", "day")
_ISO_PARTS: Final = ("isoWeekYear", "isoWeek", "isoDayOfWeek")


def _parse_date_from_parts(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        optional=(*_NATURAL_PARTS, *_ISO_PARTS, *_TIME_PARTS, "timezone"),
        not_a_document=40519,
        unknown=40518,
    )
    is_iso = "isoWeekYear" in arguments
    if not is_iso and "year" not in arguments:
        raise CommandError("$dateFromParts requires either 'year' or 'isoWeekYear' to be present", 40516)
    foreign = _NATURAL_PARTS if is_iso else _ISO_PARTS
    if any(part in arguments for part in foreign):
        kinds = ("ISO dates", "natural dates") if is_iso else ("natural dates", "ISO dates")
        raise CommandError(
            f"$dateFromParts does not allow mixing {kinds[1]} with {kinds[0]}", 40489 if is_iso else 40525
        )
    names = (*(_ISO_PARTS if is_iso else _NATURAL_PARTS), *_TIME_PARTS)
    defaults = (MISSING, 1, 1, 0, 0, 0, 0)
    operands = [arguments.compile(part, scope, default=default) for part, default in zip(names, defaults)]
    zone = arguments.compile("timezone", scope, default="UTC")
    build = _from_iso_parts if is_iso else _from_natural_parts

    def from_parts(document: Document, variables: Variables) -> Any:
        values = [operand.evaluate(document, variables) for operand in operands]
        zone_name = zone.evaluate(document, variables)
        if any_nullish(zone_name, *values):
            return None
        return build([_integer_part(part, value) for part, value in zip(names, values)], zone_of(zone_name))

    return combine(from_parts, (*operands, zone))


def _integer_part(name: str, value: Any) -> int:
    number = to_int64_exact(value)
    if number is None:
        raise CommandError(
            f"'{name}' must evaluate to an integer, found {type_name_of(value)} with value {value}", 40515
        )
    if name in ("year", "isoWeekYear"):
        if not 1 <= number <= 9999:
            code = 40523 if name == "year" else 31095
            raise CommandError(f"'{name}' must evaluate to an integer in the range 1 to 9999, found {number}", code)
    elif name not in ("second", "millisecond") and not PART_MIN <= number <= PART_MAX:
        raise CommandError(
            f"'{name}' must evaluate to a value in the range [{PART_MIN}, {PART_MAX}]; value {number} is not in range",
            31034,
        )
    return number


def _from_natural_parts(parts: list[int], zone: tzinfo) -> Any:
    years, month = divmod(parts[1] - 1, 12)
    return _shifted(lambda: datetime(parts[0] + years, month + 1, 1), parts[2] - 1, parts[3:], zone)


def _from_iso_parts(parts: list[int], zone: tzinfo) -> Any:
    days = (parts[1] - 1) * 7 + parts[2] - 1
    return _shifted(lambda: datetime.fromisocalendar(parts[0], 1, 1), days, parts[3:], zone)


def _shifted(first: Callable[[], datetime], days: int, time: list[int], zone: tzinfo) -> Any:
    """Return the date that the parts make; each may be beyond its range and carries over."""
    hours, minutes, seconds, milliseconds = time
    try:
        local = first() + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
    except (OverflowError, ValueError):
        raise CommandError("$dateFromParts cannot make a date before year 1 or after 9999", 31034) from None
    return date_of_local(local, zone)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$dateFromParts": _parse_date_from_parts,
    "$dateToParts": named(
        _date_to_parts,
        required=("date",),
        optional={"timezone": "UTC", "iso8601": False},
        not_a_document=40524,
        unknown=40520,
        missing=40522,
    ),
    "$dayOfMonth": _part(lambda local: local.day),
    "$dayOfWeek": _part(day_from_sunday),
    "$dayOfYear": _part(lambda local: local.timetuple().tm_yday),
    "$hour": _part(lambda local: local.hour),
    "$isoDayOfWeek": _part(lambda local: local.isoweekday()),
    "$isoWeek": _part(lambda local: local.isocalendar().week),
    "$isoWeekYear": _part(lambda local: Int64(local.isocalendar().year)),
    "$millisecond": _part(lambda local: local.microsecond // 1000),
    "$minute": _part(lambda local: local.minute),
    "$month": _part(lambda local: local.month),
    "$second": _part(lambda local: local.second),
    "$week": _part(week_from_sunday),
    "$year": _part(lambda local: local.year),
}
