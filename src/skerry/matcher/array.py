"""`$all`, `$elemMatch`, `$size`: predicates about arrays as such."""

from collections.abc import Mapping
from typing import Any

from bson.regex import Regex

from skerry.errors import BadValueError
from skerry.matcher.integer_operand import integral
from skerry.matcher.match_expression import (
    AlwaysFalse,
    And,
    Comparison,
    ElemMatchObject,
    ElemMatchValue,
    MatchExpression,
    Size,
)
from skerry.matcher.parsing import Parsing, is_operator_document
from skerry.matcher.path_traversal import ValueTest
from skerry.matcher.regular_expression import match_of_regex
from skerry.values.numbers import is_number

_CLAUSE_OPERATORS = frozenset(("$and", "$or", "$nor", "$where"))


def parse_size(path: str, operand: Any) -> MatchExpression:
    """Parse `$size`: a non-negative whole number."""
    if not is_number(operand):
        raise BadValueError(f"Failed to parse $size. Expected a number in: $size: {operand!r}")
    size = integral(operand)
    if size is None:
        raise BadValueError(f"Failed to parse $size. Expected an integer: $size: {operand!r}")
    if size < 0:
        raise BadValueError(f"Failed to parse $size. Expected a non-negative number in: $size: {operand!r}")
    return Size(path, size)


def parse_all(path: str, operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$all`: a conjunction of equalities and patterns, or of `$elemMatch`es only; an empty one never matches."""
    if not isinstance(operand, list | tuple):
        raise BadValueError("$all needs an array")
    if not operand:
        return AlwaysFalse()
    if _is_elem_match(operand[0]):
        return And(tuple(_elem_match_clause(path, item, parsing) for item in operand))
    children: list[MatchExpression] = []
    for item in operand:
        if isinstance(item, Regex):
            children.append(match_of_regex(path, item))
        elif is_operator_document(item):
            raise BadValueError("no $ expressions in $all")
        else:
            children.append(Comparison(path, "$eq", item))
    return And(tuple(children))


def _is_elem_match(item: Any) -> bool:
    return isinstance(item, Mapping) and next(iter(item), None) == "$elemMatch"


def _elem_match_clause(path: str, item: Any, parsing: Parsing) -> MatchExpression:
    if not _is_elem_match(item) or len(item) != 1:
        raise BadValueError("$all/$elemMatch has to be consistent")
    return parse_elem_match(path, item["$elemMatch"], parsing)


def parse_elem_match(path: str, operand: Any, parsing: Parsing) -> MatchExpression:
    """Parse `$elemMatch`: operators are asked of the elements themselves, anything else is a filter on documents."""
    if not isinstance(operand, Mapping):
        raise BadValueError("$elemMatch needs an Object")
    first = next(iter(operand), "")
    if is_operator_document(operand, incomplete_dbref=True) and first not in _CLAUSE_OPERATORS:
        return ElemMatchValue(path, parsing.operators("", operand))
    return ElemMatchObject(path, parsing.document(operand, at_top=False))


def size_test(size: int) -> ValueTest:
    """Return the test of an array's length."""
    return lambda value: value.__class__ is list and len(value) == size


def elem_match_object_test(matches: ValueTest) -> ValueTest:
    """Return the test of an array: does some element, a document or an array read as one, match?"""

    def test(value: Any) -> bool:
        if value.__class__ is not list:
            return False
        for element in value:
            if element.__class__ is dict:
                if matches(element):
                    return True
            elif element.__class__ is list and matches(as_document(element)):
                return True
        return False

    return test


def elem_match_value_test(matches: ValueTest) -> ValueTest:
    """Return the test of an array: does some element pass the test? Elements that are arrays are not traversed."""
    return lambda value: value.__class__ is list and any(matches(element) for element in value)


def matched_element(value: Any, child: ValueTest, *, documents_only: bool) -> int | None:
    """Return the position of the first element that `$elemMatch` accepts."""
    if value.__class__ is not list:
        return None
    for position, element in enumerate(value):
        if element.__class__ is list and documents_only:
            element = as_document(element)
        if (element.__class__ is dict or not documents_only) and child(element):
            return position
    return None


def as_document(array: list[Any]) -> dict[str, Any]:
    """Return an array as the document that BSON stores it as: positions are the field names."""
    return {str(position): element for position, element in enumerate(array)}
