import datetime
from typing import Any

import pytest
from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.son import SON
from bson.timestamp import Timestamp

from skerry.errors import BadValueError
from skerry.values.missing import MISSING
from skerry.values.type_order import bson_type, canonical_rank, same_bracket, type_code, type_name, type_name_of


@pytest.mark.parametrize(
    ("value", "number", "alias"),
    [
        (1.5, 1, "double"),
        ("a", 2, "string"),
        ({}, 3, "object"),
        (SON(), 3, "object"),
        ([], 4, "array"),
        (b"", 5, "binData"),
        (Binary(b"", 4), 5, "binData"),
        (ObjectId(), 7, "objectId"),
        (True, 8, "bool"),
        (datetime.datetime(2020, 1, 1), 9, "date"),
        (None, 10, "null"),
        (Regex("a"), 11, "regex"),
        (Code("a"), 13, "javascript"),
        (Code("a", {}), 15, "javascriptWithScope"),
        (1, 16, "int"),
        (1 << 31, 18, "long"),
        (Int64(1), 18, "long"),
        (Timestamp(1, 1), 17, "timestamp"),
        (Decimal128("1"), 19, "decimal"),
        (MinKey(), -1, "minKey"),
        (MaxKey(), 127, "maxKey"),
        (MISSING, 0, "missing"),
    ],
)
def test_each_value_has_its_bson_type(value: Any, number: int, alias: str) -> None:
    assert bson_type(value) == number
    assert type_name_of(value) == type_name(number) == alias
    if value is not MISSING:
        assert type_code(alias) == type_code(number) == type_code(float(number)) == frozenset((number,))


def test_number_stands_for_four_types() -> None:
    assert type_code("number") == {1, 16, 18, 19}


@pytest.mark.parametrize("unknown", ["integer", 0, 20, 1.5, True, None, [], "missing", float("nan")])
def test_unknown_types_are_refused(unknown: Any) -> None:
    with pytest.raises(BadValueError):
        type_code(unknown)


def test_numbers_share_a_bracket_and_booleans_are_none() -> None:
    assert same_bracket(1, Decimal128("2"))
    assert same_bracket(1.5, Int64(2))
    assert not same_bracket(1, True)
    assert canonical_rank(MISSING) < canonical_rank(None) < canonical_rank(0) < canonical_rank("")


def test_a_class_without_bson_form_has_no_type() -> None:
    with pytest.raises(TypeError):
        bson_type(object())
