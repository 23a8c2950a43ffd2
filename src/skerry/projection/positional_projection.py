"""The projections of arrays that only `find` has: the positional `$`, `$slice` and `$elemMatch`.

Source: MongoDB manual, "`$` (projection)", "`$slice` (projection)", "`$elemMatch` (projection)".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bson.decimal128 import Decimal128

from skerry.errors import CommandError
from skerry.expressions.expression import Expression
from skerry.matcher.compile import compile_filter
from skerry.values.missing import MISSING
from skerry.values.numbers import is_number
from skerry.values.type_order import INT32_MAX, INT32_MIN, type_name_of

POSITION_UNKNOWN: Final = 51246
POSITION_NOT_THERE: Final = 51247


@dataclass(frozen=True, slots=True)
class Slice:
    """`{path: {$slice: limit}}` or `{$slice: [skip, limit]}`; a negative `limit` alone or `skip` counts from the end."""

    parts: tuple[str, ...]
    skip: int | None
    limit: int

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document with the arrays at the path cut; other values stay."""
        sliced: dict[str, Any] = self._within(document, 0)
        return sliced

    def _within(self, value: Any, depth: int) -> Any:
        if depth == len(self.parts):
            return self._cut(value) if value.__class__ is list else value
        if value.__class__ is dict:
            name = self.parts[depth]
            return {**value, name: self._within(value[name], depth + 1)} if name in value else value
        if value.__class__ is list:
            return [self._within(element, depth) if element.__class__ is dict else element for element in value]
        return value

    def _cut(self, array: list[Any]) -> list[Any]:
        if self.skip is None:
            return array[: self.limit] if self.limit >= 0 else array[self.limit :]
        start = self.skip if self.skip >= 0 else max(0, len(array) + self.skip)
        return array[start : start + self.limit]


def parse_slice(parts: tuple[str, ...], operand: Any) -> Slice:
    """Parse `$slice` as `find` has it.

    Raises CommandError 31272, 31257, 31258, 31259 or 31273 for an operand of another form.
    """
    if is_number(operand):
        return Slice(parts, None, _as_int32(operand))
    if not isinstance(operand, list | tuple):
        raise CommandError("$slice only supports numbers and [skip, limit] arrays", 31273)
    if len(operand) != 2:
        raise CommandError("$slice array argument should be of form [skip, limit]", 31272)
    for role, value, code in (("skip", operand[0], 31257), ("limit", operand[1], 31258)):
        if not is_number(value):
            raise CommandError(f"$slice expects the {role} argument to be a number, got {type_name_of(value)}", code)
    skip, limit = _as_int32(operand[0]), _as_int32(operand[1])
    if limit <= 0:
        raise CommandError(f"$slice limit must be positive, got {limit}", 31259)
    return Slice(parts, skip, limit)


def _as_int32(value: Any) -> int:
    """Cut a number of any type to 32 bits, as the server reads the operands of `$slice`; not-a-number is 0."""
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    if number != number:
        return 0
    return int(max(INT32_MIN, min(INT32_MAX, number)))


def elem_match(name: str, condition: Mapping[str, Any]) -> Expression:
    """Return the computed field that `{name: {$elemMatch: condition}}` is: the first element that matches, in an array.

    It is missing where the field is no array or nothing matches. Raises what the condition's parser raises.
    """
    matches = compile_filter({"": {"$elemMatch": condition}}).matches

    def first_match(document: dict[str, Any], _variables: Mapping[str, Any]) -> Any:
        array = document.get(name)
        if array.__class__ is list:
            for element in array:
                if matches({"": [element]}):
                    return [element]
        return MISSING

    return Expression(first_match, frozenset((name,)))


def keep_matched_element(document: dict[str, Any], parts: Sequence[str], position: int | None) -> dict[str, Any]:
    """Return the document with the first array on the path cut to the element at `position`.

    Raises CommandError 51246 where there is an array but no position, 51247 where the array is too short.
    """
    name = parts[0]
    value = document.get(name, MISSING)
    if value.__class__ is list:
        if position is None:
            raise CommandError(
                "positional operator '.$' couldn't find a matching element in the array", POSITION_UNKNOWN
            )
        if position >= len(value):
            raise CommandError("positional operator '.$' element mismatch", POSITION_NOT_THERE)
        return {**document, name: [value[position]]}
    if value.__class__ is dict and len(parts) > 1:
        return {**document, name: keep_matched_element(value, parts[1:], position)}
    return document
