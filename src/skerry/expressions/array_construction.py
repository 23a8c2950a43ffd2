"""Arrays made from arrays: `$concatArrays`, `$range`, `$reverseArray`, `$sortArray`, `$zip`.

Source: MongoDB manual, "Array Expression Operators".
"""

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, Final

from skerry.errors import CommandError, ExceededMemoryLimitError
from skerry.expressions.expression import Document, Expression, Variables, combine
from skerry.expressions.operands import Arguments, ranged, unary, variadic
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import is_nullish
from skerry.values import key_string
from skerry.values.field_path import candidates, split, validate
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number
from skerry.values.type_order import type_name_of

RANGE_ELEMENTS_MAX: Final = 16 * 1024 * 1024  # no document could hold more


def _concatenate(arrays: list[Any]) -> Any:
    joined: list[Any] = []
    for array in arrays:
        if is_nullish(array):
            return None
        if array.__class__ is not list:
            raise CommandError(f"$concatArrays only supports arrays, not {type_name_of(array)}", 28664)
        joined += array
    return joined


def _range_bound(role: str, value: Any, not_numeric: int, not_int32: int) -> int:
    if not is_number(value):
        raise CommandError(
            f"$range requires a numeric {role} value, found value of type: {type_name_of(value)}", not_numeric
        )
    bound = as_index(value)
    if bound is None:
        raise CommandError(
            f"$range requires a {role} value that can be represented as a 32-bit integer: {value}", not_int32
        )
    return bound


def _range(start: Any, end: Any, step: Any = 1) -> list[int]:
    first = _range_bound("starting", start, 34443, 34444)
    after = _range_bound("ending", end, 34445, 34446)
    by = _range_bound("step", step, 34447, 34448)
    if by == 0:
        raise CommandError("$range requires a non-zero step value", 34449)
    numbers = range(first, after, by)
    if len(numbers) > RANGE_ELEMENTS_MAX:
        raise ExceededMemoryLimitError(f"$range would make an array of {len(numbers)} elements")
    return list(numbers)


def _reverse(array: Any) -> Any:
    if is_nullish(array):
        return None
    if array.__class__ is not list:
        raise CommandError(
            f"The argument to $reverseArray must be an array, but was of type: {type_name_of(array)}", 34435
        )
    return array[::-1]


def _parse_sort_array(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("input", "sortBy"),
        not_a_document=2942500,
        unknown=2942501,
        missing={"input": 2942502, "sortBy": 2942503},
    )
    sort = _sorter(arguments["sortBy"])
    array = arguments.compile("input", scope)
    evaluate = array.evaluate

    def sort_array(document: Document, variables: Variables) -> Any:
        value = evaluate(document, variables)
        if is_nullish(value):
            return None
        if value.__class__ is not list:
            raise CommandError(
                f"The input argument to $sortArray must be an array, but was of type: {type_name_of(value)}", 2942504
            )
        return sort(value)

    return combine(sort_array, (array,))


def _sorter(pattern: Any) -> Callable[[list[Any]], list[Any]]:
    if not isinstance(pattern, Mapping):
        direction = _direction(pattern, 2942506)
        return lambda array: sorted(array, key=key_string.encode, reverse=direction < 0)
    if not pattern:
        raise CommandError("$sort stage must have at least one sort key", 15976)
    keys: list[tuple[tuple[str, ...], int]] = []
    for path, order in pattern.items():
        validate(path)
        keys.append((split(path), _direction(order, 15975)))

    def sort(array: list[Any]) -> list[Any]:
        result = list(array)
        for parts, direction in reversed(keys):
            # Sorting by the last key first keeps each earlier sort stable under the next.
            result.sort(key=_key_at(parts, direction), reverse=direction < 0)
        return result

    return sort


def _direction(value: Any, code: int) -> int:
    direction = as_index(value)
    if direction not in (1, -1):
        raise CommandError("$sort key ordering must be 1 (for ascending) or -1 (for descending)", code)
    return direction


def _key_at(parts: tuple[str, ...], direction: int) -> Callable[[Any], bytes]:
    """Return the key to sort an element by: of an array at the path its least or greatest element counts, as direction has it."""

    def key(element: Any) -> bytes:
        keys: list[bytes] = []
        for value in candidates(element, parts) if element.__class__ is dict else ():
            if value.__class__ is list:
                # An empty array stands below null.
                keys += [key_string.encode(each) for each in value] or [key_string.encode(MISSING)]
            else:
                keys.append(key_string.encode(None if value is MISSING else value))
        if not keys:
            return key_string.encode(None)
        return min(keys) if direction > 0 else max(keys)

    return key


def _parse_zip(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=(),
        optional=("inputs", "useLongestLength", "defaults"),
        not_a_document=34460,
        unknown=34464,
    )
    inputs, defaults = arguments.get("inputs", []), arguments.get("defaults", [])
    longest = arguments.get("useLongestLength", False)
    if not isinstance(inputs, list | tuple):
        raise CommandError(f"inputs must be an array of expressions, found {type_name_of(inputs)}", 34461)
    if not isinstance(defaults, list | tuple):
        raise CommandError(f"defaults must be an array of expressions, found {type_name_of(defaults)}", 34462)
    if not isinstance(longest, bool):
        raise CommandError(f"useLongestLength must be a bool, found {type_name_of(longest)}", 34463)
    if not inputs:
        raise CommandError("$zip requires at least one input array", 34465)
    if defaults and not longest:
        raise CommandError("cannot specify defaults unless useLongestLength is true", 34466)
    if defaults and len(defaults) != len(inputs):
        raise CommandError("defaults and inputs must have the same length", 34467)
    arrays = [scope.compile(each) for each in inputs]
    fillers = [scope.compile(each) for each in defaults]

    def zip_arrays(document: Document, variables: Variables) -> Any:
        values = [array.evaluate(document, variables) for array in arrays]
        if any(is_nullish(value) for value in values):
            return None
        for value in values:
            if value.__class__ is not list:
                raise CommandError(f"$zip found a non-array expression in input: {type_name_of(value)}", 34468)
        if not longest:
            return [list(row) for row in zip(*values, strict=False)]
        rows = [list(row) for row in zip_longest(*values, fillvalue=MISSING)]
        fill = [filler.evaluate(document, variables) for filler in fillers] or [None] * len(values)
        fill = [None if value is MISSING else value for value in fill]
        return [[fill[at] if value is MISSING else value for at, value in enumerate(row)] for row in rows]

    return combine(zip_arrays, (*arrays, *fillers))


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$concatArrays": variadic(_concatenate),
    "$range": ranged(_range, 2, 3),
    "$reverseArray": unary(_reverse),
    "$sortArray": _parse_sort_array,
    "$zip": _parse_zip,
}
