"""What a command looks like without its values, so that it can be logged: names of fields stay, values become their type.

The manner is that of MongoDB's query shapes (manual: Query Shapes): `{item: "oar", qty: {$gt: 3}}` is
`{item: "?string", qty: {$gt: "?int"}}`. Elements of one shape in a row are shown once.
"""

from collections.abc import Mapping
from typing import Any, Final

from skerry.values.type_order import type_name_of

FIELDS_MAX: Final = 50
DEPTH_MAX: Final = 12
_DIRECTIONS: Final = frozenset(("$sort", "$project"))
_DIRECTIONS_OF_COMMANDS: Final = frozenset(("sort", "hint", "projection"))
"""Fields below which 1, 0 and -1 are no data but directions; the second only where no field of a document can have the name."""


def shape_of(value: Any, *, depth: int = 0, is_path: bool = False) -> Any:
    """Return the shape of a BSON value: documents as documents, lists as lists, anything else as `?type`."""
    if isinstance(value, Mapping):
        if depth >= DEPTH_MAX:
            return "?object"
        shown = {
            name: shape_of(each, depth=depth + 1, is_path=is_path or _has_directions(name, depth))
            for name, each in list(value.items())[:FIELDS_MAX]
        }
        if len(value) > FIELDS_MAX:
            shown["…"] = f"{len(value) - FIELDS_MAX} more fields"
        return shown
    if isinstance(value, list):
        return _list_shape(value, depth=depth, is_path=is_path)
    if is_path and isinstance(value, (bool, int)) and value in (-1, 0, 1):
        return value
    return f"?{type_name_of(value)}"


def _has_directions(name: str, depth: int) -> bool:
    return name in _DIRECTIONS or (depth == 0 and name in _DIRECTIONS_OF_COMMANDS)


def _list_shape(values: list[Any], *, depth: int, is_path: bool) -> Any:
    if depth >= DEPTH_MAX:
        return "?array"
    shapes: list[Any] = []
    for value in values[:FIELDS_MAX]:
        shape = shape_of(value, depth=depth + 1, is_path=is_path)
        if not shapes or shapes[-1] != shape:
            shapes.append(shape)
    return shapes
