"""`$bit`: and, or, xor on an int or a long; a missing field counts as the int 0."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bson.int64 import Int64

from skerry.errors import BadValueError
from skerry.update.binary_equality import binary_equal
from skerry.update.update_context import UpdateContext, shown
from skerry.update.update_tree import Leaf
from skerry.values.missing import MISSING
from skerry.values.numbers import is_integer
from skerry.values.type_order import type_name_of

_OPERATIONS: Final[dict[str, Callable[[int, int], int]]] = {
    "and": int.__and__,
    "or": int.__or__,
    "xor": int.__xor__,
}


def bit(path: str, operand: Any) -> Leaf:
    """`$bit: {path: {and|or|xor: integer, …}}`, applied in the order given.

    Raises BadValueError for anything else, and on application for a field that is no integer.
    """
    if not isinstance(operand, Mapping):
        raise BadValueError(
            f"The $bit modifier is not compatible with a {type_name_of(operand)}. You must pass in an embedded "
            "document: {$bit: {field: {and/or/xor: #}}"
        )
    if not operand:
        raise BadValueError(
            "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}"
        )
    steps = [_step(path, name, value) for name, value in operand.items()]

    def apply(old: Any, context: UpdateContext) -> Any:
        if old is not MISSING and not is_integer(old):
            raise BadValueError(
                f"Cannot apply $bit to a value of non-integral type.{context.shown_id()} has the field "
                f"{path.rpartition('.')[2]} of non-integer type {type_name_of(old)}"
            )
        new = 0 if old is MISSING else old
        for compute, value in steps:
            is_long = new.__class__ is Int64 or value.__class__ is Int64
            result = compute(int(new), int(value))
            new = Int64(result) if is_long else result
        return old if binary_equal(old, new) else new

    return Leaf(path, apply)


def _step(path: str, name: str, value: Any) -> tuple[Callable[[int, int], int], int]:
    compute = _OPERATIONS.get(name)
    if compute is None:
        raise BadValueError(
            f"The $bit modifier only supports 'and', 'or', and 'xor', not '{name}' which is an unknown operator: "
            f"{{{path}: {{{name}: {shown(value)}}}}}"
        )
    if not is_integer(value):
        raise BadValueError(
            f"The $bit modifier field must be an Integer(32/64 bit); a '{type_name_of(value)}' is not supported here: "
            f"{{{name}: {shown(value)}}}"
        )
    return compute, value
