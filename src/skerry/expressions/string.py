"""Strings: `$concat`, `$split`, `$trim`, `$replaceAll`, `$substrCP`, `$indexOfCP`, `$toUpper` and kin.

Rules (MongoDB manual, "String Expression Operators"): upper and lower case and `$strcasecmp` know ASCII letters only; the
operators with `Bytes` in their name count bytes of UTF-8, those with `CP` code points; the older ones also take numbers and
dates, which they read as strings, and null, which they read as "".
"""

from collections.abc import Callable
from typing import Any, Final

from bson.decimal128 import Decimal128

from skerry.errors import CommandError
from skerry.expressions.array_access import index_bound
from skerry.expressions.operands import binary, named, ranged, unary, variadic
from skerry.expressions.scope import OperatorParser
from skerry.expressions.string_form import string_of
from skerry.expressions.truth import is_nullish
from skerry.values.numbers import INT64_MAX, INT64_MIN, as_index, is_number
from skerry.values.type_order import type_name_of

INT32_MAX: Final = (1 << 31) - 1
# MongoDB manual, $trim: "Whitespace Characters".
WHITESPACE: Final = "\0\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B)))

_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _concatenate(values: list[Any]) -> Any:
    for value in values:
        if value.__class__ is not str:
            if is_nullish(value):
                return None
            raise CommandError(f"$concat only supports strings, not {type_name_of(value)}", 16702)
    return "".join(values)


def upper(text: str) -> str:
    """Return a string with ASCII letters in upper case."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def lower(text: str) -> str:
    """Return a string with ASCII letters in lower case."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _compare_ignoring_case(a: Any, b: Any) -> int:
    left, right = upper(string_of(a)), upper(string_of(b))
    return (left > right) - (left < right)


def _split(text: Any, separator: Any) -> Any:
    if is_nullish(text) or is_nullish(separator):
        return None
    if text.__class__ is not str:
        raise CommandError(
            f"$split requires an expression that evaluates to a string as a first argument, found: {type_name_of(text)}",
            40085,
        )
    if separator.__class__ is not str:
        raise CommandError(
            "$split requires an expression that evaluates to a string as a second argument, "
            f"found: {type_name_of(separator)}",
            40086,
        )
    if not separator:
        raise CommandError("$split requires a non-empty separator", 40087)
    return text.split(separator)


def _length(name: str, code: int, measure: Callable[[str], int]) -> OperatorParser:
    def length(value: Any) -> int:
        if value.__class__ is not str:
            raise CommandError(f"{name} requires a string argument, found: {type_name_of(value)}", code)
        return measure(value)

    return unary(length)


def _index_of(name: str, codes: tuple[int, int], *, in_bytes: bool) -> OperatorParser:
    def index_of(text: Any, wanted: Any, start: Any = 0, end: Any = INT32_MAX) -> Any:
        if is_nullish(text):
            return None
        if text.__class__ is not str:
            raise CommandError(f"{name} requires a string as the first argument, found: {type_name_of(text)}", codes[0])
        if wanted.__class__ is not str:
            raise CommandError(
                f"{name} requires a string as the second argument, found: {type_name_of(wanted)}", codes[1]
            )
        first = index_bound(name, "starting index", start)
        after = index_bound(name, "ending index", end)
        if in_bytes:
            return _find(text.encode(), wanted.encode(), first, after)
        return _find(text, wanted, first, after)

    return ranged(index_of, 2, 4)


def _find(text: Any, wanted: Any, first: int, after: int) -> int:
    return -1 if first > after or first > len(text) else int(text.find(wanted, first, after))


def _trim(name: str, strip: Callable[[str, str], str]) -> OperatorParser:
    def trim(text: Any, characters: Any) -> Any:
        if is_nullish(text):
            return None
        if text.__class__ is not str:
            raise CommandError(
                f"{name} requires its input to be a string, got {text} (of type {type_name_of(text)}) instead.", 50699
            )
        if characters.__class__ is not str:
            if is_nullish(characters):
                return None
            raise CommandError(
                f"{name} requires 'chars' to be a string, got {characters} (of type {type_name_of(characters)}) instead.",
                50700,
            )
        return strip(text, characters)

    return named(
        trim,
        required=("input",),
        optional={"chars": WHITESPACE},
        not_a_document=50696,
        unknown=50694,
        missing=50695,
    )


def _replace(name: str, count: int) -> OperatorParser:
    def replace(text: Any, wanted: Any, replacement: Any) -> Any:
        for role, value, code in (("input", text, 51746), ("find", wanted, 51745), ("replacement", replacement, 51744)):
            if not is_nullish(value) and value.__class__ is not str:
                raise CommandError(f"{name} requires that '{role}' be a string, found: {value}", code)
        if is_nullish(text) or is_nullish(wanted) or is_nullish(replacement):
            return None
        return text.replace(wanted, replacement, count)

    return named(
        replace,
        required=("input", "find", "replacement"),
        not_a_document=51751,
        unknown=51750,
        missing={"input": 51749, "find": 51748, "replacement": 51747},
    )


def _substring_of_bytes(text: Any, start: Any, length: Any) -> str:
    encoded = string_of(text).encode()
    if not is_number(start):
        raise CommandError(
            f"$substrBytes:  starting index must be a numeric type (is BSON type {type_name_of(start)})", 16034
        )
    if not is_number(length):
        raise CommandError(f"$substrBytes:  length must be a numeric type (is BSON type {type_name_of(length)})", 16035)
    first, count = _cut(start), _cut(length)
    if first < 0:
        raise CommandError(f"$substrBytes:  starting index must be non-negative (got: {first})", 50752)
    after = len(encoded) if count < 0 else min(len(encoded), first + count)
    if _splits_character(encoded, first):
        raise CommandError("$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.", 28656)
    if _splits_character(encoded, after):
        raise CommandError("$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.", 28657)
    return encoded[first:after].decode()


def _cut(number: Any) -> int:
    """Return a number without its fraction, as a long; not-a-number is 0."""
    value = number.to_decimal() if isinstance(number, Decimal128) else number
    if value != value:
        return 0
    return int(max(INT64_MIN, min(INT64_MAX, value)))


def _splits_character(encoded: bytes, position: int) -> bool:
    return position < len(encoded) and encoded[position] & 0xC0 == 0x80


def _substring_of_code_points(text: Any, start: Any, length: Any) -> str:
    whole = string_of(text)
    if not is_number(start):
        raise CommandError(
            f"$substrCP: starting index must be a numeric type (is BSON type {type_name_of(start)})", 34450
        )
    first = as_index(start)
    if first is None:
        raise CommandError(
            f"$substrCP: starting index cannot be represented as a 32-bit integral value: {start}", 34451
        )
    if not is_number(length):
        raise CommandError(f"$substrCP: length must be a numeric type (is BSON type {type_name_of(length)})", 34452)
    count = as_index(length)
    if count is None:
        raise CommandError(f"$substrCP: length cannot be represented as a 32-bit integral value: {length}", 34453)
    if count < 0:
        raise CommandError("$substrCP: length must be a nonnegative integer.", 34454)
    if first < 0:
        raise CommandError("$substrCP: the starting index must be nonnegative integer.", 34455)
    return whole[first : first + count]


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$concat": variadic(_concatenate),
    "$indexOfBytes": _index_of("$indexOfBytes", (40091, 40092), in_bytes=True),
    "$indexOfCP": _index_of("$indexOfCP", (40093, 40094), in_bytes=False),
    "$ltrim": _trim("$ltrim", str.lstrip),
    "$replaceAll": _replace("$replaceAll", -1),
    "$replaceOne": _replace("$replaceOne", 1),
    "$rtrim": _trim("$rtrim", str.rstrip),
    "$split": binary(_split),
    "$strcasecmp": binary(_compare_ignoring_case),
    "$strLenBytes": _length("$strLenBytes", 34473, lambda text: len(text.encode())),
    "$strLenCP": _length("$strLenCP", 34471, len),
    "$substr": ranged(_substring_of_bytes, 3, 3),
    "$substrBytes": ranged(_substring_of_bytes, 3, 3),
    "$substrCP": ranged(_substring_of_code_points, 3, 3),
    "$toLower": unary(lambda value: lower(string_of(value))),
    "$toUpper": unary(lambda value: upper(string_of(value))),
    "$trim": _trim("$trim", str.strip),
}
