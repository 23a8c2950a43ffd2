"""The document that an upsert inserts: the filter's equalities, then the update.

Source: MongoDB manual, "db.collection.updateOne: upsert". Equalities count on the top level and inside `$and`; comparisons
and every other operator say nothing about the new document.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from bson.timestamp import Timestamp

from skerry.errors import CommandError
from skerry.matcher.match_expression import And, Comparison, MatchExpression
from skerry.update.update_driver import UpdateDriver
from skerry.values.field_path import set_path, split

NOT_SINGLE_VALUE_FIELD: Final = 54


def document_for_upsert(
    expression: MatchExpression, driver: UpdateDriver, *, now: datetime, timestamp: Timestamp
) -> dict[str, Any]:
    """Return the document, `_id` first where the filter or the update gives one; the caller makes one otherwise.

    A replacement takes nothing but `_id` from the filter. Raises CommandError 54 for a filter that fixes a path twice, and
    what `driver.apply` raises.
    """
    seed = _seed(expression, only_id=driver.is_replacement)
    document = driver.apply(seed, array_position=None, is_upsert_insert=True, now=now, timestamp=timestamp)
    if "_id" in document and next(iter(document)) != "_id":
        return {"_id": document["_id"], **document}
    return document


def _seed(expression: MatchExpression, *, only_id: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in _equalities(expression):
        if only_id and path != "_id":
            continue
        if path in found:
            raise CommandError(
                f"cannot infer query fields to set, path '{path}' is matched twice", NOT_SINGLE_VALUE_FIELD
            )
        found[path] = value
    document: dict[str, Any] = {}
    previous = ""
    # In the order of paths a prefix stands directly before what it is a prefix of, but for names with characters
    # below the dot, so components are compared.
    for path in sorted(found, key=split):
        if previous and split(path)[: len(split(previous))] == split(previous):
            raise CommandError(
                f"cannot infer query fields to set, both paths '{path}' and '{previous}' are matched",
                NOT_SINGLE_VALUE_FIELD,
            )
        set_path(document, split(path), found[path])
        previous = path
    return document


def _equalities(expression: MatchExpression) -> Iterator[tuple[str, Any]]:
    if isinstance(expression, Comparison):
        if expression.operator == "$eq":
            yield expression.path, expression.value
    elif isinstance(expression, And):
        for child in expression.children:
            yield from _equalities(child)
