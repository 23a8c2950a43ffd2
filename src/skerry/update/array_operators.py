"""Operators on arrays: `$addToSet`, `$pop`, `$pull`, `$pullAll`; `$push` has a file of its own."""

from collections.abc import Mapping
from typing import Any

from skerry.errors import BadValueError, FailedToParseError, TypeMismatchError
from skerry.matcher.comparison import comparison_test
from skerry.matcher.compile import compile_value_predicate
from skerry.matcher.path_traversal import ValueTest
from skerry.update.push_operator import each_of
from skerry.update.update_context import UpdateContext, shown
from skerry.update.update_tree import Leaf
from skerry.values.compare import ValueKey
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number
from skerry.values.type_order import type_name_of


def add_to_set(path: str, operand: Any) -> Leaf:
    """`$addToSet`: appends the value, or the values of `$each`, that the array does not hold; equality as in filters.

    Raises BadValueError for fields beside `$each`, and on application for a field that is no array.
    """
    values = [operand]
    if isinstance(operand, Mapping) and next(iter(operand), None) == "$each":
        values = each_of("$addToSet", operand["$each"])
        if len(operand) > 1:
            raise BadValueError(f"Found unexpected fields after $each in $addToSet: {shown(dict(operand))}")
    first_of: dict[ValueKey, Any] = {}
    for value in values:
        first_of.setdefault(ValueKey(value), value)
    distinct = list(first_of.values())
    tests = [(value, comparison_test("$eq", value)) for value in distinct]

    def apply(old: Any, _context: UpdateContext) -> Any:
        if old is MISSING:
            return distinct
        if old.__class__ is not list:
            raise BadValueError(
                f"Cannot apply $addToSet to non-array field. Field named '{path.rpartition('.')[2]}' has non-array type "
                f"{type_name_of(old)}"
            )
        if len(tests) == 1:
            value, is_equal = tests[0]
            return old if any(map(is_equal, old)) else [*old, value]
        held = {ValueKey(element) for element in old}
        fresh = [value for value in distinct if ValueKey(value) not in held]
        return [*old, *fresh] if fresh else old

    return Leaf(path, apply)


def pop(path: str, operand: Any) -> Leaf:
    """`$pop`: removes the last element (1) or the first (-1).

    Raises FailedToParseError for other operands, TypeMismatchError on application to a field that is no array.
    """
    if not is_number(operand):
        raise FailedToParseError(f"Expected a number in: {path}: {shown(operand)}")
    direction = as_index(operand)
    if direction not in (1, -1):
        raise FailedToParseError(f"$pop expects 1 or -1, found: {shown(operand)}")

    def apply(old: Any, _context: UpdateContext) -> Any:
        if old is MISSING:
            return old
        if old.__class__ is not list:
            raise TypeMismatchError(f"Path '{path}' contains an element of non-array type '{type_name_of(old)}'")
        if not old:
            return old
        return old[:-1] if direction == 1 else old[1:]

    return Leaf(path, apply)


def pull(path: str, operand: Any) -> Leaf:
    """`$pull`: removes the elements that match a value or a condition. Raises BadValueError where there is no array."""
    return _removal(path, "$pull", compile_value_predicate(operand))


def pull_all(path: str, operand: Any) -> Leaf:
    """`$pullAll`: removes the elements equal to one of the values. Raises BadValueError for what is no array."""
    if not isinstance(operand, list | tuple):
        raise BadValueError(f"$pullAll requires an array argument but was given a {type_name_of(operand)}")
    keys = {ValueKey(value) for value in operand}
    return _removal(path, "$pull", lambda value: ValueKey(value) in keys)


def _removal(path: str, name: str, goes: ValueTest) -> Leaf:
    def apply(old: Any, _context: UpdateContext) -> Any:
        if old is MISSING:
            return old
        if old.__class__ is not list:
            raise BadValueError(f"Cannot apply {name} to a non-array value")
        kept = [element for element in old if not goes(element)]
        return old if len(kept) == len(old) else kept

    return Leaf(path, apply)
