"""An update that puts a whole document in the place of another; only `_id` stays."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bson.timestamp import Timestamp

from skerry.errors import DollarPrefixedFieldNameError, ImmutableFieldError
from skerry.update.binary_equality import binary_equal
from skerry.update.update_context import shown
from skerry.values.compare import compare

_EMPTY_TIMESTAMP: Final = Timestamp(0, 0)


class ReplacementUpdate:
    """A compiled replacement; immutable."""

    __slots__ = ("_replacement",)
    is_replacement: Final = True
    needs_position: Final = False

    def __init__(self, replacement: Mapping[str, Any]) -> None:
        for name in replacement:
            if name.startswith("$"):
                raise DollarPrefixedFieldNameError(
                    f"The dollar ($) prefixed field '{name}' in '{name}' is not allowed in the context of an update's "
                    "replacement document. Consider using an aggregation pipeline with $replaceWith."
                )
        self._replacement = dict(replacement)

    def apply(
        self,
        document: dict[str, Any],
        *,
        array_position: int | None,  # noqa: ARG002 - one signature for all kinds of updates
        is_upsert_insert: bool,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
        timestamp: Timestamp,
    ) -> dict[str, Any]:
        """Return the replacement with the document's `_id`; the same object when both have the same bytes.

        An empty timestamp in a top-level field becomes the current one (manual, "BSON Types: Timestamps"). Raises
        ImmutableFieldError (66) when the replacement has another `_id`.
        """
        new = {
            name: timestamp if value == _EMPTY_TIMESTAMP and name != "_id" else value
            for name, value in self._replacement.items()
        }
        return with_id_of(document, new)


def with_id_of(document: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return `new` with the document's `_id` in front, or `document` itself when that has the same bytes.

    Raises ImmutableFieldError (66) when `new` has another `_id`.
    """
    if "_id" in document:
        if "_id" in new and compare(document["_id"], new["_id"]) != 0:
            raise ImmutableFieldError(
                "After applying the update, the (immutable) field '_id' was found to have been altered to "
                f"_id: {shown(new['_id'])}"
            )
        new = {**new, "_id": document["_id"]}
    if "_id" in new and next(iter(new)) != "_id":
        new = {"_id": new["_id"], **new}
    return document if binary_equal(document, new) else new
