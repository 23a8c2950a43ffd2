"""Which BSON type is a value, what is the type called, and where does it stand in the order of types?

Source: MongoDB manual, "BSON Types" and "Comparison/Sort Order". Numbers of all widths share one rank, so do strings and
symbols; a missing field ranks as undefined, below null.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
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

from skerry.errors import BadValueError
from skerry.values.missing import MISSING, Missing

MISSING_TYPE: Final = 0
MIN_KEY_TYPE: Final = -1
INT_TYPE: Final = 16
LONG_TYPE: Final = 18
INT32_MIN: Final = -(1 << 31)
INT32_MAX: Final = (1 << 31) - 1

_NAMES: Final[dict[int, str]] = {
    MIN_KEY_TYPE: "minKey",
    MISSING_TYPE: "missing",
    1: "double",
    2: "string",
    3: "object",
    4: "array",
    5: "binData",
    6: "undefined",
    7: "objectId",
    8: "bool",
    9: "date",
    10: "null",
    11: "regex",
    12: "dbPointer",
    13: "javascript",
    14: "symbol",
    15: "javascriptWithScope",
    INT_TYPE: "int",
    17: "timestamp",
    LONG_TYPE: "long",
    19: "decimal",
    127: "maxKey",
}
_CODES: Final[dict[str, int]] = {name: code for code, name in _NAMES.items() if code != MISSING_TYPE}
NUMBER_TYPES: Final = frozenset((1, INT_TYPE, LONG_TYPE, 19))

_TYPE_OF_CLASS: Final[dict[type, int]] = {
    Missing: MISSING_TYPE,
    MinKey: MIN_KEY_TYPE,
    float: 1,
    str: 2,
    dict: 3,
    list: 4,
    tuple: 4,
    bytes: 5,
    Binary: 5,
    UUID: 5,
    ObjectId: 7,
    bool: 8,
    datetime: 9,
    DatetimeMS: 9,
    type(None): 10,
    Regex: 11,
    Timestamp: 17,
    Int64: LONG_TYPE,
    Decimal128: 19,
    MaxKey: 127,
}
_TYPE_OF_VALUE: Final[dict[type, Callable[[Any], int]]] = {
    int: lambda value: INT_TYPE if INT32_MIN <= value <= INT32_MAX else LONG_TYPE,
    Code: lambda value: 13 if value.scope is None else 15,
    DBRef: lambda _value: 3,
}

_RANK_OF_TYPE: Final[dict[int, int]] = {
    MIN_KEY_TYPE: -1,
    MISSING_TYPE: 0,
    6: 0,
    10: 5,
    1: 10,
    INT_TYPE: 10,
    LONG_TYPE: 10,
    19: 10,
    2: 15,
    14: 15,
    3: 20,
    4: 25,
    5: 30,
    7: 35,
    8: 40,
    9: 45,
    17: 47,
    11: 50,
    12: 55,
    13: 60,
    15: 65,
    127: 127,
}
_RANK_OF_CLASS: Final[dict[type, int]] = {
    int: 10,
    DBRef: 20,
    **{kind: _RANK_OF_TYPE[number] for kind, number in _TYPE_OF_CLASS.items()},
}


def bson_type(value: Any) -> int:
    """Return the BSON type number of a value; 0 for MISSING, -1 for MinKey.

    Raises TypeError for a class that has no BSON form.
    """
    kind = value.__class__
    number = _TYPE_OF_CLASS.get(kind)
    if number is not None:
        return number
    by_value = _TYPE_OF_VALUE.get(kind)
    if by_value is not None:
        return by_value(value)
    if isinstance(value, Mapping):
        return 3
    for known, number in _TYPE_OF_CLASS.items():
        if isinstance(value, known):
            return number
    raise TypeError(f"{kind.__name__} is not a BSON type")


def canonical_rank(value: Any) -> int:
    """Return the place of a value's type in the order of types; values compare by it first."""
    rank = _RANK_OF_CLASS.get(value.__class__)
    return _RANK_OF_TYPE[bson_type(value)] if rank is None else rank


def same_bracket(a: Any, b: Any) -> bool:
    """Tell whether two values are of one comparison bracket: numbers with numbers, strings with strings."""
    return canonical_rank(a) == canonical_rank(b)


def type_name(number: int) -> str:
    """Return the alias that `$type` gives a BSON type number, "missing" for 0."""
    return _NAMES[number]


def type_code(alias_or_number: Any) -> frozenset[int]:
    """Return the BSON type numbers that an operand of `$type` stands for; "number" stands for four.

    Raises BadValueError for an unknown alias or number.
    """
    if isinstance(alias_or_number, str):
        if alias_or_number == "number":
            return NUMBER_TYPES
        code = _CODES.get(alias_or_number)
        if code is None:
            raise BadValueError(f"Unknown type name alias: {alias_or_number}")
        return frozenset((code,))
    number = alias_or_number
    if isinstance(number, Decimal128):
        number = number.to_decimal()
    if isinstance(number, bool) or canonical_rank(alias_or_number) != _RANK_OF_TYPE[INT_TYPE]:
        raise BadValueError("type must be represented as a number or a string")
    if number == MISSING_TYPE:
        raise BadValueError("Invalid numerical type code: 0. Instead use {$exists:false}.")
    if number not in _NAMES:
        raise BadValueError(f"Invalid numerical type code: {number}")
    return frozenset((int(number),))


def type_name_of(value: Any) -> str:
    """Return the alias of a value's BSON type; "missing" for MISSING."""
    return "missing" if value is MISSING else _NAMES[bson_type(value)]
