from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.regex import Regex

from skerry.errors import BadValueError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ({"$size": 2}, [1, 2], True),
        ({"$size": 2.0}, [1, 2], True),
        ({"$size": 0}, [], True),
        ({"$size": Decimal128("1")}, [[1, 2]], True),
        ({"$size": 2}, [[1, 2]], False),
        ({"$size": 1}, "x", False),
        ({"$size": 0}, None, False),
        ({"$all": [1, 2]}, [2, 3, 1], True),
        ({"$all": [1, 2]}, [1, 3], False),
        ({"$all": [1]}, 1, True),
        ({"$all": []}, [], False),
        ({"$all": [None]}, [None, 1], True),
        ({"$all": [[1, 2]]}, [1, 2], True),
        ({"$all": [[1, 2]]}, [[1, 2], 3], True),
        ({"$all": [Regex("^a"), "b"]}, ["b", "ax"], True),
        ({"$all": [{"$elemMatch": {"x": 1}}, {"$elemMatch": {"x": 2}}]}, [{"x": 1}, {"x": 2}], True),
        ({"$all": [{"$elemMatch": {"x": 1}}, {"$elemMatch": {"x": 3}}]}, [{"x": 1}, {"x": 2}], False),
        ({"$elemMatch": {"$gt": 1, "$lt": 5}}, [0, 3], True),
        ({"$elemMatch": {"$gt": 1, "$lt": 5}}, [0, 6], False),
        ({"$elemMatch": {"$gt": 1}}, 3, False),
        ({"$elemMatch": {"$gt": 1}}, [[3]], False),
        ({"$elemMatch": {"$elemMatch": {"$gt": 1}}}, [[3]], True),
        ({"$elemMatch": {"$in": [1, None]}}, [2, None], True),
        ({"$elemMatch": {"$eq": None}}, [], False),
        ({"$elemMatch": {"$not": {"$gt": 1}}}, [5, "x"], True),
        ({"$elemMatch": {"$ne": 1}}, [1, 1], False),
        ({"$elemMatch": {"$size": 2}}, [[1, 2]], True),
        ({"$elemMatch": {"$type": "array"}}, [[]], True),
        ({"$elemMatch": {"$exists": True}}, [1], True),
        ({"$elemMatch": {"x": 1, "y": 2}}, [{"x": 1}, {"y": 2}], False),
        ({"$elemMatch": {"x": 1, "y": 2}}, [{"x": 1, "y": 2}], True),
        ({"$elemMatch": {"x": {"$gt": 1}}}, {"x": 2}, False),
        ({"$elemMatch": {"0": 5}}, [[5, 6]], True),
        ({"$elemMatch": {"$or": [{"x": 1}, {"y": 1}]}}, [{"y": 1}], True),
        ({"$elemMatch": {}}, [1], False),
        ({"$elemMatch": {}}, [{"x": 1}], True),
        ({"$not": {"$elemMatch": {"x": 1}}}, [{"x": 2}], True),
        ({"$elemMatch": {"$in": []}}, [1], False),
        ({"$elemMatch": {"$nin": []}}, [1], True),
        ({"$elemMatch": {"$mod": [2, 1], "$type": "int", "$regex": "x"}}, [1], False),
        ({"$not": {"$size": 1}}, [1, 2], True),
    ],
)
def test_array_predicate(condition: dict[str, Any], value: Any, expected: bool) -> None:
    assert compile_filter({"a": condition}).matches({"a": value}) is expected
    assert compile_filter({"o.a": condition}).matches({"o": {"a": value}}) is expected


def test_all_null_matches_a_missing_field() -> None:
    assert compile_filter({"a": {"$all": [None]}}).matches({})


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"$size": "x"}, "Expected a number"),
        ({"$size": 1.5}, "Expected an integer"),
        ({"$size": -1}, "Expected a non-negative number"),
        ({"$size": True}, "Expected a number"),
        ({"$all": 1}, r"\$all needs an array"),
        ({"$all": [{"$gt": 1}]}, r"no \$ expressions in \$all"),
        ({"$all": [{"$elemMatch": {"x": 1}}, 1]}, "consistent"),
        ({"$elemMatch": 1}, r"\$elemMatch needs an Object"),
        ({"$elemMatch": {"$gt": 1, "x": 1}}, "unknown operator: x"),
        ({"$elemMatch": {"x": 1, "$expr": True}}, r"\$expr can only be applied to the top-level document"),
    ],
)
def test_malformed_array_predicate_is_refused(condition: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValueError, match=message):
        compile_filter({"a": condition})
