"""`$ceil`, `$floor`, `$round`, `$trunc`: whole numbers, or a number of decimal places for the last two."""

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

from bson.decimal128 import Decimal128, create_decimal128_context
from bson.int64 import Int64

from skerry.errors import CommandError
from skerry.expressions.arithmetic import numeric
from skerry.expressions.operands import ranged
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values.numbers import INT64_MAX, INT64_MIN, as_index, is_integer, is_nan, is_number
from skerry.values.type_order import INT32_MAX, INT32_MIN, type_name_of

PLACES_MIN: Final = -20  # MongoDB manual, $round and $trunc
PLACES_MAX: Final = 100
_DIGITS: Final = 34
_CONTEXT: Final = create_decimal128_context()
# Enough digits for every place of a double: 309 before the point, `PLACES_MAX` after it.
_WIDE: Final = Context(prec=500)


def _to_whole(rounding: str, round_double: Callable[[float], float]) -> Callable[[Any], Any]:
    def compute(value: Any) -> Any:
        if is_integer(value):
            return value
        if isinstance(value, Decimal128):
            return Decimal128(_quantize(value.to_decimal(), 0, rounding))
        # `math` gives an int, which has no negative zero and no infinity.
        return math.copysign(round_double(value), value) if math.isfinite(value) else value

    return compute


def _quantize(value: Decimal, places: int, rounding: str) -> Decimal:
    """Return a decimal with so many places, with fewer where 34 digits do not suffice."""
    if not value.is_finite():
        return value
    # A zero has no digit before the places.
    digits_left = value.adjusted() + 1 if value else 0
    places = min(places, _DIGITS - max(digits_left, 0))
    return _CONTEXT.plus(value.quantize(Decimal(1).scaleb(-places), rounding, _WIDE))


def _to_places(name: str, rounding: str) -> OperatorParser:
    def compute(value: Any, places: Any = 0) -> Any:
        if is_nullish(value) or is_nullish(places):
            return None
        if not is_number(value):
            raise CommandError(f"{name} only supports numeric types, not {type_name_of(value)}", 51081)
        count = as_index(places)
        if count is None:
            raise CommandError(f"precision argument to {name} must be a integral value", 51082)
        if not PLACES_MIN <= count <= PLACES_MAX:
            raise CommandError(f"cannot apply {name} with precision value {count} value must be in [-20, 100]", 51083)
        if is_integer(value):
            return _round_integer(name, value, count, rounding)
        if isinstance(value, Decimal128):
            return Decimal128(_quantize(value.to_decimal(), count, rounding))
        if is_nan(value) or math.isinf(value):
            return value
        exact = Decimal(value)
        return float(exact.quantize(Decimal(1).scaleb(-count), rounding, _WIDE))

    return ranged(compute, 1, 2)


def _round_integer(name: str, value: Any, places: int, rounding: str) -> Any:
    if places >= 0:
        return value
    result = int(Decimal(value).quantize(Decimal(1).scaleb(-places), rounding, _WIDE))
    if value.__class__ is not Int64 and INT32_MIN <= result <= INT32_MAX:
        return result
    if INT64_MIN <= result <= INT64_MAX:
        return Int64(result)
    raise CommandError(f"invalid conversion from Decimal128 result in {name} of {value} to {places} places", 51080)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$ceil": numeric("$ceil", _to_whole(ROUND_CEILING, math.ceil)),
    "$floor": numeric("$floor", _to_whole(ROUND_FLOOR, math.floor)),
    "$round": _to_places("$round", ROUND_HALF_EVEN),
    "$trunc": _to_places("$trunc", ROUND_DOWN),
}
