"""Time zones and time units of the date operators: local time of a date and back.

Rules (MongoDB manual, `$dateToParts`): a zone is an Olson identifier, "UTC", "GMT", or an offset such as "+04:45", "-0530",
"+03". A local time that a clock change skips is read with the offset before it; one that comes twice is the first.
Dates before year 1 and after 9999 have no parts here.
"""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from re import compile as compile_regex
from typing import Any, Final
from zoneinfo import ZoneInfo

from skerry.errors import CommandError, NotImplementedYetError
from skerry.expressions.dates import EPOCH, MAX_MILLIS, MILLISECOND, MIN_MILLIS, date_of
from skerry.values.type_order import type_name_of

UNKNOWN_ZONE: Final = 40485
ZONE_NOT_A_STRING: Final = 40517

UNITS: Final = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond")
UNIT_MILLIS: Final = {"hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1}
UNIT_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}
DAY_MILLIS: Final = 86_400_000

_UTC_NAMES: Final = frozenset(("UTC", "GMT", "Z", "Etc/UTC", "Etc/GMT"))
_OFFSET: Final = compile_regex(r"([+-])(\d\d):?(\d\d)?")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo:
    """Return the time zone of an identifier or offset.

    Raises CommandError 40485 for an unknown one.
    """
    if name in _UTC_NAMES:
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset:
        size = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if size < timedelta(hours=24):
            return timezone(-size if offset[1] == "-" else size)
    elif name and name[0].isalpha():
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            pass
    raise CommandError(f'unrecognized time zone identifier: "{name}"', UNKNOWN_ZONE)


def zone_of(value: Any) -> tzinfo:
    """Return the time zone that an operand names.

    Raises CommandError 40517 for an operand that is no string.
    """
    if isinstance(value, str):
        return zone_named(value)
    raise CommandError(f"timezone must evaluate to a string, found {type_name_of(value)}", ZONE_NOT_A_STRING)


def local_of(millis: int, zone: tzinfo) -> datetime:
    """Return the time that a clock in the zone shows, without zone.

    Raises NotImplementedYetError beyond the years 1 to 9999.
    """
    if not MIN_MILLIS <= millis <= MAX_MILLIS:
        raise NotImplementedYetError("the parts of dates before year 1 or after 9999 are not supported yet")
    moment = EPOCH + timedelta(milliseconds=millis)
    if zone is UTC:
        return moment
    try:
        return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        raise NotImplementedYetError("the parts of dates before year 1 or after 9999 are not supported yet") from None


def millis_of_local(local: datetime, zone: tzinfo) -> int:
    """Return the date at which a clock in the zone shows this time, as milliseconds since 1970."""
    offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return (local - EPOCH) // MILLISECOND - offset // MILLISECOND


def offset_millis(millis: int, zone: tzinfo) -> int:
    """Return by how much the zone is ahead of UTC at a date."""
    return (local_of(millis, zone) - EPOCH) // MILLISECOND - millis


def unit_of(name: str, value: Any, not_a_string: int = 5439013, unknown: int = 5439014) -> str:
    """Return the time unit that an operand names.

    Raises CommandError with the codes given for an operand that is no string and for an unknown unit.
    """
    if not isinstance(value, str):
        raise CommandError(f"{name} requires 'unit' to be a string, but got {type_name_of(value)}", not_a_string)
    if value not in UNITS:
        raise CommandError(f"{name} parameter 'unit' value cannot be recognized as a time unit: {value}", unknown)
    return value


def weekday_of(name: str, value: Any) -> int:
    """Return the day that a week starts with, 0 for Monday.

    Raises CommandError 5439015 for an operand that is no string, 5439016 for no day of the week.
    """
    if not isinstance(value, str):
        raise CommandError(f"{name} requires 'startOfWeek' to be a string, but got {type_name_of(value)}", 5439015)
    wanted = value.lower()
    for number, day in enumerate(_DAYS):
        if wanted in (day, day[:3]):
            return number
    raise CommandError(
        f"{name} parameter 'startOfWeek' value cannot be recognized as a day of a week: {value}", 5439016
    )


def add_months(local: datetime, months: int) -> datetime:
    """Return a local time so many months on; a day that the month lacks becomes its last.

    Raises NotImplementedYetError beyond the years 1 to 9999.
    """
    total = local.year * 12 + local.month - 1 + months
    year, month = divmod(total, 12)
    if not 1 <= year <= 9999:
        raise NotImplementedYetError("dates before year 1 or after 9999 cannot be computed with months yet")
    return local.replace(year=year, month=month + 1, day=min(local.day, _days_in(year, month + 1)))


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def date_of_local(local: datetime, zone: tzinfo) -> Any:
    """Return the date at which a clock in the zone shows this time."""
    return date_of(millis_of_local(local, zone))
