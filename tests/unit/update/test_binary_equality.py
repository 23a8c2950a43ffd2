import math
from datetime import datetime
from typing import Any

import pytest
from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.regex import Regex

from skerry.update.binary_equality import binary_equal
from skerry.values.missing import MISSING


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, Int64(1), False),
        (1, True, False),
        (math.nan, float("nan"), True),
        (0.0, -0.0, False),
        (1.5, 2.5, False),
        (math.nan, 1.0, False),
        (Decimal128("1.0"), Decimal128("1.00"), False),
        (None, MISSING, False),
        (MISSING, MISSING, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}, True),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ([1, 2], [1, 2], True),
        ([1], [1, 2], False),
        ([1], [1.0], False),
        (b"a", Binary(b"a", 5), False),
        (Binary(b"a", 5), Binary(b"a", 5), True),
        (Regex("a"), Regex("a"), True),
        (Regex("a"), Regex("a", "i"), False),
        (Code("x", {"a": 1}), Code("x", {"a": 1.0}), False),
        (datetime(2024, 1, 1), datetime(2024, 1, 1), True),
    ],
)
def test_values_are_equal_when_their_bytes_are(a: Any, b: Any, expected: bool) -> None:
    assert binary_equal(a, b) is expected
    assert binary_equal(b, a) is expected
