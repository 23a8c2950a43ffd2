"""Joins by equality as `$lookup` and `$graphLookup` make them: which values are looked for, and which documents have them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bson.regex import Regex

from skerry.aggregation.stage import Document
from skerry.aggregation.value_hash import hash_key
from skerry.matcher.compile import compile_filter
from skerry.values import field_path
from skerry.values.missing import MISSING


def values_at(document: Document, parts: Sequence[str]) -> list[Any]:
    """Return the values at a path, an array's elements one by one; none where there is no value."""
    values: list[Any] = []
    for value in field_path.candidates(document, parts):
        if value.__class__ is list:
            values.extend(value)
        elif value is not MISSING:
            values.append(value)
    return values


def local_values(document: Document, parts: tuple[str, ...]) -> list[Any]:
    """Return the values at a local path that are looked for: null when there is no value, or an empty array."""
    if len(parts) == 1:
        value = document.get(parts[0])
        if value.__class__ is not list:
            return [value]
        return value or [None]
    return values_at(document, parts) or [None]


def equality_filter(path: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return the filter that finds documents with one of these values at the path; a pattern is a value, too."""
    plain: list[Any] = []
    patterns: list[Any] = []
    for value in values:
        (patterns if isinstance(value, Regex) else plain).append(value)
    if not patterns:
        return {path: {"$eq": plain[0]}} if len(plain) == 1 else {path: {"$in": plain}}
    return {"$or": [{path: {"$in": plain}}, *({path: {"$eq": pattern}} for pattern in patterns)]}


def dealt_out(
    found: Iterable[Document], path: str, wanted: Mapping[Any, Any]
) -> tuple[dict[Any, list[int]], list[Document]]:
    """Return for each key of `wanted` (by `hash_key`) the places of its documents, and the documents."""
    parts = field_path.split(path)
    matches: list[Document] = []
    by_key: dict[Any, list[int]] = {key: [] for key in wanted}
    # What matches null is the matcher's business: a missing field does, but not in every array.
    matches_null = compile_filter({path: {"$eq": None}}).matches if None in by_key else None
    for document in found:
        place = len(matches)
        matches.append(document)
        if matches_null is not None and matches_null(document):
            by_key[None].append(place)
        for key in _foreign_keys(document, parts):
            places = by_key.get(key)
            if places is not None and (not places or places[-1] != place):
                places.append(place)
    return by_key, matches


def _foreign_keys(document: Document, parts: tuple[str, ...]) -> Iterator[Any]:
    """Yield the keys of all values but null by which a filter's equality would find the document."""
    values = (document.get(parts[0]),) if len(parts) == 1 else field_path.candidates(document, parts)
    for value in values:
        if value.__class__ is list:
            for element in value:
                if element is not None:
                    yield hash_key(element)
        if value is not None and value is not MISSING:
            yield hash_key(value)
