"""Arrays looked at: `$arrayElemAt`, `$first`, `$last`, `$in`, `$indexOfArray`, `$isArray`, `$size`, `$slice` and the N-operators.

Source: MongoDB manual, "Array Expression Operators". Null and missing arrays give null, except to `$in`, `$isArray`, `$size`.
"""

from collections.abc import Callable
from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.operands import binary, named, ranged, unary
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values import key_string
from skerry.values.compare import compare
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number, to_int64_exact
from skerry.values.type_order import type_name_of

NOT_AN_ARRAY: Final = 28689


def _element_at(array: Any, index: Any) -> Any:
    if is_nullish(array) or is_nullish(index):
        return None
    if array.__class__ is not list:
        raise CommandError(
            f"$arrayElemAt's first argument must be an array, but is {type_name_of(array)}", NOT_AN_ARRAY
        )
    if not is_number(index):
        raise CommandError(
            f"$arrayElemAt's second argument must be a numeric value, but is {type_name_of(index)}", 28690
        )
    position = as_index(index)
    if position is None:
        raise CommandError(f"$arrayElemAt's second argument must be representable as a 32-bit integer: {index}", 28691)
    return array[position] if -len(array) <= position < len(array) else MISSING


def _at_end(name: str, position: int) -> Callable[[Any], Any]:
    def element(array: Any) -> Any:
        if is_nullish(array):
            return None
        if array.__class__ is not list:
            raise CommandError(f"{name}'s argument must be an array, but is {type_name_of(array)}", NOT_AN_ARRAY)
        return array[position] if array else MISSING

    return element


def _is_in(value: Any, array: Any) -> bool:
    if array.__class__ is not list:
        raise CommandError(f"$in requires an array as a second argument, found: {type_name_of(array)}", 40081)
    return any(compare(value, element) == 0 for element in array)


def index_bound(name: str, role: str, value: Any) -> int:
    """Return an index that `$indexOfArray` and kin are given.

    Raises CommandError 40096 for what is no 32-bit integer, 40097 for a negative one.
    """
    index = as_index(value)
    if index is None:
        raise CommandError(f"{name} requires an integral {role}, found a value of type: {type_name_of(value)}", 40096)
    if index < 0:
        raise CommandError(f"{name} requires a nonnegative {role}, found: {index}", 40097)
    return index


def _index_of(array: Any, wanted: Any, start: Any = 0, end: Any = (1 << 31) - 1) -> Any:
    if is_nullish(array):
        return None
    if array.__class__ is not list:
        raise CommandError(f"$indexOfArray requires an array as a first argument, found: {type_name_of(array)}", 40090)
    first = index_bound("$indexOfArray", "starting index", start)
    after = index_bound("$indexOfArray", "ending index", end)
    for position in range(first, min(after, len(array))):
        if compare(array[position], wanted) == 0:
            return position
    return -1


def _size(array: Any) -> int:
    if array.__class__ is not list:
        raise CommandError(f"The argument to $size must be an array, but was of type: {type_name_of(array)}", 17124)
    return len(array)


def _slice_bound(role: str, value: Any, not_numeric: int, not_int32: int) -> int:
    if not is_number(value):
        raise CommandError(
            f"{role} argument to $slice must be numeric, but is of type: {type_name_of(value)}", not_numeric
        )
    bound = as_index(value)
    if bound is None:
        raise CommandError(f"{role} argument to $slice can't be represented as a 32-bit integer: {value}", not_int32)
    return bound


def _slice(array: Any, position: Any, count: Any = MISSING) -> Any:
    if is_nullish(array) or is_nullish(position):
        return None
    if array.__class__ is not list:
        raise CommandError(f"First argument to $slice must be an array, but is of type: {type_name_of(array)}", 28724)
    start = _slice_bound("Second", position, 28725, 28726)
    if count is MISSING:
        return array[start:] if start < 0 else array[:start]
    limit = _slice_bound("Third", count, 28727, 28728)
    if limit <= 0:
        raise CommandError(f"Third argument to $slice must be positive: {limit}", 28729)
    start = max(0, start + len(array)) if start < 0 else start
    return array[start : start + limit]


def _slice_operand(*values: Any) -> Any:
    # A third operand that is there but has no value makes the whole null.
    return None if len(values) == 3 and is_nullish(values[2]) else _slice(*values)


def _first(array: list[Any], count: int) -> list[Any]:
    return array[:count]


def _last(array: list[Any], count: int) -> list[Any]:
    return array[-count:]


def _least(array: list[Any], count: int) -> list[Any]:
    return sorted((each for each in array if not is_nullish(each)), key=key_string.encode)[:count]


def _greatest(array: list[Any], count: int) -> list[Any]:
    return sorted((each for each in array if not is_nullish(each)), key=key_string.encode, reverse=True)[:count]


def _take(choose: Callable[[list[Any], int], list[Any]]) -> OperatorParser:
    def take(n: Any, array: Any) -> Any:
        count = to_int64_exact(n)
        if count is None:
            raise CommandError(f"Value for 'n' must be of integral type, but found {type_name_of(n)}", 5787902)
        if count <= 0:
            raise CommandError(f"'n' must be greater than 0, found {count}", 5787908)
        if array.__class__ is not list:
            raise CommandError("Input must be an array", 5788200)
        return choose(array, count)

    return named(
        take,
        required=("n", "input"),
        not_a_document=5787801,
        unknown=5787901,
        missing={"n": 5787906, "input": 5787907},
    )


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$arrayElemAt": binary(_element_at),
    "$first": unary(_at_end("$first", 0)),
    "$firstN": _take(_first),
    "$in": binary(_is_in),
    "$indexOfArray": ranged(_index_of, 2, 4),
    "$isArray": unary(lambda value: value.__class__ is list),
    "$last": unary(_at_end("$last", -1)),
    "$lastN": _take(_last),
    "$maxN": _take(_greatest),
    "$minN": _take(_least),
    "$size": unary(_size),
    "$slice": ranged(_slice_operand, 2, 3),
}
