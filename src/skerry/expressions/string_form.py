"""Values written as strings, as `$toString` and the string operators read them."""

import math
from typing import Any, Final

from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.timestamp import Timestamp

from skerry.errors import CommandError
from skerry.expressions.dates import date_of, is_date, millis_of
from skerry.expressions.truth import is_nullish
from skerry.values.type_order import type_name_of

NOT_A_STRING: Final = 16007
DOUBLE_DIGITS: Final = 16


def string_of(value: Any) -> str:
    """Return a value as the string operators read it: "" for null, numbers and dates written out.

    Raises CommandError 16007 for any other type.
    """
    if value.__class__ is str:
        return value
    if is_nullish(value):
        return ""
    if is_date(value):
        return iso_string(value)
    if isinstance(value, Timestamp):
        return iso_string(date_of(value.time * 1000))
    if isinstance(value, Code) and value.scope is None:
        return str(value)
    if isinstance(value, int | float | Int64 | Decimal128) and not isinstance(value, bool):
        return number_string(value)
    raise CommandError(f"can't convert from BSON type {type_name_of(value)} to String", NOT_A_STRING)


def number_string(value: Any) -> str:
    """Return a number as a string; a double with at most 16 digits and without a point where it is whole."""
    if value.__class__ is not float:
        return str(value)
    if math.isfinite(value):
        return f"{value:.{DOUBLE_DIGITS}g}"
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def iso_string(date: Any) -> str:
    """Return a date as `2024-02-29T12:34:56.789Z`.

    Raises CommandError 18537 for a year beyond 0 to 9999.
    """
    if isinstance(date, DatetimeMS):
        raise CommandError(f"$dateToString is only defined on year 0-9999, tried to use {millis_of(date)} ms", 18537)
    return f"{date.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
