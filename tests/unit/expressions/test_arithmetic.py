from datetime import datetime
from math import e, inf, nan

import pytest
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.expressions.expression_parser import compile_expression

NEW_YEAR = datetime(2024, 1, 1)
INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$add": []}, 0),
        ({"$add": [1]}, 1),
        ({"$add": 1}, 1),
        ({"$add": [1, 2, 3]}, 6),
        ({"$add": [1, 2.5]}, 3.5),
        ({"$add": [1, Int64(2)]}, Int64(3)),
        ({"$add": [INT_MAX, 1]}, Int64(2**31)),
        ({"$add": [Int64(LONG_MAX), 1]}, float(2**63)),
        ({"$add": [1, Decimal128("0.10")]}, Decimal128("1.10")),
        ({"$add": [1, None]}, None),
        ({"$add": [1, "$missing"]}, None),
        ({"$add": [NEW_YEAR, 1000]}, datetime(2024, 1, 1, 0, 0, 1)),
        ({"$add": [1000, NEW_YEAR, 500.5]}, datetime(2024, 1, 1, 0, 0, 1, 501000)),
        ({"$add": [NEW_YEAR]}, NEW_YEAR),
        ({"$add": [NEW_YEAR, None]}, None),
        ({"$add": [datetime(9999, 12, 31), 86_400_000]}, DatetimeMS(253402300800000)),
        ({"$subtract": [5, 7]}, -2),
        ({"$subtract": [5, 0.5]}, 4.5),
        ({"$subtract": [-INT_MAX, 5]}, Int64(-INT_MAX - 5)),
        ({"$subtract": [NEW_YEAR, datetime(2023, 12, 31)]}, Int64(86_400_000)),
        ({"$subtract": [NEW_YEAR, 1000]}, datetime(2023, 12, 31, 23, 59, 59)),
        ({"$subtract": [None, 1]}, None),
        ({"$subtract": ["$missing", "text"]}, None),
        ({"$multiply": []}, 1),
        ({"$multiply": [3, 4]}, 12),
        ({"$multiply": [3, 0.5]}, 1.5),
        ({"$multiply": [INT_MAX, 2]}, Int64(2 * INT_MAX)),
        ({"$multiply": [Int64(LONG_MAX), 2]}, float(2 * LONG_MAX)),
        ({"$multiply": [2, None]}, None),
        ({"$divide": [6, 3]}, 2.0),
        ({"$divide": [1, Decimal128("4")]}, Decimal128("0.25")),
        ({"$divide": [None, 0]}, None),
        ({"$mod": [7, 3]}, 1),
        ({"$mod": [-7, 3]}, -1),
        ({"$mod": [7, 2.5]}, 2.0),
        ({"$mod": [7, 3.0]}, 1),
        ({"$mod": [Int64(7), 3]}, Int64(1)),
        ({"$mod": [7, None]}, None),
        ({"$abs": -3}, 3),
        ({"$abs": -2.5}, 2.5),
        ({"$abs": Decimal128("-1.5")}, Decimal128("1.5")),
        ({"$abs": -(2**31)}, Int64(2**31)),
        ({"$abs": "$missing"}, None),
        ({"$pow": [2, 10]}, 1024),
        ({"$pow": [2, 31]}, Int64(2**31)),
        ({"$pow": [2, 63]}, float(2**63)),
        ({"$pow": [2, -1]}, 0.5),
        ({"$pow": [1, -5]}, 1),
        ({"$pow": [-1, -5]}, -1),
        ({"$pow": [0, 0]}, 1),
        ({"$pow": [-8, 0.5]}, nan),
        ({"$pow": [2.0, 3]}, 8.0),
        ({"$pow": [10.0, 400]}, inf),
        ({"$pow": [Decimal128("2"), 3]}, Decimal128("8")),
        ({"$pow": [Int64(2), 3]}, Int64(8)),
        ({"$pow": [None, 3]}, None),
        ({"$exp": 0}, 1.0),
        ({"$exp": 1000}, inf),
        ({"$exp": Decimal128("0")}, Decimal128("1")),
        ({"$sqrt": 100}, 10.0),
        ({"$sqrt": Decimal128("4")}, Decimal128("2")),
        ({"$ln": e}, 1.0),
        ({"$log": [100, 10]}, 2.0),
        ({"$log": [None, 10]}, None),
        ({"$log10": 1000}, 3.0),
        ({"$log10": nan}, nan),
        ({"$log10": Decimal128("100")}, Decimal128("2")),
    ],
)
def test_numbers_are_promoted_as_the_manual_says(check, spec, expected):
    check(spec, expected)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$add": [1, "x"]}, 14),
        ({"$add": [NEW_YEAR, NEW_YEAR]}, 16612),
        ({"$add": [NEW_YEAR, nan]}, 15),
        ({"$add": [NEW_YEAR, Int64(LONG_MAX)]}, 15),
        ({"$subtract": ["x", 1]}, 14),
        ({"$subtract": [1, NEW_YEAR]}, 14),
        ({"$subtract": [1]}, 16020),
        ({"$multiply": [2, "x"]}, 14),
        ({"$divide": [1, 0]}, 2),
        ({"$divide": [1, 0.0]}, 2),
        ({"$divide": [1, Decimal128("0")]}, 2),
        ({"$divide": ["x", 1]}, 14),
        ({"$mod": [1, 0]}, 16610),
        ({"$mod": [1, "x"]}, 16611),
        ({"$abs": "x"}, 28765),
        ({"$abs": Int64(-(2**63))}, 28680),
        ({"$abs": [1, 2]}, 16020),
        ({"$pow": [0, -1]}, 28764),
        ({"$pow": ["x", 1]}, 28762),
        ({"$pow": [1, "x"]}, 28763),
        ({"$sqrt": -1}, 28714),
        ({"$ln": 0}, 28766),
        ({"$log10": -1}, 28761),
        ({"$log": ["x", 10]}, 28756),
        ({"$log": [10, "x"]}, 28757),
        ({"$log": [-1, 10]}, 28758),
        ({"$log": [10, 1]}, 28759),
    ],
)
def test_operands_out_of_place_have_the_servers_codes(fails, spec, code):
    fails(spec, code)


@given(st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40))
def test_subtract_undoes_add(a, b):
    total = compile_expression({"$add": [a, b]}).constant
    assert compile_expression({"$subtract": [total, b]}).constant == a
