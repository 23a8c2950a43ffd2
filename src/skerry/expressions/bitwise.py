"""`$bitAnd`, `$bitOr`, `$bitXor`, `$bitNot` on ints and longs; one long makes the result a long."""

import operator
from collections.abc import Callable
from typing import Any, Final

from bson.int64 import Int64

from skerry.errors import CommandError, TypeMismatchError
from skerry.expressions.operands import unary, variadic
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values.numbers import is_integer
from skerry.values.type_order import type_name_of


def _folded(name: str, function: Callable[[int, int], int], neutral: int) -> OperatorParser:
    def compute(values: list[Any]) -> Any:
        result, is_long = neutral, False
        for value in values:
            if is_nullish(value):
                return None
            if not is_integer(value):
                raise TypeMismatchError(f"{name} only supports int and long operands, not {type_name_of(value)}.")
            is_long |= value.__class__ is Int64
            result = function(result, int(value))
        return Int64(result) if is_long else result

    return variadic(compute)


def _not(value: Any) -> Any:
    if is_nullish(value):
        return None
    if not is_integer(value):
        raise CommandError(f"$bitNot only supports int and long, not: {type_name_of(value)}.", 28765)
    return Int64(~int(value)) if value.__class__ is Int64 else ~value


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$bitAnd": _folded("$bitAnd", operator.and_, -1),
    "$bitNot": unary(_not),
    "$bitOr": _folded("$bitOr", operator.or_, 0),
    "$bitXor": _folded("$bitXor", operator.xor, 0),
}
