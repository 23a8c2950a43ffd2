"""Operator name to its parser, the operators of MongoDB that skerry does not have included.

The operators are listed by family, as the manual does ("Aggregation Operators"), each family in its own module.
"""

from types import ModuleType
from typing import Final

from skerry.expressions import (
    accumulator,
    arithmetic,
    array_access,
    array_construction,
    array_iteration,
    bitwise,
    boolean,
    comparison,
    conditional,
    date_arithmetic,
    date_parts,
    date_string,
    objects,
    regular_expression,
    rounding,
    sets,
    string,
    timestamp_and_size,
    trigonometry,
    type_conversion,
    variable,
)
from skerry.expressions.scope import OperatorParser

_FAMILIES: Final[tuple[ModuleType, ...]] = (
    accumulator,
    arithmetic,
    array_access,
    array_construction,
    array_iteration,
    bitwise,
    boolean,
    comparison,
    conditional,
    date_arithmetic,
    date_parts,
    date_string,
    objects,
    regular_expression,
    rounding,
    sets,
    string,
    timestamp_and_size,
    trigonometry,
    type_conversion,
    variable,
)

OPERATORS: Final[dict[str, OperatorParser]] = dict(
    sorted((name, parser) for family in _FAMILIES for name, parser in family.OPERATORS.items())
)

UNSUPPORTED_OPERATORS: Final = frozenset(
    (
        "$accumulator",
        "$function",
        "$meta",
        "$toHashedIndexKey",
        "$toUUID",
    )
)
