"""An update written as an aggregation pipeline of `$set`, `$unset`, `$project`, `$replaceWith` and their synonyms.

Source: MongoDB manual, "Updates with Aggregation Pipeline". `_id` stays, even where the pipeline drops it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bson.timestamp import Timestamp

from skerry.errors import CommandError, InvalidOptionsError, TypeMismatchError
from skerry.expressions.expression_parser import compile_expression
from skerry.projection.computed_fields import compile_add_fields
from skerry.projection.projection_parser import parse_projection
from skerry.update.replacement import with_id_of
from skerry.update.update_context import shown
from skerry.values.type_order import type_name_of

Variables = Mapping[str, Any]
Step = Callable[[dict[str, Any], Variables], dict[str, Any]]


class PipelineUpdate:
    """A compiled pipeline; immutable."""

    __slots__ = ("_steps", "_variables")
    is_replacement: Final = False
    needs_position: Final = False

    def __init__(self, stages: Sequence[Any], variables: Variables) -> None:
        self._variables = variables
        self._steps = [_step(stage, variables) for stage in stages]

    def apply(
        self,
        document: dict[str, Any],
        *,
        array_position: int | None,  # noqa: ARG002 - one signature for all kinds of updates
        is_upsert_insert: bool,  # noqa: ARG002
        now: datetime,
        timestamp: Timestamp,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return what the pipeline makes of the document, or the same object when that has the same bytes.

        Raises what its expressions raise, ImmutableFieldError (66) when `_id` would change.
        """
        variables = {"NOW": now, **self._variables}
        new = document
        for step in self._steps:
            new = step(new, variables)
        return with_id_of(document, new)


def _step(stage: Any, variables: Variables) -> Step:
    if not isinstance(stage, Mapping):
        raise TypeMismatchError("Each element of the 'pipeline' array must be an object")
    if len(stage) != 1:
        raise CommandError("A pipeline stage specification object must contain exactly one field.", 40323)
    ((name, argument),) = stage.items()
    compile_stage = _STAGES.get(name)
    if compile_stage is None:
        raise InvalidOptionsError(f"{name} is not allowed to be used within an update")
    return compile_stage(name, argument, variables)


def _add_fields(name: str, argument: Any, variables: Variables) -> Step:
    if not isinstance(argument, Mapping):
        raise CommandError(f"{name} specification stage must be an object, got {type_name_of(argument)}", 40272)
    return compile_add_fields(argument, variables=variables.keys() | {"NOW"})


def _project(_name: str, argument: Any, variables: Variables) -> Step:
    if not isinstance(argument, Mapping):
        raise CommandError("$project specification must be an object", 15969)
    projection = parse_projection(argument, find=False, variables=variables.keys() | {"NOW"})
    return projection.apply


def _unset(_name: str, argument: Any, _variables: Variables) -> Step:
    fields = [argument] if isinstance(argument, str) else argument
    if not isinstance(fields, list) or not fields:
        raise CommandError(
            "$unset specification must be a string or an array containing at least one string field", 31002
        )
    for field in fields:
        if not isinstance(field, str):
            raise CommandError("$unset specification must be a string or an array containing only string values", 31120)
    projection = parse_projection(dict.fromkeys(fields, 0), find=False)
    return projection.apply


def _replace_root(name: str, argument: Any, variables: Variables) -> Step:
    if not isinstance(argument, Mapping):
        raise CommandError(
            f"expected an object as specification for $replaceRoot stage, got {type_name_of(argument)}", 40229
        )
    for option in argument:
        if option != "newRoot":
            raise CommandError(f"unrecognized option to $replaceRoot stage: {option}", 40230)
    if "newRoot" not in argument:
        raise CommandError("no newRoot specified for the $replaceRoot stage", 40231)
    return _replace_with(name, argument["newRoot"], variables)


def _replace_with(_name: str, argument: Any, variables: Variables) -> Step:
    evaluate = compile_expression(argument, variables=variables.keys() | {"NOW"}).evaluate

    def step(document: dict[str, Any], variables: Variables) -> dict[str, Any]:
        new = evaluate(document, variables)
        if new.__class__ is not dict:
            raise CommandError(
                "'newRoot' expression must evaluate to an object, but resulting value was: "
                f"{shown(new)}. Type of resulting value: '{type_name_of(new)}'.",
                40228,
            )
        return new

    return step


_STAGES: Final[dict[str, Callable[[str, Any, Variables], Step]]] = {
    "$addFields": _add_fields,
    "$project": _project,
    "$replaceRoot": _replace_root,
    "$replaceWith": _replace_with,
    "$set": _add_fields,
    "$unset": _unset,
}
