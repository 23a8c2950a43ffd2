"""Changes of one field of a document without changing the document: copies along the path, the rest is shared."""

from collections.abc import Sequence
from typing import Any

from skerry.values.missing import MISSING

Document = dict[str, Any]


def with_value(document: Document, parts: Sequence[str], value: Any) -> Document:
    """Return the document with `value` at the path; what is no document on the way is replaced by one.

    `MISSING` removes the field, and then leaves alone what is no document.
    """
    name = parts[0]
    if len(parts) > 1:
        inner = document.get(name, MISSING)
        if inner.__class__ is not dict:
            if value is MISSING:
                return document
            inner = {}
        return {**document, name: with_value(inner, parts[1:], value)}
    if value is MISSING:
        return {field: each for field, each in document.items() if field != name}
    return {**document, name: value}


def plain_value(document: Any, parts: Sequence[str]) -> Any:
    """Return the value at a path through documents only; MISSING where there is an array or anything else on the way."""
    for part in parts:
        if document.__class__ is not dict:
            return MISSING
        document = document.get(part, MISSING)
    return document
