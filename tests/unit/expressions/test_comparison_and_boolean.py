import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$cmp": [1, 2]}, -1),
        ({"$cmp": [2, 1.0]}, 1),
        ({"$cmp": [Int64(1), Decimal128("1")]}, 0),
        ({"$eq": ["$missing", None]}, False),
        ({"$eq": ["$missing", "$absent"]}, True),
        ({"$lt": ["$missing", None]}, True),
        ({"$gt": ["text", 5]}, True),
        ({"$gte": [5, 5]}, True),
        ({"$lte": [6, 5]}, False),
        ({"$ne": [True, 1]}, True),
        ({"$eq": [{"a": 1, "b": 2}, {"a": 1, "b": 2}]}, True),
        ({"$eq": [{"a": 1, "b": 2}, {"b": 2, "a": 1}]}, False),
        ({"$lt": [[1, 2], [1, 3]]}, True),
        ({"$and": []}, True),
        ({"$and": [1, "text", []]}, True),
        ({"$and": [1, 0]}, False),
        ({"$and": [1, None]}, False),
        ({"$and": ["$missing"]}, False),
        ({"$or": []}, False),
        ({"$or": [0, None, False, Decimal128("0"), "$missing"]}, False),
        ({"$or": [0, ""]}, True),
        ({"$not": [True]}, False),
        ({"$not": None}, True),
        ({"$not": [[False]]}, False),
    ],
)
def test_values_compare_in_the_order_of_bson_and_count_as_true(check, spec, expected):
    check(spec, expected)


def test_and_does_not_evaluate_what_follows_a_false_operand(check):
    check({"$and": ["$flag", {"$divide": [1, "$zero"]}]}, False, {"flag": False, "zero": 0})
    check({"$or": ["$flag", {"$divide": [1, "$zero"]}]}, True, {"flag": True, "zero": 0})


def test_comparisons_take_two_operands(fails):
    fails({"$eq": [1]}, 16020)
    fails({"$not": [1, 2]}, 16020)
