from typing import Any

import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.errors import BadValueError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("kind", "mask", "value", "expected"),
    [
        ("$bitsAllSet", 6, 7, True),
        ("$bitsAllSet", [1, 2], 6, True),
        ("$bitsAllSet", 6, 2, False),
        ("$bitsAllClear", 6, 1, True),
        ("$bitsAllClear", 6, 3, False),
        ("$bitsAnySet", 6, 2, True),
        ("$bitsAnySet", 6, 8, False),
        ("$bitsAnyClear", 6, 2, True),
        ("$bitsAnyClear", 6, 6, False),
        ("$bitsAllSet", [200], -1, True),
        ("$bitsAllSet", [200], 1, False),
        ("$bitsAllSet", 1, 1.0, True),
        ("$bitsAllSet", 1, 1.5, False),
        ("$bitsAllSet", 1, Int64(2**40 + 1), True),
        ("$bitsAllSet", 1, True, False),
        ("$bitsAllSet", 1, Decimal128("1"), False),
        ("$bitsAllSet", 1, "1", False),
        ("$bitsAllSet", 1, [2, 3], True),
        ("$bitsAllSet", Binary(b"\x01\x01", 0), b"\x01\x03", True),
        ("$bitsAllSet", [9], b"\x00\x02", True),
        ("$bitsAllClear", [80], b"\xff", True),
        ("$bitsAllSet", 0, 0, True),
        ("$bitsAnySet", 0, 7, False),
    ],
)
def test_bit_test(kind: str, mask: Any, value: Any, expected: bool) -> None:
    assert compile_filter({"a": {kind: mask}}).matches({"a": value}) is expected


@pytest.mark.parametrize("mask", [-1, 1.5, "1", [1.5], [-1], [2**31], Decimal128("1e30")])
def test_malformed_mask_is_refused(mask: Any) -> None:
    with pytest.raises(BadValueError):
        compile_filter({"a": {"$bitsAllSet": mask}})
