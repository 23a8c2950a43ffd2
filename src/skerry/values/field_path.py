"""Dotted paths: taken apart, validated, and read from documents.

There are two ways to read (MongoDB manual, "Query on Embedded/Nested Documents", "Field Paths"): `read` is the one of
aggregation expressions, where an array on the way maps to an array; `candidates` is the one of filters, where an array on
the way is searched and a number may be a position.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from skerry.errors import CommandError
from skerry.values.missing import MISSING

PATH_CACHE_ENTRIES: Final = 4096
EMPTY_FIELD_NAME_IN_PATH: Final = 15998
DOLLAR_FIELD_NAME_IN_PATH: Final = 16410
NUL_IN_PATH: Final = 16411
EMPTY_PATH: Final = 40352
PATH_ENDS_WITH_DOT: Final = 40353


@lru_cache(maxsize=PATH_CACHE_ENTRIES)
def split(path: str) -> tuple[str, ...]:
    """Return the components of a path; empty ones are kept, as filters allow them."""
    return tuple(path.split("."))


def validate(path: str) -> None:
    """Check a path of an expression or a projection.

    Raises CommandError with the server's location code: empty path or component, `$` at a start, NUL.
    """
    if not path:
        raise CommandError("FieldPath cannot be constructed with empty string", EMPTY_PATH)
    if path.endswith("."):
        raise CommandError("FieldPath must not end with a '.'.", PATH_ENDS_WITH_DOT)
    for name in split(path):
        if not name:
            raise CommandError("FieldPath field names may not be empty strings.", EMPTY_FIELD_NAME_IN_PATH)
        if name[0] == "$":
            raise CommandError(
                f"FieldPath field names may not start with '$'. Consider using $getField or $setField. Name: '{name}'",
                DOLLAR_FIELD_NAME_IN_PATH,
            )
        if "\x00" in name:
            raise CommandError("FieldPath field names may not contain null bytes.", NUL_IN_PATH)


def array_position(component: str) -> int | None:
    """Return the array position that a component may mean: "0" and "12", but not "01"."""
    if component.isdigit() and component.isascii() and (component[0] != "0" or component == "0"):
        return int(component)
    return None


def read(value: Any, parts: Sequence[str]) -> Any:
    """Return the value of an expression's field path, `MISSING` if there is none.

    An array on the way gives an array of what its documents hold; elements that are no documents are left out, and
    numbers are names of fields only.
    """
    for at, part in enumerate(parts):
        if value.__class__ is dict:
            value = value.get(part, MISSING)
        elif value.__class__ is list:
            rest = parts[at:]
            found = [read(element, rest) for element in value if element.__class__ is dict]
            return [each for each in found if each is not MISSING]
        else:
            return MISSING
    return value


def candidates(value: Any, parts: Sequence[str]) -> Iterator[Any]:
    """Yield every value that a filter's path reaches; an array at its end is yielded whole.

    `MISSING` is yielded where a document lacks the field or a scalar stands in the way. Elements of a traversed array
    that are no documents yield nothing.
    """
    if not parts:
        yield value
    elif value.__class__ is dict:
        yield from candidates(value.get(parts[0], MISSING), parts[1:])
    elif value.__class__ is list:
        for element in value:
            if element.__class__ is dict:
                yield from candidates(element, parts)
        position = array_position(parts[0])
        if position is not None and position < len(value):
            element = value[position]
            if len(parts) == 1 or element.__class__ is dict or element.__class__ is list:
                yield from candidates(element, parts[1:])
    else:
        yield MISSING


def set_path(document: dict[str, Any], parts: Sequence[str], value: Any) -> None:
    """Set the value at a path through documents, making those that are missing and replacing what is in the way."""
    for part in parts[:-1]:
        inner = document.get(part)
        if inner.__class__ is not dict:
            inner = document[part] = {}
        document = inner
    document[parts[-1]] = value


def unset_path(document: dict[str, Any], parts: Sequence[str]) -> None:
    """Remove the field at a path through documents, if it is there."""
    for part in parts[:-1]:
        inner = document.get(part)
        if inner.__class__ is not dict:
            return
        document = inner
    document.pop(parts[-1], None)
