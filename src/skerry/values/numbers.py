"""Arithmetic across int, long, double and decimal, with MongoDB's promotion and overflow.

Rules (MongoDB manual, "Arithmetic Expression Operators"): the wider type wins, decimal over double over long over int; an
int that overflows becomes a long; a long that overflows becomes a double in expressions and is an error in `$inc` and
`$mul`. A long stays a long even if its value is small. A double meets a decimal rounded to 15 significant digits.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Literal

from bson.decimal128 import Decimal128, create_decimal128_context
from bson.int64 import Int64

from skerry.errors import CommandError, NumericOverflowError
from skerry.values.type_order import INT32_MAX, INT32_MIN

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
DIVIDE_BY_ZERO: Final = 16608
MOD_BY_ZERO: Final = 16610
DOUBLE_DIGITS: Final = 15

Number = int | Int64 | float | Decimal128
OnOverflow = Literal["double", "error"]

_CONTEXT: Final = create_decimal128_context()
_NUMBER_CLASSES: Final = frozenset((int, Int64, float, Decimal128))


def is_number(value: Any) -> bool:
    """Tell whether a value is int, long, double or decimal; a bool is not."""
    return value.__class__ in _NUMBER_CLASSES


def is_integer(value: Any) -> bool:
    """Tell whether a value is an int or a long."""
    return value.__class__ is int or value.__class__ is Int64


def is_nan(value: Any) -> bool:
    """Tell whether a value is not-a-number, as double or as decimal."""
    if value.__class__ is float:
        return math.isnan(value)
    return value.__class__ is Decimal128 and value.to_decimal().is_nan()


def normalize(value: int) -> int | Int64:
    """Return an integer as int if it fits into 32 bits, as long otherwise.

    Raises NumericOverflowError beyond 64 bits.
    """
    if INT32_MIN <= value <= INT32_MAX:
        return int(value)
    if INT64_MIN <= value <= INT64_MAX:
        return Int64(value)
    raise NumericOverflowError(f"{value} does not fit into 64 bits")


def add(a: Number, b: Number, *, on_overflow: OnOverflow = "double") -> Number:
    """Return the sum; raises NumericOverflowError where a long overflows and `on_overflow` is "error"."""
    if is_integer(a) and is_integer(b):
        return _integer(int(a) + int(b), a, b, on_overflow)  # type: ignore[arg-type]
    return _inexact(a, b, lambda x, y: x + y, _CONTEXT.add)


def subtract(a: Number, b: Number, *, on_overflow: OnOverflow = "double") -> Number:
    """Return the difference; overflow as in `add`."""
    if is_integer(a) and is_integer(b):
        return _integer(int(a) - int(b), a, b, on_overflow)  # type: ignore[arg-type]
    return _inexact(a, b, lambda x, y: x - y, _CONTEXT.subtract)


def multiply(a: Number, b: Number, *, on_overflow: OnOverflow = "double") -> Number:
    """Return the product; overflow as in `add`."""
    if is_integer(a) and is_integer(b):
        return _integer(int(a) * int(b), a, b, on_overflow)  # type: ignore[arg-type]
    return _inexact(a, b, lambda x, y: x * y, _CONTEXT.multiply)


def divide(a: Number, b: Number) -> Number:
    """Return the quotient, a double or a decimal.

    Raises CommandError 16608 for a divisor of zero.
    """
    if _is_zero(b):
        raise CommandError("can't $divide by zero", DIVIDE_BY_ZERO)
    return _inexact(a, b, lambda x, y: x / y, _CONTEXT.divide)


def mod(a: Number, b: Number) -> Number:
    """Return the remainder with the sign of the dividend; a double that is a whole int counts as one on the right.

    Raises CommandError 16610 for a divisor of zero.
    """
    if _is_zero(b):
        raise CommandError("can't $mod by zero", MOD_BY_ZERO)
    if a.__class__ is Decimal128 or b.__class__ is Decimal128:
        return _decimal_remainder(to_decimal(a), to_decimal(b))
    whole = is_integer(b) or (float(b).is_integer() and INT32_MIN <= b <= INT32_MAX)  # type: ignore[arg-type, operator]
    if a.__class__ is float or not whole:
        dividend, divisor = to_double(a), to_double(b)
        return math.nan if math.isinf(dividend) or math.isnan(divisor) else math.fmod(dividend, divisor)
    left, right = int(a), int(b)  # type: ignore[arg-type]
    remainder = abs(left) % abs(right)
    return _integer(-remainder if left < 0 else remainder, a, b if is_integer(b) else 0, "double")


def negate(value: Number) -> Number:
    """Return the number with its sign changed."""
    if value.__class__ is float:
        return -value
    if value.__class__ is Decimal128:
        return Decimal128(value.to_decimal().copy_negate())
    return subtract(0, value)


def absolute(value: Number) -> Number:
    """Return the number without its sign; the least long overflows to a double."""
    if value.__class__ is float:
        return math.fabs(value)
    if value.__class__ is Decimal128:
        return Decimal128(value.to_decimal().copy_abs())
    return value if value >= 0 else negate(value)  # type: ignore[operator]


def to_double(value: Number) -> float:
    """Return the nearest double; a decimal out of range becomes infinite."""
    if value.__class__ is Decimal128:
        return float(value.to_decimal())
    return float(value)  # type: ignore[arg-type]


def to_decimal(value: Number) -> Decimal128:
    """Return a number as decimal: integers exactly, a double rounded to 15 significant digits as the server does."""
    if value.__class__ is Decimal128:
        return value
    if value.__class__ is float and math.isfinite(value):
        return Decimal128(f"{value:.{DOUBLE_DIGITS - 1}e}") if value else Decimal128("0")
    return Decimal128(Decimal(value))  # type: ignore[arg-type]


def to_int64_exact(value: Any) -> int | None:
    """Return the integer that a number of any type stands for exactly, within 64 bits; None for everything else."""
    if value.__class__ is Decimal128:
        number = value.to_decimal()
        if not number.is_finite() or number.adjusted() > len(str(INT64_MAX)) or number != number.to_integral_value():
            return None
        exact = int(number)
    elif value.__class__ is float:
        if not value.is_integer():
            return None
        exact = int(value)
    elif is_integer(value):
        exact = int(value)
    else:
        return None
    return exact if INT64_MIN <= exact <= INT64_MAX else None


def as_index(value: Any) -> int | None:
    """Return the 32-bit integer that a number of any type stands for exactly; None for everything else."""
    exact = to_int64_exact(value)
    return exact if exact is not None and INT32_MIN <= exact <= INT32_MAX else None


def _integer(result: int, a: Number, b: Number, on_overflow: OnOverflow) -> Number:
    is_long = a.__class__ is Int64 or b.__class__ is Int64
    if not is_long and INT32_MIN <= result <= INT32_MAX:
        return result
    if INT64_MIN <= result <= INT64_MAX:
        return Int64(result)
    if on_overflow == "error":
        raise NumericOverflowError("the result does not fit into a long")
    return float(result)


def _inexact(
    a: Number, b: Number, doubles: Callable[[float, float], float], decimals: Callable[[Decimal, Decimal], Decimal]
) -> Number:
    if a.__class__ is Decimal128 or b.__class__ is Decimal128:
        return Decimal128(decimals(to_decimal(a).to_decimal(), to_decimal(b).to_decimal()))
    return doubles(to_double(a), to_double(b))


def _decimal_remainder(a: Decimal128, b: Decimal128) -> Decimal128:
    dividend, divisor = a.to_decimal(), b.to_decimal()
    if dividend.is_finite() and divisor.is_finite():
        # The quotient may have thousands of digits, which the 34-digit context would refuse.
        precise = _CONTEXT.copy()
        precise.prec = max(34, dividend.adjusted() - divisor.adjusted() + 40)
        return Decimal128(_CONTEXT.plus(precise.remainder(dividend, divisor)))
    return Decimal128(_CONTEXT.remainder(dividend, divisor))


def _is_zero(value: Number) -> bool:
    return not (value.to_decimal() if isinstance(value, Decimal128) else value)
