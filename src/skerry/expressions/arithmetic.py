"""`$add`, `$subtract`, `$multiply`, `$divide`, `$mod`, `$abs`, `$pow`, `$exp`, roots and logarithms.

Rules (MongoDB manual, "Arithmetic Expression Operators"): null and missing operands give null; numbers are promoted by
`skerry.values.numbers`; a date takes part in `$add` and `$subtract` as milliseconds.
"""

import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from bson.decimal128 import Decimal128, create_decimal128_context
from bson.int64 import Int64

from skerry.errors import BadValueError, CommandError, NumericOverflowError, TypeMismatchError
from skerry.expressions.dates import date_of, is_date, millis_of
from skerry.expressions.operands import binary, unary, variadic
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values import numbers
from skerry.values.numbers import INT64_MAX, INT64_MIN, is_integer, is_nan, is_number, to_decimal, to_double
from skerry.values.type_order import INT32_MAX, INT32_MIN, type_name_of

NOT_A_NUMBER: Final = 28765
TWO_DATES: Final = 16612
MOD_TYPES: Final = 16611

_CONTEXT: Final = create_decimal128_context()


def numeric(name: str, function: Callable[[Any], Any]) -> OperatorParser:
    """Return the parser of an operator on one number: null for null, 28765 for any other type."""

    def compute(value: Any) -> Any:
        if is_number(value):
            return function(value)
        if is_nullish(value):
            return None
        raise CommandError(f"{name} only supports numeric types, not {type_name_of(value)}", NOT_A_NUMBER)

    return unary(compute)


def whole_millis(number: Any) -> int:
    """Return a number as whole milliseconds, halves away from zero.

    Raises NumericOverflowError for what is not finite or beyond 64 bits.
    """
    value = number.to_decimal() if isinstance(number, Decimal128) else number
    if not is_integer(value):
        if not math.isfinite(value):
            raise NumericOverflowError("date overflow")
        value = math.floor(abs(value) + (Decimal("0.5") if isinstance(value, Decimal) else 0.5)) * (
            1 if value >= 0 else -1
        )
    if not INT64_MIN <= value <= INT64_MAX:
        raise NumericOverflowError("date overflow")
    return int(value)


def add(values: list[Any]) -> Any:
    """Return the sum of numbers and at most one date."""
    total: Any = None
    date: Any = None
    for value in values:
        if is_number(value):
            total = value if total is None else numbers.add(total, value)
        elif is_nullish(value):
            return None
        elif is_date(value):
            if date is not None:
                raise CommandError("only one date allowed in an $add expression", TWO_DATES)
            date = value
        else:
            raise TypeMismatchError(f"$add only supports numeric or date types, not {type_name_of(value)}")
    if total is None:
        return 0 if date is None else date
    return total if date is None else date_of(millis_of(date) + whole_millis(total))


def subtract(left: Any, right: Any) -> Any:
    """Return the difference of two numbers, of two dates (milliseconds), or of a date and milliseconds."""
    if is_number(left) and is_number(right):
        return numbers.subtract(left, right)
    if is_nullish(left) or is_nullish(right):
        return None
    if is_date(left):
        if is_date(right):
            return Int64(millis_of(left) - millis_of(right))
        if is_number(right):
            return date_of(millis_of(left) - whole_millis(right))
    raise TypeMismatchError(f"can't $subtract {type_name_of(right)} from {type_name_of(left)}")


def multiply(values: list[Any]) -> Any:
    """Return the product of numbers."""
    product: Any = 1
    for value in values:
        if is_number(value):
            product = numbers.multiply(product, value)
        elif is_nullish(value):
            return None
        else:
            raise TypeMismatchError(f"$multiply only supports numeric types, not {type_name_of(value)}")
    return product


def divide(left: Any, right: Any) -> Any:
    """Return the quotient, a double or a decimal."""
    if is_number(left) and is_number(right):
        if numbers.to_double(right) == 0 and not (right.to_decimal() if isinstance(right, Decimal128) else right):
            raise BadValueError("can't $divide by zero")
        return numbers.divide(left, right)
    if is_nullish(left) or is_nullish(right):
        return None
    raise TypeMismatchError(f"$divide only supports numeric types, not {type_name_of(left)} and {type_name_of(right)}")


def mod(left: Any, right: Any) -> Any:
    """Return the remainder, with the sign of the dividend."""
    if is_number(left) and is_number(right):
        return numbers.mod(left, right)
    if is_nullish(left) or is_nullish(right):
        return None
    raise CommandError(
        f"$mod only supports numeric types, not {type_name_of(left)} and {type_name_of(right)}", MOD_TYPES
    )


def absolute(value: Any) -> Any:
    """Return the absolute value; the least long has none (28680)."""
    if value.__class__ is Int64 and value == INT64_MIN:
        raise CommandError("can't take $abs of long long min", 28680)
    return numbers.absolute(value)


def power(base: Any, exponent: Any) -> Any:
    """Return a power; integers give an integer while it fits into a long, else a double."""
    if is_nullish(base) or is_nullish(exponent):
        return None
    if not is_number(base):
        raise CommandError(f"$pow's base must be numeric, not {type_name_of(base)}", 28762)
    if not is_number(exponent):
        raise CommandError(f"$pow's exponent must be numeric, not {type_name_of(exponent)}", 28763)
    if to_double(base) == 0 and to_double(exponent) < 0:
        raise CommandError("$pow cannot take a base of 0 and a negative exponent", 28764)
    if isinstance(base, Decimal128) or isinstance(exponent, Decimal128):
        return Decimal128(_decimal_power(to_decimal(base).to_decimal(), to_decimal(exponent).to_decimal()))
    if is_integer(base) and is_integer(exponent):
        result = _integer_power(int(base), int(exponent))
        if result is not None:
            if base.__class__ is Int64 or exponent.__class__ is Int64 or not INT32_MIN <= result <= INT32_MAX:
                return Int64(result)
            return result
    return _double_power(float(base), float(exponent))


def _integer_power(base: int, exponent: int) -> int | None:
    """Return the power if it is a whole number of 64 bits."""
    if base in (0, 1):
        return base if exponent else 1
    if base == -1:
        return -1 if exponent % 2 else 1
    if not 0 <= exponent <= 63:
        return None
    result: int = base**exponent
    return result if INT64_MIN <= result <= INT64_MAX else None


def _double_power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except ValueError:
        return math.nan
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf


def _decimal_power(base: Decimal, exponent: Decimal) -> Decimal:
    if not exponent:
        return Decimal(1)
    return _decimal(lambda: _CONTEXT.power(base, exponent))


def _decimal(compute: Callable[[], Decimal]) -> Decimal:
    """Return what `compute` gives, not-a-number where it is undefined."""
    try:
        return compute()
    except InvalidOperation:
        return Decimal("NaN")


def _exp(value: Any) -> Any:
    if isinstance(value, Decimal128):
        return Decimal128(_CONTEXT.exp(value.to_decimal()))
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _square_root(value: Any) -> Any:
    if to_double(value) < 0:
        raise CommandError("$sqrt's argument must be greater than or equal to 0", 28714)
    if isinstance(value, Decimal128):
        return Decimal128(_CONTEXT.sqrt(value.to_decimal()))
    return math.sqrt(value)


def _natural_logarithm(value: Any) -> Any:
    _check_positive(value, "$ln", 28766)
    return Decimal128(_CONTEXT.ln(value.to_decimal())) if isinstance(value, Decimal128) else math.log(value)


def _decimal_logarithm(value: Any) -> Any:
    _check_positive(value, "$log10", 28761)
    return Decimal128(_CONTEXT.log10(value.to_decimal())) if isinstance(value, Decimal128) else math.log10(value)


def _check_positive(value: Any, name: str, code: int) -> None:
    if not is_nan(value) and (value.to_decimal() if isinstance(value, Decimal128) else value) <= 0:
        raise CommandError(f"{name}'s argument must be a positive number, but is {value}", code)


def _logarithm(value: Any, base: Any) -> Any:
    if is_nullish(value) or is_nullish(base):
        return None
    if not is_number(value):
        raise CommandError(f"$log's argument must be numeric, not {type_name_of(value)}", 28756)
    if not is_number(base):
        raise CommandError(f"$log's base must be numeric, not {type_name_of(base)}", 28757)
    _check_positive(value, "$log", 28758)
    if not is_nan(base) and (to_double(base) <= 0 or to_double(base) == 1):
        raise CommandError(f"$log's base must be a positive number not equal to 1, but is {base}", 28759)
    if isinstance(value, Decimal128) or isinstance(base, Decimal128):
        return Decimal128(
            _CONTEXT.divide(_CONTEXT.ln(to_decimal(value).to_decimal()), _CONTEXT.ln(to_decimal(base).to_decimal()))
        )
    return math.log(value) / math.log(base)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$abs": numeric("$abs", absolute),
    "$add": variadic(add),
    "$divide": binary(divide),
    "$exp": numeric("$exp", _exp),
    "$ln": numeric("$ln", _natural_logarithm),
    "$log": binary(_logarithm),
    "$log10": numeric("$log10", _decimal_logarithm),
    "$mod": binary(mod),
    "$multiply": variadic(multiply),
    "$pow": binary(power),
    "$sqrt": numeric("$sqrt", _square_root),
    "$subtract": binary(subtract),
}
