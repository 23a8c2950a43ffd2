from math import inf, nan

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.expressions.accumulator import sum_of

DOCUMENT = {"a": [3, 1, 2], "mixed": [1, "x", None, 2.5], "n": None, "docs": [{"v": 1}, {"v": 4}]}
APPROXIMATE = {"method": "approximate"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$sum": "$a"}, 6),
        ({"$sum": "$mixed"}, 3.5),
        ({"$sum": "$docs.v"}, 5),
        ({"$sum": ["$a", 1, 2]}, 3),
        ({"$sum": "$n"}, 0),
        ({"$sum": []}, 0),
        ({"$sum": [2**31 - 1, 1]}, Int64(2**31)),
        ({"$sum": [Int64(1), 1]}, Int64(2)),
        ({"$sum": [Int64(2**63 - 1), 1]}, float(2**63)),
        ({"$sum": [0.1, 0.2, 0.3]}, 0.6),
        ({"$sum": [1, Decimal128("0.5"), 0.25]}, Decimal128("1.750000000000000")),
        ({"$sum": [inf, -inf]}, nan),
        ({"$avg": "$a"}, 2.0),
        ({"$avg": "$mixed"}, 1.75),
        ({"$avg": ["$missing"]}, None),
        ({"$avg": [Decimal128("1"), 2]}, Decimal128("1.5")),
        ({"$min": "$mixed"}, 1),
        ({"$max": "$mixed"}, "x"),
        ({"$max": ["$a", 5]}, [3, 1, 2]),
        ({"$min": "$n"}, None),
        ({"$stdDevPop": "$a"}, 0.816496580927726),
        ({"$stdDevSamp": "$a"}, 1.0),
        ({"$stdDevSamp": [1]}, None),
        ({"$stdDevPop": ["x"]}, None),
        ({"$stdDevPop": [1, inf]}, nan),
        ({"$median": {"input": "$a", **APPROXIMATE}}, 2.0),
        ({"$median": {"input": [1, 2, 3, 4], **APPROXIMATE}}, 2.0),
        ({"$median": {"input": "$n", **APPROXIMATE}}, None),
        ({"$percentile": {"input": "$a", "p": [0, 0.5, 0.95], **APPROXIMATE}}, [1.0, 2.0, 3.0]),
        ({"$percentile": {"input": "x", "p": [0.5], **APPROXIMATE}}, [None]),
    ],
)
def test_accumulators_look_into_a_single_array(check, spec, expected):
    check(spec, expected, DOCUMENT)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$median": {"input": 1, "method": "exact"}}, 2),
        ({"$percentile": {"input": 1, "p": [2], **APPROXIMATE}}, 7750303),
        ({"$percentile": {"input": 1, "p": ["x"], **APPROXIMATE}}, 7750302),
        ({"$percentile": {"input": 1, "p": 0.5, **APPROXIMATE}}, 7750301),
    ],
)
def test_malformed_quantiles_have_the_servers_codes(fails, spec, code):
    fails(spec, code)


@given(st.lists(st.integers(-(2**62), 2**62) | st.floats(-1e15, 1e15)))
def test_a_sum_does_not_depend_on_the_order(values):
    numbers = [Int64(value) if isinstance(value, int) else value for value in values]
    assert sum_of(numbers) == sum_of(numbers[::-1])
