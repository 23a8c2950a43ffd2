from datetime import datetime
from typing import Any

import pytest
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from skerry.errors import BadValueError, FailedToParseError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ("int", 1, True),
        ("int", Int64(1), False),
        ("long", Int64(1), True),
        ("double", 1.0, True),
        ("decimal", Decimal128("1"), True),
        ("number", 1, True),
        ("number", Decimal128("1"), True),
        ("number", True, False),
        ("bool", True, True),
        ("string", "x", True),
        ("object", {}, True),
        ("array", [], True),
        ("array", [1], True),
        ("int", [1], True),
        ("null", None, True),
        ("date", datetime(2024, 1, 1), True),
        ("timestamp", Timestamp(1, 1), True),
        ("objectId", ObjectId(), True),
        ("regex", Regex("x"), True),
        ("javascript", Code("x"), True),
        ("javascriptWithScope", Code("x", {}), True),
        ("binData", b"x", True),
        ("maxKey", MaxKey(), True),
        (2, "x", True),
        (16.0, 1, True),
        (-1, 1, False),
        (["string", "null"], None, True),
        (["string", "null"], 1, False),
    ],
)
def test_type_matches_bson_types(operand: Any, value: Any, expected: bool) -> None:
    assert compile_filter({"a": {"$type": operand}}).matches({"a": value}) is expected


def test_type_null_does_not_match_a_missing_field() -> None:
    assert not compile_filter({"a": {"$type": "null"}}).matches({})


@pytest.mark.parametrize("operand", ["nosuch", 99, 0, True, None, {}])
def test_unknown_type_is_refused(operand: Any) -> None:
    with pytest.raises(BadValueError):
        compile_filter({"a": {"$type": operand}})


def test_type_without_types_is_refused() -> None:
    with pytest.raises(FailedToParseError):
        compile_filter({"a": {"$type": []}})


@pytest.mark.parametrize(
    ("operand", "wants"),
    [(True, True), (1, True), ({}, True), ("", True), (0, False), (None, False), (Decimal128("0.0"), False)],
)
def test_exists_takes_any_operand_as_a_truth_value(operand: Any, wants: bool) -> None:
    predicate = compile_filter({"a": {"$exists": operand}}).matches
    assert predicate({"a": None}) is wants
    assert predicate({}) is not wants
