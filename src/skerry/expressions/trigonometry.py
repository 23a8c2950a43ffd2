"""Trigonometry: `$sin`, `$acosh`, `$atan2`, `$degreesToRadians` and kin.

Rules (MongoDB manual, "Trigonometry Expression Operators"): radians; ints and longs give doubles, decimals decimals; null
gives null and not-a-number itself; an argument outside the function's domain is 50989.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from bson.decimal128 import Decimal128, create_decimal128_context

from skerry.errors import CommandError
from skerry.expressions import decimal_trigonometry as decimals
from skerry.expressions.arithmetic import numeric
from skerry.expressions.operands import binary
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values.numbers import is_nan, is_number, to_decimal
from skerry.values.type_order import type_name_of

OUT_OF_DOMAIN: Final = 50989

_CONTEXT: Final = create_decimal128_context()


def _function(
    name: str,
    of_double: Callable[[float], float],
    of_decimal: Callable[[Decimal], Decimal],
    lowest: float = -math.inf,
    highest: float = math.inf,
    *,
    finite_only: bool = False,
) -> OperatorParser:
    """Return the parser of a function of one angle or ratio from `lowest` to `highest`."""

    def compute(value: Any) -> Any:
        if is_nan(value):
            return value
        number = value.to_decimal() if isinstance(value, Decimal128) else float(value)
        if not lowest <= number <= highest or (finite_only and math.isinf(number)):
            brackets = "()" if finite_only else "[]"
            raise CommandError(
                f"cannot apply {name} to {value}, value must in {brackets[0]}{lowest},{highest}{brackets[1]}",
                OUT_OF_DOMAIN,
            )
        if isinstance(number, Decimal):
            return Decimal128(_CONTEXT.plus(of_decimal(number)))
        try:
            return of_double(number)
        except OverflowError:
            return math.inf if number > 0 or name == "$cosh" else -math.inf

    return numeric(name, compute)


def _atanh(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) == 1 else math.atanh(value)


def _decimal_atanh(value: Decimal) -> Decimal:
    return Decimal("Infinity").copy_sign(value) if abs(value) == 1 else decimals.atanh(value)


def _atan2(y: Any, x: Any) -> Any:
    if is_nullish(y) or is_nullish(x):
        return None
    for value, code in ((y, 51044), (x, 51045)):
        if not is_number(value):
            raise CommandError(f"$atan2 only supports numeric types, not {type_name_of(value)}", code)
    if isinstance(y, Decimal128) or isinstance(x, Decimal128):
        if is_nan(y) or is_nan(x):
            return Decimal128("NaN")
        return Decimal128(_CONTEXT.plus(decimals.atan2(to_decimal(y).to_decimal(), to_decimal(x).to_decimal())))
    return math.atan2(y, x)


def _scaled(name: str, factor: float, numerator: Decimal, denominator: Decimal) -> OperatorParser:
    def scale(value: Any) -> Any:
        if isinstance(value, Decimal128):
            return Decimal128(_CONTEXT.divide(_CONTEXT.multiply(value.to_decimal(), numerator), denominator))
        return value * factor

    return numeric(name, scale)


_HALF_TURN: Final = Decimal(180)
_PI: Final = _CONTEXT.plus(decimals.PI)

OPERATORS: Final[dict[str, OperatorParser]] = {
    "$acos": _function("$acos", math.acos, decimals.acos, -1, 1),
    "$acosh": _function("$acosh", math.acosh, decimals.acosh, 1),
    "$asin": _function("$asin", math.asin, decimals.asin, -1, 1),
    "$asinh": _function("$asinh", math.asinh, decimals.asinh),
    "$atan": _function("$atan", math.atan, decimals.atan),
    "$atan2": binary(_atan2),
    "$atanh": _function("$atanh", _atanh, _decimal_atanh, -1, 1),
    "$cos": _function("$cos", math.cos, decimals.cos, finite_only=True),
    "$cosh": _function("$cosh", math.cosh, decimals.cosh),
    "$degreesToRadians": _scaled("$degreesToRadians", math.pi / 180, _PI, _HALF_TURN),
    "$radiansToDegrees": _scaled("$radiansToDegrees", 180 / math.pi, _HALF_TURN, _PI),
    "$sin": _function("$sin", math.sin, decimals.sin, finite_only=True),
    "$sinh": _function("$sinh", math.sinh, decimals.sinh),
    "$tan": _function("$tan", math.tan, decimals.tan, finite_only=True),
    "$tanh": _function("$tanh", math.tanh, decimals.tanh),
}
