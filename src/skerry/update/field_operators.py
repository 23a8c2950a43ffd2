"""Operators on any field: `$set`, `$unset`, `$setOnInsert`, `$inc`, `$mul`, `$min`, `$max`, `$currentDate`."""

from collections.abc import Callable, Mapping
from typing import Any

from skerry.errors import BadValueError, NumericOverflowError, TypeMismatchError
from skerry.update.binary_equality import binary_equal
from skerry.update.update_context import UpdateContext, shown
from skerry.update.update_tree import Leaf
from skerry.values import numbers
from skerry.values.compare import compare
from skerry.values.missing import MISSING
from skerry.values.type_order import INT32_MAX, INT32_MIN, type_name_of


def set_(path: str, operand: Any) -> Leaf:
    """`$set`: no change where the field holds the same bytes already."""

    def apply(old: Any, _context: UpdateContext) -> Any:
        return old if binary_equal(old, operand) else operand

    return Leaf(path, apply)


def unset(path: str, _operand: Any) -> Leaf:
    """`$unset`: a scalar in the path's way means that there is nothing to remove."""
    return Leaf(path, lambda _old, _context: MISSING, lambda _context: True)


def set_on_insert(path: str, operand: Any) -> Leaf:
    """`$setOnInsert`: `$set` in an upsert that inserts, nothing otherwise."""
    return Leaf(
        path,
        lambda old, context: operand if context.is_insert else old,
        lambda context: not context.is_insert,
    )


def inc(path: str, operand: Any) -> Leaf:
    """`$inc`; a missing field becomes the operand.

    Raises TypeMismatchError when the operand or, on application, the field is no number; BadValueError on overflow.
    """
    if not numbers.is_number(operand):
        raise TypeMismatchError(f"Cannot increment with non-numeric argument: {{{path}: {shown(operand)}}}")
    if operand.__class__ is not int:
        return _arithmetic(path, "$inc", operand, numbers.add, operand)
    general = _arithmetic(path, "$inc", operand, numbers.add, operand).apply

    def apply(old: Any, context: UpdateContext) -> Any:
        if old.__class__ is int:
            new = old + operand
            if INT32_MIN <= new <= INT32_MAX:
                return new if operand else old
        return general(old, context)

    return Leaf(path, apply)


def mul(path: str, operand: Any) -> Leaf:
    """`$mul`; a missing field becomes zero of the operand's type. Errors as of `$inc`."""
    if not numbers.is_number(operand):
        raise TypeMismatchError(f"Cannot multiply with non-numeric argument: {{{path}: {shown(operand)}}}")
    return _arithmetic(path, "$mul", operand, numbers.multiply, numbers.multiply(0, operand))


def _arithmetic(path: str, name: str, operand: Any, compute: Callable[..., Any], when_missing: Any) -> Leaf:
    def apply(old: Any, context: UpdateContext) -> Any:
        if old is MISSING:
            return when_missing
        if not numbers.is_number(old):
            raise TypeMismatchError(
                f"Cannot apply {name} to a value of non-numeric type. {context.shown_id()} has the field "
                f"'{path.rpartition('.')[2]}' of non-numeric type {type_name_of(old)}"
            )
        try:
            new = compute(old, operand, on_overflow="error")
        except NumericOverflowError:
            raise BadValueError(
                f"Failed to apply {name} operations to current value ({shown(old)}) for document {context.shown_id()}"
            ) from None
        return old if binary_equal(old, new) else new

    return Leaf(path, apply)


def min_(path: str, operand: Any) -> Leaf:
    """`$min`: the lesser of field and operand in MongoDB's order of all values."""
    return Leaf(path, lambda old, _context: operand if old is MISSING or compare(operand, old) < 0 else old)


def max_(path: str, operand: Any) -> Leaf:
    """`$max`: the greater of field and operand in MongoDB's order of all values."""
    return Leaf(path, lambda old, _context: operand if old is MISSING or compare(operand, old) > 0 else old)


def current_date(path: str, operand: Any) -> Leaf:
    """`$currentDate`: the statement's time as a date, or as a timestamp with `{$type: "timestamp"}`."""
    return Leaf(path, _timestamp if _wants_timestamp(operand) else _date)


def _wants_timestamp(operand: Any) -> bool:
    if operand.__class__ is bool:
        return False
    if not isinstance(operand, Mapping):
        raise BadValueError(
            f"{type_name_of(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type "
            "expression ({$type: 'timestamp/date'})."
        )
    for name in operand:
        if name != "$type":
            raise BadValueError(f"Unrecognized $currentDate option: {name}")
    if operand.get("$type") not in ("date", "timestamp"):
        raise BadValueError(
            "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}"
        )
    return bool(operand["$type"] == "timestamp")


def _date(_old: Any, context: UpdateContext) -> Any:
    return context.now


def _timestamp(_old: Any, context: UpdateContext) -> Any:
    return context.timestamp
