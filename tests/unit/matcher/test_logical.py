from typing import Any

import pytest
from bson.regex import Regex

from skerry.errors import BadValueError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"a": 1, "b": 2}, True),
        ({"a": 1, "b": 3}, False),
        ({"$and": [{"a": 1}, {"b": 2}, {"c": {"$exists": False}}, {"b": {"$gt": 1}}]}, True),
        ({"$and": [{"a": 1}, {"b": 2}, {"c": {"$exists": False}}, {"b": {"$gt": 2}}]}, False),
        ({"$or": [{"a": 2}, {"b": 2}]}, True),
        ({"$or": [{"a": 2}, {"b": 3}, {"c": 1}]}, False),
        ({"$or": [{"a": 2}, {"b": 3}, {"s": "text"}]}, True),
        ({"$nor": [{"a": 2}, {"b": 3}]}, True),
        ({"$nor": [{"a": 1}]}, False),
        ({"$or": [{}]}, True),
        ({"$nor": [{}]}, False),
        ({"a": {"$not": {"$gt": 1}}}, True),
        ({"a": {"$not": {"$gt": 0, "$lt": 5}}}, False),
        ({"s": {"$not": Regex("^t")}}, False),
        ({"s": {"$not": {"$regex": "^x", "$options": "i"}}}, True),
        ({"missing": {"$not": {"$gt": 1}}}, True),
        ({"a": {"$not": {"$not": {"$eq": 1}}}}, True),
        ({"a": 1, "$or": [{"b": 1}, {"b": 2}]}, True),
        ({"a": 1, "$comment": "why"}, True),
        ({"a": {"$gt": 0, "$comment": 1}}, True),
        ({"$alwaysTrue": 1}, True),
        ({"$alwaysFalse": 1}, False),
        ({}, True),
    ],
)
def test_logical_operator(filter: dict[str, Any], expected: bool) -> None:
    assert compile_filter(filter).matches({"a": 1, "b": 2, "s": "text"}) is expected


@pytest.mark.parametrize(
    "filter",
    [
        {"$and": {}},
        {"$or": []},
        {"$nor": [1]},
        {"a": {"$not": 5}},
        {"a": {"$not": {}}},
        {"a": {"$not": {"b": 1}}},
    ],
)
def test_malformed_logical_operator_is_refused(filter: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        compile_filter(filter)
