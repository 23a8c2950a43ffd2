"""Which values count as true, and which as absent."""

from typing import Any

from bson.decimal128 import Decimal128

from skerry.values.missing import MISSING


def is_true(value: Any) -> bool:
    """Tell whether a value counts as true: all but false, null, a missing value and zero (manual, `$and`)."""
    if value.__class__ is bool:
        return value
    if value is None or value is MISSING:
        return False
    if value.__class__ is Decimal128:
        return bool(value.to_decimal())
    return not (isinstance(value, int | float) and value == 0)


def any_nullish(*values: Any) -> bool:
    """Tell whether one of the values is null or missing."""
    return any(value is None or value is MISSING for value in values)


def is_nullish(value: Any) -> bool:
    """Tell whether a value is null or missing."""
    return value is None or value is MISSING
