from datetime import datetime
from typing import Any

import pytest
from bson.timestamp import Timestamp

from skerry.errors import CommandError
from skerry.matcher.compile import compile_filter
from skerry.update.update_driver import compile_update
from skerry.update.upsert import document_for_upsert


def inserted(filter: dict[str, Any], update: Any) -> dict[str, Any]:
    expression = compile_filter(filter).expression
    return document_for_upsert(expression, compile_update(update), now=datetime(2024, 1, 1), timestamp=Timestamp(1, 1))


@pytest.mark.parametrize(
    ("filter", "update", "expected"),
    [
        ({"a": 1}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"_id": 5, "a": 1}, {"$inc": {"n": 1}}, {"_id": 5, "a": 1, "n": 1}),
        ({"a": 1, "_id": 5}, {"$inc": {"n": 1}}, {"_id": 5, "a": 1, "n": 1}),
        ({"a": {"$gt": 1}}, {"$set": {"b": 2}}, {"b": 2}),
        ({"a": {"$eq": 1, "$lt": 5}}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": {"$in": [1]}}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": {"$in": [1, 2]}}, {"$set": {"b": 2}}, {"b": 2}),
        ({"a": {"$all": [1]}}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": {"$ne": 1}}, {"$set": {"b": 2}}, {"b": 2}),
        ({"$and": [{"a": 1}, {"c": 2}]}, {"$set": {"b": 2}}, {"a": 1, "b": 2, "c": 2}),
        ({"$or": [{"a": 1}]}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"$or": [{"a": 1}, {"c": 1}]}, {"$set": {"b": 2}}, {"b": 2}),
        ({"a.b": 1, "a.c": 2}, {"$set": {"d": 2}}, {"a": {"b": 1, "c": 2}, "d": 2}),
        ({"a": None}, {"$set": {"b": 2}}, {"a": None, "b": 2}),
        ({"a": 1}, {"$set": {"a": 2}}, {"a": 2}),
        ({"a": 1}, {"$setOnInsert": {"b": 2}, "$inc": {"a": 1}}, {"a": 2, "b": 2}),
        ({"_id": 5, "a": 1}, {"b": 2}, {"_id": 5, "b": 2}),
        ({"a": 1}, {"b": 2}, {"b": 2}),
        ({"a": 1}, {"b": 2, "_id": 9}, {"_id": 9, "b": 2}),
        ({"a": 1}, {"$set": {"_id": 9}}, {"_id": 9, "a": 1}),
        ({"a": 1}, [{"$set": {"b": "$a"}}], {"a": 1, "b": 1}),
        ({"_id.x": 1}, {"$set": {"b": 1}}, {"_id": {"x": 1}, "b": 1}),
        ({}, {"$set": {"b": 1}}, {"b": 1}),
    ],
)
def test_filter_equalities_and_update_make_the_document(filter: dict[str, Any], update: Any, expected: Any) -> None:
    new = inserted(filter, update)
    assert new == expected
    if "_id" in expected:
        assert next(iter(new)) == "_id"


@pytest.mark.parametrize(
    ("filter", "update", "code"),
    [
        ({"a": 1, "$and": [{"a": 2}]}, {"$set": {"b": 1}}, 54),
        ({"a": {"b": 1}, "a.b": 1}, {"$set": {"c": 1}}, 54),
        ({"a": {"b": 1}, "a-c": 2, "a.b": 1}, {"$set": {"c": 1}}, 54),
        ({"_id": 1}, {"_id": 2, "a": 1}, 66),
        ({"_id": 1}, {"$set": {"_id": 2}}, 66),
        ({"a": 5}, {"$set": {"a.b": 1}}, 28),
        ({"a": 5}, {"$set": {"a.$": 1}}, 2),
    ],
)
def test_impossible_upsert_is_refused(filter: dict[str, Any], update: Any, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        inserted(filter, update)
    assert caught.value.code == code
