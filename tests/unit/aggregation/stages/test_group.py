from datetime import datetime

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.aggregation.pipeline import compile_pipeline
from skerry.errors import CommandError

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([1, 1.0, Int64(1), Decimal128("1")], [4]),
        ([1, True, "1"], [1, 1, 1]),
        ([0, False, -0.0, None], [2, 1, 1]),
        ([NAN, float("nan"), Decimal128("NaN")], [3]),
        ([Decimal128("0.5"), 0.5], [2]),
        ([Decimal128("0.1"), 0.1], [1, 1]),
        ([b"a", "a", b"a"], [2, 1]),
        ([{"x": 1}, {"x": 1.0}, {"x": True}], [2, 1]),
        ([[1, 2], [1, 2.0], [2, 1]], [2, 1]),
        ([datetime(2020, 1, 1), datetime(2020, 1, 1)], [2]),
        ([2**53, float(2**53), Int64(2**53 + 1)], [2, 1]),
        ([float("inf"), Decimal128("Infinity")], [2]),
    ],
)
def test_keys_are_equal_as_mongodb_compares_them(run, values, counts):
    documents = [{"_id": number, "a": value} for number, value in enumerate(values)]
    for key in ("$a", {"k": "$a", "c": "$constant"}):
        found = run([{"$group": {"_id": key, "n": {"$sum": 1}}}], documents)
        assert [document["n"] for document in found] == counts


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("$a", [{"_id": None}]),
        ({"x": "$a"}, [{"_id": {"x": None}}]),
        ({"x": "$a", "y": "$b"}, [{"_id": {"y": 1}}, {"_id": {"x": None, "y": 1}}]),
    ],
)
def test_missing_key_is_null_but_absent_from_a_key_of_several_fields(run, key, expected):
    assert run([{"$group": {"_id": key}}], [{"b": 1}, {"a": None, "b": 1}]) == expected


def test_key_is_shown_as_it_was_met_first(run):
    (found,) = run([{"$group": {"_id": "$a"}}], [{"a": 1.0}, {"a": 1}])
    assert isinstance(found["_id"], float)


def test_constant_key_puts_everything_into_one_group(run):
    stage = {"$group": {"_id": None, "total": {"$sum": "$a"}, "n": {"$sum": 1}, "half": {"$sum": 0.5}}}
    assert run([stage], [{"a": 1}, {"a": 2}]) == [{"_id": None, "total": 3, "n": 2, "half": 1.0}]
    assert run([stage], []) == []


def test_key_may_be_an_expression(run):
    found = run([{"$group": {"_id": {"$mod": ["$a", 2]}, "n": {"$sum": 1}}}], [{"a": 1}, {"a": 2}, {"a": 3}])
    assert found == [{"_id": 1, "n": 2}, {"_id": 0, "n": 1}]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 15947),
        ({"n": {"$sum": 1}}, 15955),
        ({"_id": None, "a.b": {"$sum": 1}}, 40235),
        ({"_id": None, "$a": {"$sum": 1}}, 40236),
        ({"_id": None, "a": 1}, 40234),
        ({"_id": None, "a": {"$sum": 1, "$avg": 1}}, 40238),
        ({"_id": None, "a": {"$foo": 1}}, 15952),
        ({"_id": None, "a": {"$sum": [1, 2]}}, 40237),
        ({"_id": None, "a": {"$accumulator": {}}}, 238),
    ],
)
def test_malformed_specifications(code_of, spec, code):
    assert code_of([{"$group": spec}]) == code


def test_memory_limit_is_error_292():
    stage = {"$group": {"_id": None, "all": {"$push": "$a"}}}
    pipeline = compile_pipeline([stage], variables={}, context=None, memory_limit_bytes=10_000)
    with pytest.raises(CommandError) as caught:
        list(pipeline.run({"a": "x" * 100} for _ in range(200)))
    assert caught.value.code == 292
