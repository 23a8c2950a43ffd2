"""`$convert`, `$toInt` and kin, `$type`, `$isNumber`.

Source: MongoDB manual, `$convert`: which type converts to which, and how. A null input gives null or `onNull`; a value that
does not convert gives `onError` or ConversionFailure (241).
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from bson.decimal128 import Decimal128, create_decimal128_context
from bson.errors import InvalidId
from bson.int64 import Int64
from bson.objectid import ObjectId

from skerry.errors import BadValueError, ConversionFailureError, FailedToParseError
from skerry.expressions.date_string import read_date
from skerry.expressions.date_zones import zone_named
from skerry.expressions.dates import coerce_to_millis, date_of, is_date, millis_of
from skerry.expressions.expression import Document, Expression, Variables, combine
from skerry.expressions.operands import Arguments, unary
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.string_form import iso_string, number_string
from skerry.expressions.truth import is_nullish
from skerry.values.numbers import INT64_MAX, INT64_MIN, is_integer, is_number, to_decimal, to_double, to_int64_exact
from skerry.values.type_order import INT32_MAX, INT32_MIN, type_code, type_name, type_name_of

Conversion = Callable[[Any], Any]

_CONTEXT: Final = create_decimal128_context()
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_FLOAT: Final = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE)


def _unsupported(value: Any, target: str) -> ConversionFailureError:
    return ConversionFailureError(
        f"Unsupported conversion from {type_name_of(value)} to {target} in $convert with no onError value"
    )


def _not_parsed(value: str, reason: str) -> ConversionFailureError:
    return ConversionFailureError(f"Failed to parse {reason} '{value}' in $convert with no onError value")


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if is_number(value):
        return bool(value.to_decimal() if isinstance(value, Decimal128) else value)
    return True


def _whole(value: Any, target: str, lowest: int, highest: int) -> int:
    """Return a number, boolean or numeric string as an integer, without its fraction."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise _not_parsed(value, "number")
        number = int(value) if len(value) <= 40 else highest + 1
    elif is_number(value):
        exact = value.to_decimal() if isinstance(value, Decimal128) else value
        if not is_integer(exact) and not math.isfinite(exact):
            raise ConversionFailureError(
                "Attempt to convert NaN or infinity value to integer type in $convert with no onError value"
            )
        number = int(exact) if abs(exact) < 1 << 64 else highest + 1
    else:
        raise _unsupported(value, target)
    if not lowest <= number <= highest:
        raise ConversionFailureError(
            f"Conversion would overflow target type in $convert with no onError value: {value}"
        )
    return number


def _to_int(value: Any) -> int:
    return _whole(value, "int", INT32_MIN, INT32_MAX)


def _to_long(value: Any) -> Int64:
    return Int64(millis_of(value) if is_date(value) else _whole(value, "long", INT64_MIN, INT64_MAX))


def _to_double(value: Any) -> float:
    if isinstance(value, bool):
        return float(value)
    if is_date(value):
        return float(millis_of(value))
    if isinstance(value, str):
        if not _FLOAT.fullmatch(value):
            raise _not_parsed(value, "number")
        number = float(value)
        if math.isinf(number) and "inf" not in value.lower():
            raise _not_parsed(value, "number, out of range:")
        return number
    if not is_number(value):
        raise _unsupported(value, "double")
    number = to_double(value)
    if math.isinf(number) and isinstance(value, Decimal128) and value.to_decimal().is_finite():
        raise ConversionFailureError(
            f"Conversion would overflow target type in $convert with no onError value: {value}"
        )
    return number


def _to_decimal(value: Any) -> Decimal128:
    if isinstance(value, bool):
        return Decimal128(str(int(value)))
    if is_date(value):
        return Decimal128(str(millis_of(value)))
    if isinstance(value, str):
        if not _FLOAT.fullmatch(value):
            raise _not_parsed(value, "number")
        return Decimal128(_CONTEXT.create_decimal(Decimal(value)))
    if not is_number(value):
        raise _unsupported(value, "decimal")
    return to_decimal(value)


def _to_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return number_string(value)
    if isinstance(value, ObjectId):
        return str(value)
    if is_date(value):
        return iso_string(value)
    raise _unsupported(value, "string")


def _to_object_id(value: Any) -> ObjectId:
    if isinstance(value, ObjectId):
        return value
    if not isinstance(value, str):
        raise _unsupported(value, "objectId")
    try:
        return ObjectId(value)
    except InvalidId:
        raise _not_parsed(value, "objectId") from None


def _to_date(value: Any) -> Any:
    if isinstance(value, str):
        return read_date(value, None, zone_named("UTC"))
    if isinstance(value, float | Int64 | Decimal128):
        return date_of(_whole(value, "date", INT64_MIN, INT64_MAX))
    if isinstance(value, bool | int) or type_name_of(value) not in ("date", "objectId", "timestamp"):
        raise _unsupported(value, "date")
    return value if is_date(value) else date_of(coerce_to_millis(value))


_CONVERSIONS: Final[dict[str, Conversion]] = {
    "bool": _to_bool,
    "date": _to_date,
    "decimal": _to_decimal,
    "double": _to_double,
    "int": _to_int,
    "long": _to_long,
    "objectId": _to_object_id,
    "string": _to_string,
}


def convert(value: Any, target: str) -> Any:
    """Return a value that is neither null nor missing as one of the type called `target`.

    Raises ConversionFailureError where it has no such form, or the type is none that values convert to.
    """
    conversion = _CONVERSIONS.get(target)
    if conversion is None:
        if type_name_of(value) == target:
            return value
        raise _unsupported(value, target)
    return conversion(value)


def _target_name(to: Any) -> str:
    """Return the name of the type that `to` names or numbers."""
    if isinstance(to, str):
        (code,) = type_code(to) if to != "number" else _refuse_type(to)
        return type_name(code)
    number = to_int64_exact(to)
    if number is None:
        if is_number(to):
            raise FailedToParseError("In $convert, numeric 'to' argument is not an integer")
        raise FailedToParseError(f"$convert's 'to' argument must be a string or number, but is {type_name_of(to)}")
    (code,) = type_code(number)
    return type_name(code)


def _refuse_type(name: str) -> tuple[int]:
    raise BadValueError(f"Unknown type name: {name}")


def _parse_convert(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("input", "to"),
        optional=("onError", "onNull"),
        not_a_document=9,
        unknown=9,
        missing=9,
    )
    source, target = arguments.compile("input", scope), arguments.compile("to", scope)
    on_null = arguments.compile("onNull", scope, default=None)
    on_error = arguments.compile("onError", scope) if "onError" in arguments else None

    def evaluate(document: Document, variables: Variables) -> Any:
        value = source.evaluate(document, variables)
        to = target.evaluate(document, variables)
        if is_nullish(value):
            return on_null.evaluate(document, variables)
        if is_nullish(to):
            return None
        wanted = _target_name(to)
        try:
            return convert(value, wanted)
        except ConversionFailureError:
            if on_error is None:
                raise
            return on_error.evaluate(document, variables)

    operands = [source, target, on_null]
    return combine(evaluate, operands if on_error is None else [*operands, on_error])


def _to(target: str) -> OperatorParser:
    def compute(value: Any) -> Any:
        return None if is_nullish(value) else convert(value, target)

    return unary(compute)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$convert": _parse_convert,
    "$isNumber": unary(is_number),
    "$toBool": _to("bool"),
    "$toDate": _to("date"),
    "$toDecimal": _to("decimal"),
    "$toDouble": _to("double"),
    "$toInt": _to("int"),
    "$toLong": _to("long"),
    "$toObjectId": _to("objectId"),
    "$toString": _to("string"),
    "$type": unary(type_name_of),
}
