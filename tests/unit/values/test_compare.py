from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.values.compare import ValueKey, compare, equal
from skerry.values.missing import MISSING

NAN = float("nan")


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        (MISSING, None),
        (None, NAN),
        (NAN, float("-inf")),
        (Int64((1 << 53) + 1), float((1 << 53) + 2)),
        (float(1 << 53), Int64((1 << 53) + 1)),
        (Decimal128("0.1"), 0.1),
        (2, "1"),
        ("a", "ab"),
        ("\uffff", "\U00010000"),
        (False, True),
        (1, False),
        ({"b": 1}, {"a": "x"}),
        ({"a": 1}, {"b": 0}),
        ({"a": 1}, {"a": 1, "b": 0}),
        ({"a": 9}, {"a": {}}),
        ([1, 2], [1, 3]),
        ([1], [1, 0]),
        ([], [None]),
        ({"z": 1}, []),
        (b"z", b"aa"),
    ],
)
def test_the_order_of_two_values(lesser: Any, greater: Any) -> None:
    assert compare(lesser, greater) == -1
    assert compare(greater, lesser) == 1
    assert ValueKey(lesser) < ValueKey(greater)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, Int64(1)),
        (1, Decimal128("1.00")),
        (0.0, -0.0),
        (NAN, NAN),
        (NAN, Decimal128("NaN")),
        ({"a": [1]}, {"a": [1.0]}),
        (MISSING, MISSING),
    ],
)
def test_equal_values(a: Any, b: Any) -> None:
    assert compare(a, b) == 0
    assert equal(a, b)
    assert {ValueKey(a): 1}[ValueKey(b)] == 1


@pytest.mark.parametrize(
    ("a", "b"), [(True, 1), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (None, MISSING), ("1", 1), ([1], 1)]
)
def test_unequal_values(a: Any, b: Any) -> None:
    assert not equal(a, b)
