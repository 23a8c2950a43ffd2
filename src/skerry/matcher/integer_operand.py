"""Whole numbers given to operators as int, long, double or Decimal128: which integer do they mean?"""

import math
from typing import Any, Final

from bson.decimal128 import Decimal128

MAX_INT64: Final = 2**63 - 1
MIN_INT64: Final = -(2**63)


def integral(value: Any) -> int | None:
    """Return the exact integer that a number represents, None for fractions, non-finite numbers and other types."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, Decimal128):
        decimal = value.to_decimal()
        return int(decimal) if decimal.is_finite() and decimal == decimal.to_integral_value() else None
    return None


def truncated(value: Any) -> int | None:
    """Return a number cut to its integer part, None for other types and for what does not fit in 64 bits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        whole = int(value) if math.isfinite(value) else None
    elif isinstance(value, Decimal128):
        decimal = value.to_decimal()
        whole = int(decimal) if decimal.is_finite() else None
    else:
        return None
    return whole if whole is not None and MIN_INT64 <= whole <= MAX_INT64 else None
