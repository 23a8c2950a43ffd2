"""All accumulators by way of `$group`: the values of one group in turn, and what comes out."""

import math

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.aggregation.accumulators.accumulator_registry import ACCUMULATORS

ABSENT = object()
V = "$v"


def grouped(run, accumulator, values):
    documents = [
        {"_id": number, "s": -number} if value is ABSENT else {"_id": number, "s": -number, "v": value}
        for number, value in enumerate(values)
    ]
    return run([{"$group": {"_id": {"g": 1, "n": 2}, "out": accumulator}}], documents)[0]["out"]


def of_input(name, **options):
    return {name: {"input": V, **options}}


CASES = [
    ({"$sum": V}, [1, 2, "x", None, ABSENT], 3),
    ({"$sum": V}, ["x"], 0),
    ({"$sum": V}, [1, 0.5], 1.5),
    ({"$sum": V}, [0.1] * 10, 1.0),
    ({"$sum": V}, [float("inf"), 1.0], float("inf")),
    ({"$sum": V}, [1, Decimal128("0.1")], Decimal128("1.1")),
    ({"$sum": 2}, [0, 0, 0], 6),
    ({"$avg": V}, [1, 2, "x"], 1.5),
    ({"$avg": V}, ["x"], None),
    ({"$avg": V}, [Decimal128("1"), Decimal128("2")], Decimal128("1.5")),
    ({"$count": {}}, [ABSENT, None], 2),
    ({"$min": V}, [3, None, 1.5, "a"], 1.5),
    ({"$max": V}, [3, None, 1.5, "a"], "a"),
    ({"$min": V}, [None, ABSENT], None),
    ({"$max": V}, [float("nan"), -1.0], -1.0),
    ({"$first": V}, [ABSENT, 1], None),
    ({"$first": V}, [2, 1], 2),
    ({"$last": V}, [2, 1], 1),
    ({"$last": V}, [2, ABSENT], None),
    ({"$push": V}, [1, None, ABSENT, [2]], [1, None, [2]]),
    ({"$addToSet": V}, [1, 1.0, True, ABSENT, None, [1], [1.0]], [1, True, None, [1]]),
    ({"$mergeObjects": V}, [{"a": 1, "b": 1}, None, ABSENT, {"b": 2}], {"a": 1, "b": 2}),
    ({"$stdDevPop": V}, [2, 4, 4, 4, 5, 5, 7, 9, "x"], 2.0),
    ({"$stdDevPop": V}, [], None),
    ({"$stdDevPop": V}, [5], 0.0),
    ({"$stdDevSamp": V}, [5], None),
    ({"$stdDevSamp": V}, [1, 3], math.sqrt(2)),
    (of_input("$firstN", n=2), [1, ABSENT, 3], [1, None]),
    (of_input("$lastN", n=2), [1, 2, ABSENT], [2, None]),
    (of_input("$minN", n=2), [3, None, 1, ABSENT, 2], [1, 2]),
    (of_input("$maxN", n=2), [3, None, 1, 2], [3, 2]),
    (of_input("$maxN", n=2), list(range(500)), [499, 498]),
    (of_input("$firstN", n="$n"), [1, 2, 3], [1, 2]),
    ({"$top": {"sortBy": {"s": 1}, "output": V}}, [1, 2, 3], 3),
    ({"$bottom": {"sortBy": {"s": 1}, "output": V}}, [1, 2, 3], 1),
    ({"$top": {"sortBy": {"s": -1}, "output": [V, "$_id"]}}, [1, 2], [1, 0]),
    ({"$topN": {"n": 2, "sortBy": {"s": 1}, "output": V}}, [1, 2, ABSENT], [None, 2]),
    ({"$bottomN": {"n": 2, "sortBy": {"s": 1}, "output": V}}, [1, 2, 3], [2, 1]),
    ({"$topN": {"n": 3, "sortBy": {"s": 1}, "output": V}}, list(range(300)), [299, 298, 297]),
    (of_input("$median", method="approximate"), [1, 9, 5, "x"], 5.0),
    (of_input("$median", method="approximate"), ["x"], None),
    (of_input("$percentile", p=[0, 0.5, 0.95, 1], method="approximate"), list(range(1, 11)), [1.0, 5.0, 10.0, 10.0]),
    (of_input("$percentile", p=[0.5], method="approximate"), [], [None]),
]


@pytest.mark.parametrize(("accumulator", "values", "expected"), CASES)
def test_accumulators_give(run, accumulator, values, expected):
    if not values:
        values = ["no number"]
    found = grouped(run, accumulator, values)
    assert found == expected
    assert type(found) is type(expected)


def test_every_accumulator_has_a_case():
    assert {next(iter(case[0])) for case in CASES} == set(ACCUMULATORS)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], int),
        ([1, Int64(2)], Int64),
        ([2**31 - 1, 1], Int64),
        ([Int64(2**62), Int64(2**62)], float),
        ([Int64(1), 1.0], float),
    ],
)
def test_sum_has_the_widest_type_that_is_needed(run, values, kind):
    assert type(grouped(run, {"$sum": V}, values)) is kind


@pytest.mark.parametrize(
    ("accumulator", "code"),
    [
        ({"$count": 1}, 14),
        (of_input("$firstN"), 5787900),
        ({"$firstN": 1}, 5787900),
        (of_input("$firstN", n="x"), 5787902),
        (of_input("$firstN", n=1.5), 5787903),
        (of_input("$firstN", n=0), 5787908),
        ({"$top": {"sortBy": {"a": 1}}}, 5788002),
        (of_input("$median", method="exact"), 2),
        (of_input("$percentile", p=[2], method="approximate"), 7750303),
        (of_input("$percentile", p=[], method="approximate"), 7750300),
        ({"$mergeObjects": V}, 40400),
    ],
)
def test_malformed_arguments(code_of, accumulator, code):
    assert code_of([{"$group": {"_id": None, "out": accumulator}}], [{"v": 1}]) == code
