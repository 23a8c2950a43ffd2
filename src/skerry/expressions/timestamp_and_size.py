"""`$tsSecond` and `$tsIncrement`, the halves of a timestamp, and `$binarySize`, the bytes of a string or of binary data."""

from collections.abc import Callable
from typing import Any, Final

from bson.int64 import Int64
from bson.timestamp import Timestamp

from skerry.errors import CommandError
from skerry.expressions.operands import unary
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values.type_order import type_name_of


def _half(name: str, code: int, read: Callable[[Timestamp], int]) -> OperatorParser:
    def half(value: Any) -> Any:
        if is_nullish(value):
            return None
        if not isinstance(value, Timestamp):
            raise CommandError(f"Argument to {name} must be a timestamp, but is {type_name_of(value)}", code)
        return Int64(read(value))

    return unary(half)


def _binary_size(value: Any) -> Any:
    if is_nullish(value):
        return None
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    raise CommandError(f"$binarySize requires a string or BinData argument, found: {type_name_of(value)}", 51276)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$binarySize": unary(_binary_size),
    "$tsIncrement": _half("$tsIncrement", 5687302, lambda timestamp: timestamp.inc),
    "$tsSecond": _half("$tsSecond", 5687301, lambda timestamp: timestamp.time),
}
