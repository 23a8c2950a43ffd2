"""What an operator may know besides the value it changes: one application of one update to one document."""

from datetime import datetime
from typing import Any, Final

from bson.timestamp import Timestamp

from skerry.values.missing import MISSING
from skerry.values.type_order import type_name_of

SHOWN_CHARACTERS_MAX: Final = 200


class UpdateContext:
    """The document as it was, and the circumstances of the statement."""

    __slots__ = ("array_position", "document", "is_insert", "now", "timestamp")

    def __init__(
        self,
        document: dict[str, Any],
        array_position: int | None,
        now: datetime,
        timestamp: Timestamp,
        *,
        is_insert: bool,
    ) -> None:
        self.document = document
        self.array_position = array_position
        self.is_insert = is_insert
        self.now = now
        self.timestamp = timestamp

    def shown_id(self) -> str:
        """Return the document's `_id` as error messages show it."""
        id_value = self.document.get("_id", MISSING)
        return "{no id}" if id_value is MISSING else shown({"_id": id_value})


def shown(value: Any) -> str:
    """Return a value as error messages show it, cut where it is long."""
    if value.__class__ is dict:
        text = "{" + ", ".join(f"{name}: {shown(inner)}" for name, inner in value.items()) + "}"
    elif value.__class__ is list:
        text = "[" + ", ".join(shown(inner) for inner in value) + "]"
    elif value.__class__ is str:
        text = f'"{value}"'
    elif value is None or value.__class__ is bool:
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value) if type_name_of(value) in _BARE else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "..."


_BARE: Final = frozenset(("int", "long", "double", "decimal"))
