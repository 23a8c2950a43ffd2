"""Order-preserving bytes of values: comparing two keys as bytes compares the values as MongoDB does.

Rules: equal values have equal keys (`1`, `1.0` and `Decimal128("1")` are one), a key ends by itself (no key is a prefix of
another, so keys can be joined), and a key inverted bit by bit sorts downwards.

A key is a code byte, then the value:

* a number is the greatest double that is not beyond its magnitude, then a zero byte if that is exact, else the decimal
  exponent and digits of the number. Int64 and Decimal128 that lie between two doubles so keep their exact order, with
  the common case at ten bytes. Negative numbers are the same, inverted. NaN is a code alone.
* a string is its UTF-8 with a zero at the end; bytes 0 and 1 are escaped as 01 01 and 01 02.
* a document is, field by field, the code of the value's bracket, the name, the value; an array its elements. Both end with 0.

Binary data sorts by length, then subtype, then bytes; a regular expression by pattern, then options.
"""

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf, nextafter
from sys import float_info
from typing import Any, Final
from uuid import UUID

from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from skerry.values.missing import Missing

LOWEST: Final = b"\x00"
"""Not above any key, ascending or inverted."""
HIGHEST: Final = b"\xff"
"""Above every key, ascending or inverted."""

_MIN_KEY: Final = b"\x10"
_UNDEFINED: Final = b"\x14"
_NULL: Final = b"\x18"
_NAN: Final = b"\x20"
_NEGATIVE: Final = b"\x21"
_POSITIVE: Final = b"\x22"
_STRING: Final = b"\x30"
_OBJECT: Final = b"\x38"
_ARRAY: Final = b"\x40"
_BINARY: Final = b"\x48"
_OBJECT_ID: Final = b"\x50"
_FALSE: Final = b"\x58"
_TRUE: Final = b"\x59"
_DATE: Final = b"\x60"
_TIMESTAMP: Final = b"\x68"
_REGEX: Final = b"\x70"
_CODE: Final = b"\x80"
_CODE_WITH_SCOPE: Final = b"\x88"
_MAX_KEY: Final = b"\xf0"

NAN_KEY: Final = _NAN
NULL_KEY: Final = _NULL
UNDEFINED_KEY: Final = _UNDEFINED

_END: Final = b"\x00"
_EXACT: Final = b"\x00"
_INEXACT: Final = b"\x01"
_INVERTED: Final = bytes(255 - byte for byte in range(256))
_DOUBLE_EXACT_INT: Final = 1 << 53
_DECIMAL_EXPONENT_BIAS: Final = 8192  # Decimal128 has exponents from -6176 to 6144
_DATE_BIAS: Final = 1 << 63
_EPOCH: Final = datetime(1970, 1, 1)
_MILLISECOND: Final = timedelta(milliseconds=1)

_pack_double: Final = struct.Struct(">cdc").pack
_pack_bare_double: Final = struct.Struct(">d").pack
_pack_date: Final = struct.Struct(">cQ").pack
_pack_timestamp: Final = struct.Struct(">cII").pack
_pack_binary: Final = struct.Struct(">cIB").pack
_pack_exponent: Final = struct.Struct(">cH").pack


def encode(value: Any) -> bytes:
    """Return the key of a value, which may be `MISSING` (below null).

    Raises TypeError for a class that has no BSON form.
    """
    encoder = _ENCODERS.get(value.__class__)
    return encoder(value) if encoder is not None else _encode_subclass(value)


def encode_compound(values: Sequence[Any], directions: Sequence[int]) -> bytes:
    """Return the joined keys of several values; those with a negative direction sort downwards."""
    return b"".join(
        encode(value) if direction > 0 else encode(value).translate(_INVERTED)
        for value, direction in zip(values, directions, strict=True)
    )


def invert(key: bytes) -> bytes:
    """Return the bytes that sort the other way round; inverting twice gives the key again."""
    return key.translate(_INVERTED)


def successor(prefix: bytes) -> bytes:
    """Return the smallest byte string greater than everything that starts with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    if not stripped:
        return HIGHEST
    return stripped[:-1] + bytes((stripped[-1] + 1,))


def string_prefix(text: str) -> bytes:
    """Return what the keys of all strings that start with `text`, and of no others, start with."""
    return _STRING + _escape(text)


def type_bracket(value: Any) -> tuple[bytes, bytes]:
    """Return the half-open range of all keys in a value's comparison bracket: numbers (NaN included), strings, …"""
    code = encode(value)[:1]
    return _BRACKETS.get(code) or (code, successor(code))


_BRACKETS: Final[dict[bytes, tuple[bytes, bytes]]] = {
    _NAN: (_NAN, successor(_POSITIVE)),
    _NEGATIVE: (_NAN, successor(_POSITIVE)),
    _POSITIVE: (_NAN, successor(_POSITIVE)),
    _FALSE: (_FALSE, successor(_TRUE)),
    _TRUE: (_FALSE, successor(_TRUE)),
}


def _encode_int(value: int) -> bytes:
    if 0 <= value <= _DOUBLE_EXACT_INT:
        return _pack_double(_POSITIVE, value, _EXACT)
    if -_DOUBLE_EXACT_INT <= value < 0:
        return _NEGATIVE + _pack_double(_POSITIVE, -value, _EXACT)[1:].translate(_INVERTED)
    magnitude = abs(value)
    double = float(magnitude)
    if double > magnitude:
        double = nextafter(double, 0.0)
    if double == magnitude:
        return _number(double, _EXACT, negative=value < 0)
    digits = str(magnitude)
    return _number(double, _refinement(len(digits) - 1, digits), negative=value < 0)


def _encode_double(value: float) -> bytes:
    if value > 0.0:
        return _pack_double(_POSITIVE, value, _EXACT)
    if value < 0.0:
        return _NEGATIVE + _pack_double(_POSITIVE, -value, _EXACT)[1:].translate(_INVERTED)
    return _ZERO if value == 0.0 else _NAN


def _encode_decimal(value: Decimal128) -> bytes:
    number = value.to_decimal()
    if number.is_nan():
        return _NAN
    if not number:
        return _ZERO
    if number.is_infinite():
        return _encode_double(inf if number > 0 else -inf)
    magnitude = number.copy_abs()
    double = float(magnitude)
    if double == inf:
        double = float_info.max
    elif Decimal(double) > magnitude:
        double = nextafter(double, 0.0)
    if Decimal(double) == magnitude:
        return _number(double, _EXACT, negative=number < 0)
    digits = "".join(map(str, magnitude.as_tuple().digits))
    return _number(double, _refinement(magnitude.adjusted(), digits), negative=number < 0)


def _refinement(exponent: int, digits: str) -> bytes:
    biased = exponent + _DECIMAL_EXPONENT_BIAS
    return _pack_exponent(_INEXACT, biased) + digits.strip("0").encode("ascii") + _END


def _number(magnitude_floor: float, refinement: bytes, *, negative: bool) -> bytes:
    key = _pack_bare_double(magnitude_floor) + refinement
    return _NEGATIVE + key.translate(_INVERTED) if negative else _POSITIVE + key


def _encode_string(value: str) -> bytes:
    if "\x00" in value or "\x01" in value:
        return _STRING + _escape(value) + _END
    return _STRING + value.encode() + _END


def _escape(text: str) -> bytes:
    return text.encode().replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01")


def _encode_object(value: Mapping[str, Any]) -> bytes:
    parts = [_OBJECT]
    for name, each in value.items():
        key = encode(each)
        code = key[:1]
        bracket = _BRACKETS.get(code)
        parts += (code if bracket is None else bracket[0], _escape(name), _END, key)
    parts.append(_END)
    return b"".join(parts)


def _encode_array(value: Sequence[Any]) -> bytes:
    return _ARRAY + b"".join(map(encode, value)) + _END


def _encode_bytes(value: bytes) -> bytes:
    return _pack_binary(_BINARY, len(value), 0) + value


def _encode_binary(value: Binary) -> bytes:
    return _pack_binary(_BINARY, len(value), value.subtype) + value


def _encode_datetime(value: datetime) -> bytes:
    if value.tzinfo is not None:
        value = value.replace(tzinfo=None) - (value.utcoffset() or timedelta())
    return _pack_date(_DATE, (value - _EPOCH) // _MILLISECOND + _DATE_BIAS)


def regex_options(flags: int) -> str:
    """Return the options of a regular expression as MongoDB writes them: letters in alphabetical order."""
    return "".join(letter for letter, flag in _REGEX_FLAGS if flags & flag)


_REGEX_FLAGS: Final = (("i", re.I), ("l", re.L), ("m", re.M), ("s", re.S), ("u", re.U), ("x", re.X))


def _encode_regex(value: Regex[Any]) -> bytes:
    pattern = value.pattern if isinstance(value.pattern, str) else value.pattern.decode()
    return _REGEX + _escape(pattern) + _END + regex_options(value.flags).encode("ascii") + _END


def _encode_code(value: Code) -> bytes:
    text = _escape(str(value)) + _END
    return _CODE + text if value.scope is None else _CODE_WITH_SCOPE + text + _encode_object(value.scope)


def _encode_subclass(value: Any) -> bytes:
    if isinstance(value, Mapping):
        return _encode_object(value)
    for known, encoder in _ENCODERS.items():
        if isinstance(value, known):
            return encoder(value)
    raise TypeError(f"{value.__class__.__name__} is not a BSON type")


_ZERO: Final = _pack_double(_POSITIVE, 0.0, _EXACT)

_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    int: _encode_int,
    str: _encode_string,
    ObjectId: lambda value: _OBJECT_ID + value.binary,
    Int64: _encode_int,
    float: _encode_double,
    datetime: _encode_datetime,
    type(None): lambda _value: _NULL,
    bool: lambda value: _TRUE if value else _FALSE,
    dict: _encode_object,
    list: _encode_array,
    Decimal128: _encode_decimal,
    Binary: _encode_binary,
    bytes: _encode_bytes,
    Missing: lambda _value: _UNDEFINED,
    Timestamp: lambda value: _pack_timestamp(_TIMESTAMP, value.time, value.inc),
    DatetimeMS: lambda value: _pack_date(_DATE, int(value) + _DATE_BIAS),
    Regex: _encode_regex,
    Code: _encode_code,
    MinKey: lambda _value: _MIN_KEY,
    MaxKey: lambda _value: _MAX_KEY,
    tuple: _encode_array,
    DBRef: lambda value: _encode_object(value.as_doc()),
    UUID: lambda value: _encode_binary(Binary.from_uuid(value)),
}
