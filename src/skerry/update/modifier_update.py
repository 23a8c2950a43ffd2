"""An update of operators: `{$set: {…}, $inc: {…}}`.

The table lists every update operator of MongoDB. Everything about the operands is decided once; applying the update
copies only the documents and arrays on the way to a change.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bson.timestamp import Timestamp

from skerry.errors import FailedToParseError, ImmutableFieldError
from skerry.update import array_operators, bitwise_operator, field_operators, push_operator
from skerry.update.binary_equality import binary_equal
from skerry.update.positional_paths import POSITIONAL, ArrayFilters, update_path
from skerry.update.rename_operator import rename
from skerry.update.update_context import UpdateContext, shown
from skerry.update.update_tree import FieldsNode, Leaf, bind, insert
from skerry.values.missing import MISSING
from skerry.values.type_order import type_name_of

OPERATORS: Final[dict[str, Callable[[str, Any], Leaf]]] = {
    "$addToSet": array_operators.add_to_set,
    "$bit": bitwise_operator.bit,
    "$currentDate": field_operators.current_date,
    "$inc": field_operators.inc,
    "$max": field_operators.max_,
    "$min": field_operators.min_,
    "$mul": field_operators.mul,
    "$pop": array_operators.pop,
    "$pull": array_operators.pull,
    "$pullAll": array_operators.pull_all,
    "$push": push_operator.push,
    "$set": field_operators.set_,
    "$setOnInsert": field_operators.set_on_insert,
    "$unset": field_operators.unset,
}
RENAME: Final = "$rename"


class ModifierUpdate:
    """A compiled update of operators; used for one statement, by one thread at a time."""

    __slots__ = ("_may_change_id", "_root", "needs_position")
    is_replacement: Final = False

    def __init__(
        self,
        update: Mapping[str, Any],
        array_filters: Sequence[Mapping[str, Any]],
        variables: Mapping[str, Any] | None,
    ) -> None:
        self._root = FieldsNode("")
        self.needs_position = False
        for name, fields in update.items():
            if name == RENAME:
                for path, operand in _fields(name, fields):
                    for leaf in rename(path, operand):
                        self._add(leaf)
                continue
            operator = OPERATORS.get(name)
            if operator is None:
                raise FailedToParseError(
                    f"Unknown modifier: {name}. Expected a valid update modifier or pipeline-style update specified as an array"
                )
            for path, operand in _fields(name, fields):
                self._add(operator(path, operand))
        if array_filters or any(child.__class__ is not Leaf for child in self._root.children.values()):
            filters = ArrayFilters(array_filters, variables)
            bind(self._root, filters)
            filters.check_all_used(update)
        self._may_change_id = "_id" in self._root.children

    def _add(self, leaf: Leaf) -> None:
        parts = update_path(leaf.path)
        if POSITIONAL in parts:
            self.needs_position = True
        insert(self._root, parts, leaf)

    def apply(
        self,
        document: dict[str, Any],
        *,
        array_position: int | None,
        is_upsert_insert: bool,
        now: datetime,
        timestamp: Timestamp,
    ) -> dict[str, Any]:
        """Return the changed document, or the same object when nothing changes.

        Raises what the operators raise for the values they meet, ImmutableFieldError (66) when `_id` would change.
        """
        if not self._root.children:
            return document
        context = UpdateContext(document, array_position, now, timestamp, is_insert=is_upsert_insert)
        changed: dict[str, Any] = self._root.apply(document, context)
        if self._may_change_id and changed is not document:
            _check_id_kept(document, changed)
        return changed


def _check_id_kept(document: dict[str, Any], changed: dict[str, Any]) -> None:
    if "_id" in document and not binary_equal(document["_id"], changed.get("_id", MISSING)):
        raise ImmutableFieldError("Performing an update on the path '_id' would modify the immutable field '_id'")


def _fields(name: str, fields: Any) -> list[tuple[str, Any]]:
    if not isinstance(fields, Mapping):
        raise FailedToParseError(
            f"Modifiers operate on fields but we found type {type_name_of(fields)} instead. For example: "
            f"{{$mod: {{<field>: ...}}}} not {{{name}: {shown(fields)}}}"
        )
    return list(fields.items())
