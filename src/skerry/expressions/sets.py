"""Arrays as sets: `$setUnion` and kin, `$allElementsTrue`, `$anyElementTrue`.

Source: MongoDB manual, "Set Expression Operators". Elements are compared as MongoDB compares values; the order of a result
is that of the values, except that of `$setDifference`, which is the first operand's.
"""

from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.operands import binary, unary, variadic
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish, is_true
from skerry.values.compare import ValueKey
from skerry.values.type_order import type_name_of


def _keyed(values: list[Any]) -> dict[ValueKey, Any]:
    keyed: dict[ValueKey, Any] = {}
    for value in values:
        keyed.setdefault(ValueKey(value), value)
    return keyed


def _check_array(message: str, value: Any, code: int) -> None:
    if value.__class__ is not list:
        raise CommandError(f"{message} {type_name_of(value)}", code)


def _union(operands: list[Any]) -> Any:
    union: dict[ValueKey, Any] = {}
    for operand in operands:
        if is_nullish(operand):
            return None
        _check_array("All operands of $setUnion must be arrays. One argument is of type:", operand, 17043)
        for key, value in _keyed(operand).items():
            union.setdefault(key, value)
    return [union[key] for key in sorted(union)]


def _intersection(operands: list[Any]) -> Any:
    common: dict[ValueKey, Any] | None = None
    for operand in operands:
        if is_nullish(operand):
            return None
        _check_array("All operands of $setIntersection must be arrays. One argument is of type:", operand, 17047)
        keyed = _keyed(operand)
        common = keyed if common is None else {key: value for key, value in common.items() if key in keyed}
    return [common[key] for key in sorted(common)] if common else []


def _difference(left: Any, right: Any) -> Any:
    if is_nullish(left) or is_nullish(right):
        return None
    _check_array("both operands of $setDifference must be arrays. First argument is of type:", left, 17048)
    _check_array("both operands of $setDifference must be arrays. Second argument is of type:", right, 17049)
    excluded = _keyed(right)
    return [value for key, value in _keyed(left).items() if key not in excluded]


def _equals(operands: list[Any]) -> bool:
    if len(operands) < 2:
        raise CommandError(f"$setEquals needs at least two arguments had: {len(operands)}", 17045)
    for operand in operands:
        _check_array("All operands of $setEquals must be arrays. One argument is of type:", operand, 17044)
    first = _keyed(operands[0]).keys()
    return all(_keyed(operand).keys() == first for operand in operands[1:])


def _is_subset(left: Any, right: Any) -> bool:
    _check_array("both operands of $setIsSubset must be arrays. First argument is of type:", left, 17046)
    _check_array("both operands of $setIsSubset must be arrays. Second argument is of type:", right, 17042)
    return _keyed(left).keys() <= _keyed(right).keys()


def _all_true(value: Any) -> bool:
    _check_array("$allElementsTrue's argument must be an array, but is", value, 17040)
    return all(is_true(element) for element in value)


def _any_true(value: Any) -> bool:
    _check_array("$anyElementTrue's argument must be an array, but is", value, 17041)
    return any(is_true(element) for element in value)


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$allElementsTrue": unary(_all_true),
    "$anyElementTrue": unary(_any_true),
    "$setDifference": binary(_difference),
    "$setEquals": variadic(_equals),
    "$setIntersection": variadic(_intersection),
    "$setIsSubset": binary(_is_subset),
    "$setUnion": variadic(_union),
}
