"""Dates as milliseconds since 1970 and back; what counts as a date.

Decoded dates are naive datetimes in UTC; those before year 1 or after 9999 are `DatetimeMS`. A date of an expression is
also an ObjectId (its creation time) or a timestamp (its seconds).
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson.datetime_ms import DatetimeMS
from bson.objectid import ObjectId
from bson.timestamp import Timestamp

from skerry.errors import CommandError, NumericOverflowError
from skerry.values.numbers import INT64_MAX, INT64_MIN
from skerry.values.type_order import type_name_of

EPOCH: Final = datetime(1970, 1, 1)
MILLISECOND: Final = timedelta(milliseconds=1)
MIN_MILLIS: Final = (datetime(1, 1, 1) - EPOCH) // MILLISECOND
MAX_MILLIS: Final = (datetime(9999, 12, 31, 23, 59, 59, 999_000) - EPOCH) // MILLISECOND
NOT_A_DATE: Final = 16006


def is_date(value: Any) -> bool:
    """Tell whether a value is of BSON type date."""
    return isinstance(value, datetime | DatetimeMS)


def millis_of(date: datetime | DatetimeMS) -> int:
    """Return a date as milliseconds since 1970 in UTC; fractions of a millisecond are cut."""
    if isinstance(date, DatetimeMS):
        return int(date)
    if date.tzinfo is not None:
        date = date.astimezone(UTC).replace(tzinfo=None)
    return (date - EPOCH) // MILLISECOND


def date_of(millis: int) -> datetime | DatetimeMS:
    """Return the date that is so many milliseconds from 1970.

    Raises NumericOverflowError beyond 64 bits.
    """
    if MIN_MILLIS <= millis <= MAX_MILLIS:
        return EPOCH + timedelta(milliseconds=millis)
    if INT64_MIN <= millis <= INT64_MAX:
        return DatetimeMS(millis)
    raise NumericOverflowError("date overflow")


def coerce_to_millis(value: Any) -> int:
    """Return a date, ObjectId or timestamp as milliseconds since 1970.

    Raises CommandError 16006 for any other type.
    """
    if isinstance(value, datetime | DatetimeMS):
        return millis_of(value)
    if isinstance(value, Timestamp):
        return int(value.time) * 1000
    if isinstance(value, ObjectId):
        return int.from_bytes(value.binary[:4], "big") * 1000
    raise CommandError(f"can't convert from BSON type {type_name_of(value)} to Date", NOT_A_DATE)
