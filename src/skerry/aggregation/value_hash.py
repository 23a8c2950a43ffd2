"""Keys for grouping: hashable, and equal exactly where MongoDB says that the values are.

Python's own equality agrees with MongoDB's among int, long, double and exact decimals, and within strings, ObjectIds and
dates, so these values are their own keys. It does not tell True from 1, and NaN is not itself: those, and everything
compound, are keyed by their key string.
"""

from datetime import datetime
from typing import Any, Final

from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from skerry.values.compare import ValueKey
from skerry.values.missing import Missing

OWN_KEY: Final = frozenset((str, int, Int64, ObjectId, datetime, type(None), Missing))
"""The classes whose values are their own keys."""


def hash_key(value: Any) -> Any:
    """Return the key of a value, which may be `MISSING`."""
    kind = value.__class__
    if kind in OWN_KEY:
        return value
    if kind is float and value == value:
        return value
    if kind is Decimal128:
        number = value.to_decimal()
        if not number.is_nan():
            return number
    return ValueKey(value)
