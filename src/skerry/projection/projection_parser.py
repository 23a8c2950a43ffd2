"""Parses the projection of `find` and the argument of `$project`: inclusion or exclusion, with computed fields.

Rules (MongoDB manual, "Project Fields to Return from Query", `$project`): numbers and booleans include or exclude; any
other value is an expression, which only an inclusion may have; `_id` is included unless it is excluded, and may be excluded
from an inclusion or included in an exclusion. A specification of `_id` alone, or of `find`'s array operators, is made out
to be the one or the other at the end.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from bson.decimal128 import Decimal128

from skerry.errors import CommandError, InvalidPipelineOperatorError
from skerry.expressions.expression_parser import compile_expression
from skerry.projection.positional_projection import elem_match, parse_slice
from skerry.projection.projection_executor import Projection
from skerry.projection.projection_tree import Exclusion, Inclusion, ProjectionNode
from skerry.values.field_path import split, validate
from skerry.values.numbers import is_number
from skerry.values.type_order import type_name_of

INCLUSION_IN_EXCLUSION: Final = 31253
EXCLUSION_IN_INCLUSION: Final = 31254
EXPRESSION_IN_EXCLUSION: Final = 31252
LITERAL_IN_EXCLUSION: Final = 31310
EMPTY_PROJECT: Final = 51272
EMPTY_SUB_PROJECTION: Final = 51270
POSITIONAL_IN_AGGREGATION: Final = 31324


def parse_projection(spec: Mapping[str, Any], *, find: bool, variables: Collection[str] = ()) -> Projection:
    """Compile a projection; `find` allows the positional `$`, `$slice` and `$elemMatch`, and an empty specification.

    `variables` are the names defined outside (`let`). Raises CommandError with the server's code: 31249 and 31250 for
    colliding paths, 31253 and 31254 for mixing, 31252 and 31310 for expressions in an exclusion.
    """
    if not spec and not find:
        raise CommandError("projection specification must have at least one field", EMPTY_PROJECT)
    return _ProjectionParser(variables, find=find).parse(spec)


class _ProjectionParser:
    """What is known while one specification is read."""

    def __init__(self, variables: Collection[str], *, find: bool) -> None:
        self._find = find
        self._variables = variables
        self._tree = ProjectionNode()
        self._is_inclusion: bool | None = None
        self._has_slice = False
        self._positional: tuple[str, ...] | None = None
        self._has_elem_match = False

    def parse(self, spec: Mapping[str, Any]) -> Projection:
        for path, value in spec.items():
            self._parse_field((), path, value)
        id_leaf = self._tree.children.get("_id")
        is_inclusion = self._is_inclusion if self._is_inclusion is not None else self._implied_kind(id_leaf)
        if is_inclusion and id_leaf is None:
            self._tree.children = {"_id": Inclusion(), **self._tree.children}
        return Projection(self._tree, is_inclusion, self._positional)

    def _implied_kind(self, id_leaf: Any) -> bool:
        """Decide between inclusion and exclusion for a specification that names neither, except perhaps for `_id`."""
        if self._has_slice:
            return isinstance(id_leaf, Inclusion)
        return self._has_elem_match or isinstance(id_leaf, Inclusion)

    def _parse_field(self, parents: tuple[str, ...], name: str, value: Any) -> None:
        positional = self._check_positional(name, value)
        path = name[: -len(".$")] if positional else name
        validate(path)
        parts = (*parents, *split(path))
        if isinstance(value, Mapping):
            self._parse_document(parts, value)
        elif is_number(value) or isinstance(value, bool):
            if positional:
                self._note_positional(parts)
            self._parse_flag(parts, included=bool(value.to_decimal() if isinstance(value, Decimal128) else value))
        else:
            expression = compile_expression(value, variables=self._variables)
            self._tree.add(parts, expression)
            if self._is_inclusion is False:
                raise CommandError(
                    f"Cannot use an expression at {name} in an exclusion projection", LITERAL_IN_EXCLUSION
                )
            self._is_inclusion = True

    def _check_positional(self, name: str, value: Any) -> bool:
        """Tell whether the positional operator ends a field name; raises CommandError where it may not be."""
        if ".$." in name:
            raise CommandError("positional projection may only be used at the end of a path, for example: a.b.$", 31394)
        if not name.endswith(".$"):
            return False
        if not self._find:
            raise CommandError("Cannot use positional projection in aggregation projection", POSITIONAL_IN_AGGREGATION)
        if isinstance(value, Mapping):
            raise CommandError("positional projection cannot be used with an expression or sub object", 31271)
        if not (is_number(value) or isinstance(value, bool)):
            raise CommandError("positional projection cannot be used with a literal", 31308)
        if not value:
            raise CommandError("positional projection cannot be used with exclusion", 31395)
        return True

    def _note_positional(self, parts: tuple[str, ...]) -> None:
        if self._positional is not None:
            raise CommandError("Cannot specify more than one positional projection per query.", 31276)
        if self._has_elem_match:
            raise CommandError("Cannot specify positional operator and $elemMatch.", 31256)
        self._positional = parts

    def _parse_flag(self, parts: tuple[str, ...], *, included: bool) -> None:
        self._tree.add(parts, Inclusion() if included else Exclusion())
        if parts == ("_id",):
            return
        if self._is_inclusion is None:
            self._is_inclusion = included
        elif self._is_inclusion and not included:
            raise CommandError(
                f"Cannot do exclusion on field {'.'.join(parts)} in inclusion projection", EXCLUSION_IN_INCLUSION
            )
        elif included and not self._is_inclusion:
            raise CommandError(
                f"Cannot do inclusion on field {'.'.join(parts)} in exclusion projection", INCLUSION_IN_EXCLUSION
            )

    def _parse_document(self, parts: tuple[str, ...], value: Mapping[str, Any]) -> None:
        if not value:
            raise CommandError(
                f"An empty sub-projection is not a valid value. Found empty object at path {'.'.join(parts)}",
                EMPTY_SUB_PROJECTION,
            )
        first = next(iter(value))
        if len(value) > 1 or not first.startswith("$"):
            for name, inner in value.items():
                self._parse_field(parts, name, inner)
        elif first == "$elemMatch":
            self._parse_elem_match(parts, value[first])
        elif first != "$slice" or not self._find or not self._parse_find_slice(parts, value[first]):
            self._parse_expression(parts, value)

    def _parse_find_slice(self, parts: tuple[str, ...], operand: Any) -> bool:
        """Parse `$slice` as `find` has it; False if it can only be the expression of that name."""
        try:
            found = parse_slice(parts, operand)
        except CommandError as error:
            if isinstance(operand, list | tuple) and len(operand) in (2, 3):
                return False
            raise CommandError(f"Invalid $slice syntax: {error.message}", 28667) from None
        self._tree.add(parts, found)
        self._has_slice = True
        return True

    def _parse_elem_match(self, parts: tuple[str, ...], condition: Any) -> None:
        if not self._find:
            raise InvalidPipelineOperatorError("Cannot use $elemMatch in this context")
        if not isinstance(condition, Mapping):
            raise CommandError(
                f"elemMatch: Invalid argument, object required, but got {type_name_of(condition)}", 31274
            )
        if self._positional is not None:
            raise CommandError("Cannot specify positional operator and $elemMatch.", 31255)
        if len(parts) > 1:
            raise CommandError("Cannot use $elemMatch projection on a nested field.", 31275)
        self._tree.add(parts, elem_match(parts[0], condition))
        self._has_elem_match = True

    def _parse_expression(self, parts: tuple[str, ...], value: Mapping[str, Any]) -> None:
        if self._is_inclusion is False:
            raise CommandError(
                "Cannot use expression other than $meta in exclusion projection", EXPRESSION_IN_EXCLUSION
            )
        self._tree.add(parts, compile_expression(value, variables=self._variables))
        self._is_inclusion = True
