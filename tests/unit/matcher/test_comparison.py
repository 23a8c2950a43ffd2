import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import BadValueError
from skerry.matcher.compile import compile_filter
from skerry.values.compare import compare
from skerry.values.missing import MISSING
from skerry.values.type_order import canonical_rank

NAN = math.nan
OID = ObjectId("64b000000000000000000001")


def matches(filter: dict[str, Any], document: dict[str, Any]) -> bool:
    return compile_filter(filter).matches(document)


@pytest.mark.parametrize(
    ("operand", "value"),
    [
        (1, 1),
        (1, 1.0),
        (1, Int64(1)),
        (1, Decimal128("1.0")),
        (Decimal128("1"), 1),
        (Decimal128("0.5"), 0.5),
        (Int64(2**60), Int64(2**60)),
        ("x", "x"),
        ("x", ["w", "x"]),
        (1, ["x", 1.0]),
        (None, None),
        (None, [1, None]),
        (True, True),
        (OID, OID),
        (OID, [OID]),
        (b"ab", b"ab"),
        (Binary(b"ab", 5), Binary(b"ab", 5)),
        (datetime(2024, 1, 1), datetime(2024, 1, 1)),
        (datetime(2024, 1, 1), [datetime(2024, 1, 1)]),
        (Timestamp(1, 2), Timestamp(1, 2)),
        (NAN, NAN),
        (NAN, Decimal128("NaN")),
        (MinKey(), MinKey()),
        ([1, 2], [1, 2]),
        ([1, 2], [[1, 2], 3]),
        ([], []),
        ([], [[]]),
        ({"b": 1}, {"b": 1.0}),
        ({"b": 1, "c": 2}, {"b": 1, "c": 2}),
        ({"b": 1}, [{"b": 1}]),
        ({}, {}),
        ({"$ref": "c", "$id": 1}, {"$ref": "c", "$id": 1}),
    ],
)
def test_equality_matches(operand: Any, value: Any) -> None:
    assert matches({"a": operand}, {"a": value})
    assert matches({"a": {"$eq": operand}}, {"a": value})
    assert matches({"a": {"$in": [operand, "other"]}}, {"a": value})
    assert not matches({"a": {"$ne": operand}}, {"a": value})
    assert not matches({"a": {"$nin": [operand, "other"]}}, {"a": value})
    assert matches({"o.a": operand}, {"o": {"a": value}})


@pytest.mark.parametrize(
    ("operand", "value"),
    [
        (1, True),
        (True, 1),
        (1, "1"),
        (1, None),
        (0, None),
        (0, False),
        (1, [[1]]),
        ("x", "X"),
        ("x", Regex("x")),
        (None, 0),
        (None, []),
        (None, {}),
        (None, [1]),
        (b"ab", Binary(b"ab", 5)),
        (OID, str(OID)),
        (NAN, 1),
        (1, NAN),
        (1, Decimal128("NaN")),
        (MinKey(), 1),
        (MaxKey(), MinKey()),
        ([1, 2], [2, 1]),
        ([1, 2], [1, 2, 3]),
        ([1], 1),
        ({"b": 1, "c": 2}, {"c": 2, "b": 1}),
        ({"b": 1}, {"b": 1, "c": 2}),
        ({}, {"b": 1}),
        ({}, []),
        (datetime(2024, 1, 1), Timestamp(1704067200, 0)),
    ],
)
def test_equality_does_not_match(operand: Any, value: Any) -> None:
    assert not matches({"a": operand}, {"a": value})
    assert not matches({"a": {"$in": [operand, "other"]}}, {"a": value})
    assert matches({"a": {"$ne": operand}}, {"a": value})
    assert not matches({"o.a": operand}, {"o": {"a": value}})


def test_null_equality_matches_missing_fields_and_nothing_else_does() -> None:
    assert matches({"a": None}, {})
    assert matches({"a": {"$in": [None]}}, {})
    assert matches({"a": {"$in": [1, None]}}, {})
    assert not matches({"a": {"$ne": None}}, {})
    assert not matches({"a": {"$nin": [1, None]}}, {})
    for operand in (0, "", False, {}, [], MinKey()):
        assert not matches({"a": operand}, {})
        assert matches({"a": {"$ne": operand}}, {})


@pytest.mark.parametrize(
    ("operators", "value", "expected"),
    [
        ({"$gt": 5}, 6, True),
        ({"$gt": 5}, 5, False),
        ({"$gt": 5}, 5.5, True),
        ({"$gt": 5}, Decimal128("5.1"), True),
        ({"$gt": 5}, Decimal128("NaN"), False),
        ({"$gt": 5}, Int64(2**40), True),
        ({"$gt": 5}, "6", False),
        ({"$gt": 5}, True, False),
        ({"$gt": 5}, None, False),
        ({"$gt": 5}, MaxKey(), False),
        ({"$gt": 5}, [1, 6], True),
        ({"$gt": 5}, [[6]], False),
        ({"$gt": 5}, [], False),
        ({"$gt": 5}, [Decimal128("6")], True),
        ({"$lt": 5}, NAN, False),
        ({"$lte": NAN}, NAN, True),
        ({"$gte": NAN}, Decimal128("NaN"), True),
        ({"$gt": NAN}, 1, False),
        ({"$lt": NAN}, NAN, False),
        ({"$gt": Decimal128("1.5")}, 2, True),
        ({"$lt": Decimal128("1.5")}, NAN, False),
        ({"$gt": 9007199254740992.0}, Int64(9007199254740993), True),
        ({"$gte": "b"}, "b", True),
        ({"$gt": "b"}, "B", False),
        ({"$lt": "é"}, "z", True),
        ({"$gt": OID}, ObjectId("64b000000000000000000002"), True),
        ({"$gte": None}, None, True),
        ({"$lte": None}, None, True),
        ({"$gt": None}, None, False),
        ({"$gte": None}, 1, False),
        ({"$gt": False}, True, True),
        ({"$lt": True}, 0, False),
        ({"$lt": datetime(2024, 1, 2)}, datetime(2024, 1, 1), True),
        ({"$lt": datetime(2024, 1, 2)}, Timestamp(1, 1), False),
        ({"$gt": [1, 2]}, [1, 3], True),
        ({"$gt": [1, 2]}, [[1, 3]], True),
        ({"$gt": [1]}, 5, False),
        ({"$gt": {"b": 1}}, {"b": 2}, True),
        ({"$gt": {"b": 1}}, {"a": 2}, False),
        ({"$gt": MinKey()}, 1, True),
        ({"$gt": MinKey()}, MinKey(), False),
        ({"$gte": MinKey()}, MinKey(), True),
        ({"$lt": MinKey()}, 1, False),
        ({"$lt": MaxKey()}, "x", True),
        ({"$lte": MaxKey()}, MaxKey(), True),
        ({"$lt": MaxKey()}, MaxKey(), False),
        ({"$gt": MaxKey()}, 1, False),
        ({"$gt": 1, "$lt": 5}, 3, True),
        ({"$gt": 1, "$lt": 5}, 5, False),
        ({"$gt": 4, "$lt": 3}, [5, 2], True),
    ],
)
def test_order_comparison_stays_in_the_operands_bracket(operators: dict[str, Any], value: Any, expected: bool) -> None:
    assert matches({"a": operators}, {"a": value}) is expected
    assert matches({"o.a": operators}, {"o": {"a": value}}) is expected


def test_missing_field_counts_for_minkey_and_null_bounds() -> None:
    assert matches({"a": {"$gt": MinKey()}}, {})
    assert matches({"a": {"$lt": MaxKey()}}, {})
    assert matches({"a": {"$gte": None}}, {})
    assert not matches({"a": {"$gt": 0}}, {})


@pytest.mark.parametrize(
    ("items", "value", "expected"),
    [
        ([1, 2], 2.0, True),
        ([1, 2], [5, 2], True),
        ([1.5], Decimal128("1.5"), True),
        ([Decimal128("1.5")], 1.5, True),
        ([NAN], NAN, True),
        ([NAN], 1.0, False),
        ([True], 1, False),
        ([1], True, False),
        ([[1, 2]], [1, 2], True),
        ([{"b": 1}], {"b": 1}, True),
        ([Regex("^x"), 1], "xy", True),
        ([Regex("^x"), 1], ["no", "xy"], True),
        ([Regex("^x")], "ax", False),
        ([Regex("^x")], Regex("^x"), True),
        ([Regex("^x", "i"), None], "XY", True),
        ([], 1, False),
        ([MinKey()], MinKey(), True),
        ([b"a"], b"a", True),
    ],
)
def test_in_matches_values_and_patterns(items: list[Any], value: Any, expected: bool) -> None:
    assert matches({"a": {"$in": items}}, {"a": value}) is expected
    assert matches({"a": {"$nin": items}}, {"a": value}) is not expected


@pytest.mark.parametrize(
    "filter",
    [
        {"a": {"$gt": Regex("x")}},
        {"a": {"$ne": Regex("x")}},
        {"a": {"$in": 1}},
        {"a": {"$nin": {"b": 1}}},
        {"a": {"$in": [{"$gt": 1}]}},
    ],
)
def test_malformed_comparison_is_refused(filter: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        compile_filter(filter)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-3, 3).map(Int64),
    st.sampled_from([0.5, -0.0, 1.0, NAN, math.inf]),
    st.sampled_from(["NaN", "1", "0.5", "-Infinity"]).map(lambda text: Decimal128(Decimal(text))),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from([MinKey(), MaxKey(), OID, b"a", datetime(2024, 1, 1), Timestamp(1, 1)]),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.just({"b": 1}), st.just(MISSING))
HOLDS = {
    "$eq": lambda order: order == 0,
    "$gt": lambda order: order > 0,
    "$gte": lambda order: order >= 0,
    "$lt": lambda order: order < 0,
    "$lte": lambda order: order <= 0,
}


def is_nan(value: Any) -> bool:
    return value != value if isinstance(value, float) else isinstance(value, Decimal128) and value.to_decimal().is_nan()


def naive(name: str, value: Any, operand: Any) -> bool:
    value = None if value is MISSING and operand is None else value
    if isinstance(operand, MinKey | MaxKey):
        if type(value) is type(operand):
            return name in ("$eq", "$gte", "$lte")
        return name in (("$gt", "$gte") if isinstance(operand, MinKey) else ("$lt", "$lte"))
    if canonical_rank(value) != canonical_rank(operand):
        return False
    if is_nan(value) or is_nan(operand):
        return is_nan(value) and is_nan(operand) and name in ("$eq", "$gte", "$lte")
    return HOLDS[name](compare(value, operand))


@given(value=VALUES, operand=SCALARS, name=st.sampled_from(sorted(HOLDS)))
def test_comparison_agrees_with_the_definition(value: Any, operand: Any, name: str) -> None:
    document = {} if value is MISSING else {"a": value}
    candidates = [*value, value] if isinstance(value, list) else [value]
    expected = any(naive(name, candidate, operand) for candidate in candidates)
    assert matches({"a": {name: operand}}, document) is expected
    assert matches({"o.a": {name: operand}}, {"o": document}) is expected
    assert matches({"a": {"$not": {name: operand}}}, document) is not expected
    if name == "$eq":
        assert matches({"a": {"$in": [operand, "zzz"]}}, document) is expected
