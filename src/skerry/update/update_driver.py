"""Compiles the update of one statement: operators, a replacement, or a pipeline; the first field tells which."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bson.timestamp import Timestamp

from skerry.errors import FailedToParseError
from skerry.update.modifier_update import ModifierUpdate
from skerry.update.pipeline_update import PipelineUpdate
from skerry.update.replacement import ReplacementUpdate


class UpdateDriver(Protocol):
    """A compiled update."""

    @property
    def is_replacement(self) -> bool:
        """Whether it puts a whole document in the place of another."""

    @property
    def needs_position(self) -> bool:
        """Whether a path holds the positional `$`, so that `apply` needs to know which array element matched."""

    def apply(
        self,
        document: dict[str, Any],
        *,
        array_position: int | None,
        is_upsert_insert: bool,
        now: datetime,
        timestamp: Timestamp,
    ) -> dict[str, Any]:
        """Return the new document, which shares what did not change with the old one; the old one is left alone.

        The identical object is returned when nothing changes. `array_position` is what `$` stands for, `now` (naive,
        UTC) and `timestamp` what `$currentDate` means. Raises CommandError with the server's code for values that an
        operator cannot take, ImmutableFieldError (66) when `_id` would change.
        """


def compile_update(
    update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    array_filters: Sequence[Mapping[str, Any]] = (),
    variables: Mapping[str, Any] | None = None,
) -> UpdateDriver:
    """Compile an update; `variables` are the values of `$$name` in a pipeline (`let`).

    Raises FailedToParseError (9) for what is no update, unknown operators and misplaced array filters,
    ConflictingUpdateOperatorsError (40), and what single operators, filters and stages raise for their operands.
    """
    if not isinstance(update, Mapping):
        if not isinstance(update, list | tuple):
            raise FailedToParseError("Update argument must be either an object or an array")
        if array_filters:
            raise FailedToParseError("arrayFilters may not be specified for pipeline-style updates")
        return PipelineUpdate(update, variables or {})
    if next(iter(update), "").startswith("$"):
        return ModifierUpdate(update, array_filters, variables)
    if array_filters:
        raise FailedToParseError("arrayFilters may not be specified for replacement-style updates")
    return ReplacementUpdate(update)
