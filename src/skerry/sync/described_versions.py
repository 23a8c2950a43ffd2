"""The version that updates have led to, worked out from their descriptions: exact where a look-up may be ahead of the event.

It is only used for documents that were written on both sides, where it matters whose write was the later one. A hub's description
has no words for fields that only change their place; what may hide that is not answered here, but by a look-up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.update.binary_equality import binary_equal
from skerry.update.document_diff import apply_description
from skerry.values import documents
from skerry.values.field_path import split
from skerry.values.missing import MISSING


def version_after(start: bytes, descriptions: Sequence[bytes]) -> bytes | None:
    """Return the document that raw `updateDescription`s make of `start`, None when that cannot be told for certain."""
    document = _exactly(start)
    for raw in descriptions:
        description = _exactly(raw) if raw else None
        if (
            document is None
            or description is None
            or _has_dotted_names(document)
            or _hides_order(document, description)
        ):
            return None
        try:
            document = apply_description(document, description)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # it is not about this version
            return None
    return None if document is None else documents.encode(document)


def _exactly(raw: bytes) -> dict[str, Any] | None:
    """Decode a document; None when it has types that do not come back as the same bytes."""
    document = documents.decode(raw)
    return document if documents.encode(document) == raw else None


def _has_dotted_names(value: Any) -> bool:
    """Tell whether a path through the document could be read in two ways."""
    if value.__class__ is dict:
        return any("." in name or _has_dotted_names(inner) for name, inner in value.items())
    return value.__class__ is list and any(map(_has_dotted_names, value))


def _hides_order(document: Mapping[str, Any], description: Mapping[str, Any]) -> bool:
    """Tell whether something is said to be updated to what it was: then it has changed its place."""
    updated: Mapping[str, Any] = description.get("updatedFields") or {}
    return any(binary_equal(_at(document, path), value) for path, value in updated.items())


def _at(document: Any, path: str) -> Any:
    for part in split(path):
        if document.__class__ is dict:
            document = document.get(part, MISSING)
        elif document.__class__ is list and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return MISSING
    return document
