"""Readers of the fields that queries and statements share: sort patterns, `let`, hints, updates, array filters."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from skerry.aggregation.stage_registry import STAGES, UNSUPPORTED_STAGES
from skerry.commands.command_fields import document, wrong_type
from skerry.errors import BadValueError, CommandError, FailedToParseError, NotImplementedYetError
from skerry.values import numbers

_BAD_SORT_ORDER: Final = 15975
_UNKNOWN_STAGE: Final = 40324
_VARIABLE_NAME: Final = re.compile(r"[a-z\u0080-\U0010ffff][a-zA-Z0-9_\u0080-\U0010ffff]*")


def sort_pattern(value: Any, command: str, field: str) -> list[tuple[str, int]] | None:
    """A sort: (path, 1 or -1) pairs, None for the empty one."""
    pattern = []
    for path, order in document(value, command, field).items():
        if isinstance(order, Mapping):
            if "$meta" in order:
                raise NotImplementedYetError("sorting by {$meta: ...} is not implemented")
            raise BadValueError(f"Illegal key in $sort specification: {path}: {dict(order)}")
        if not numbers.is_number(order) or order not in (1, -1):
            raise CommandError("$sort key ordering must be 1 (for ascending) or -1 (for descending)", _BAD_SORT_ORDER)
        if path.startswith("$") and path != "$natural":
            raise BadValueError(f"FieldPath field names may not start with '$'. Sort path: '{path}'")
        pattern.append((path, int(numbers.to_double(order))))
    return pattern or None


def let_variables(value: Any, command: str, field: str) -> Mapping[str, Any]:
    """The variables of `let`: names that a user may give, and expressions for the engine to evaluate."""
    for name in document(value, command, field):
        if not _VARIABLE_NAME.fullmatch(name):
            raise FailedToParseError(f"'{name}' starts with an invalid character for a user variable name")
    return dict(value)


def update_spec(value: Any, command: str, field: str) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
    """A replacement, a document of operators, or a pipeline."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list):
        for position, stage in enumerate(value):
            if not isinstance(stage, Mapping):
                raise wrong_type(stage, command, f"{field}.{position}", "object")
            name = next(iter(stage), "")
            if name not in STAGES and name not in UNSUPPORTED_STAGES:
                raise CommandError(f"Unrecognized pipeline stage name: '{name}'", _UNKNOWN_STAGE)
        return value
    raise FailedToParseError("Update argument must be either an object or an array")
