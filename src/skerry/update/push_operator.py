"""`$push` with `$each`, `$position`, `$sort` and `$slice`, which act in this order (MongoDB manual, "$push")."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from skerry.errors import BadValueError
from skerry.update.binary_equality import binary_equal
from skerry.update.update_context import UpdateContext
from skerry.update.update_tree import Leaf
from skerry.values.compare import ValueKey
from skerry.values.field_path import array_position, split
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number, to_int64_exact
from skerry.values.type_order import type_name_of

_CLAUSES: Final = frozenset(("$each", "$position", "$slice", "$sort"))
SortKeys = tuple[tuple[str, int], ...]


def push(path: str, operand: Any) -> Leaf:
    """`$push`: a value, or with `$each` several; a document without `$each` is a value whatever its fields are.

    Raises BadValueError for malformed clauses, and on application for a field that is no array.
    """
    if not isinstance(operand, Mapping) or "$each" not in operand:
        return _push(path, [operand])
    for name in operand:
        if name not in _CLAUSES:
            raise BadValueError(f"Unrecognized clause in $push: {name}")
    return _push(
        path,
        each_of("$push", operand["$each"]),
        _whole_number("position", operand["$position"]) if "$position" in operand else None,
        _sort_keys(operand["$sort"]) if "$sort" in operand else None,
        _whole_number("slice", operand["$slice"]) if "$slice" in operand else None,
    )


def each_of(name: str, operand: Any) -> list[Any]:
    """Return the values of `$each`. Raises BadValueError when they are no array."""
    if not isinstance(operand, list | tuple):
        raise BadValueError(
            f"The argument to $each in {name} must be an array but it was of type: {type_name_of(operand)}"
        )
    return list(operand)


def _push(
    path: str,
    values: list[Any],
    position: int | None = None,
    sort: SortKeys | None = None,
    slice_size: int | None = None,
) -> Leaf:
    only_appends = position is None and sort is None and slice_size is None

    def apply(old: Any, context: UpdateContext) -> Any:
        if old is MISSING:
            array: list[Any] = []
        elif old.__class__ is list:
            array = old
        else:
            raise BadValueError(
                f"The field '{path}' must be an array but is of type {type_name_of(old)} in document {context.shown_id()}"
            )
        if only_appends:
            return [*array, *values] if values or old is MISSING else old
        new = [*array, *values] if position is None else [*array[:position], *values, *array[position:]]
        if sort is not None:
            new = _sorted(new, sort)
        if slice_size is not None:
            new = new[:slice_size] if slice_size >= 0 else new[slice_size:]
        return old if binary_equal(old, new) else new

    return Leaf(path, apply)


def _whole_number(clause: str, operand: Any) -> int:
    if not is_number(operand):
        raise BadValueError(
            f"The value for ${clause} must be an integer value but was given type: {type_name_of(operand)}"
        )
    number = to_int64_exact(operand)
    if number is None:
        raise BadValueError(f"The value for ${clause} must be an integer value but was given: {operand}")
    return number


def _sort_keys(operand: Any) -> SortKeys:
    if not isinstance(operand, Mapping):
        direction = as_index(operand)
        if direction not in (1, -1):
            raise BadValueError(
                "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields"
            )
        return (("", direction),)
    if not operand:
        raise BadValueError("The $sort pattern is empty when it should be a set of fields.")
    keys = []
    for field, value in operand.items():
        if not field:
            raise BadValueError("The $sort field cannot be empty")
        if "" in split(field):
            raise BadValueError(f"The $sort field is a dotted field but has an empty part: {field}")
        direction = as_index(value)
        if direction not in (1, -1):
            raise BadValueError("The $sort element value must be either 1 or -1")
        keys.append((field, direction))
    return tuple(keys)


def _sorted(array: list[Any], keys: SortKeys) -> list[Any]:
    # Stable sorts from the last key to the first; the empty path is the whole element.
    for path, direction in reversed(keys):
        parts = split(path) if path else ()
        array = sorted(array, key=lambda element: _sort_value(element, parts), reverse=direction < 0)
    return array


def _sort_value(element: Any, parts: Sequence[str]) -> ValueKey:
    value = element
    for part in parts:
        if value.__class__ is dict:
            value = value.get(part)
        elif value.__class__ is list:
            position = array_position(part)
            value = value[position] if position is not None and position < len(value) else None
        else:
            return ValueKey(None)
    return ValueKey(value)
