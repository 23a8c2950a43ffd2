import math
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.errors import BadValueError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ([4, 0], 8, True),
        ([4, 0], 9, False),
        ([4, 1], 9.7, True),
        ([4.9, 1.2], 5, True),
        ([4, -1], -5, True),
        ([4, 3], -5, False),
        ([-4, 1], 5, True),
        ([4, 0], [1, 8], True),
        ([4, 0], "8", False),
        ([4, 0], math.nan, False),
        ([4, 0], math.inf, False),
        ([4, 0], True, False),
        ([4, 0], Decimal128("8.9"), True),
        ([Int64(2**40), 0], Int64(2**41), True),
        ([4, 0], None, False),
    ],
)
def test_mod(operand: list[Any], value: Any, expected: bool) -> None:
    assert compile_filter({"a": {"$mod": operand}}).matches({"a": value}) is expected


@pytest.mark.parametrize("operand", [1, [], [1], [1, 2, 3], [0, 1], [0.5, 1], ["x", 1], [1, None], [math.nan, 1]])
def test_malformed_mod_is_refused(operand: Any) -> None:
    with pytest.raises(BadValueError):
        compile_filter({"a": {"$mod": operand}})


def test_expr_compares_fields_of_the_document() -> None:
    predicate = compile_filter({"$expr": {"$gt": ["$a", "$b"]}}).matches
    assert predicate({"a": 2, "b": 1})
    assert not predicate({"a": 1, "b": 1})


def test_expr_counts_any_true_value_and_uses_variables() -> None:
    assert compile_filter({"$expr": "$a"}).matches({"a": 5})
    assert not compile_filter({"$expr": "$a"}).matches({})
    assert not compile_filter({"$expr": "$a"}).matches({"a": 0})
    filter = compile_filter({"$and": [{"$expr": {"$eq": ["$a", "$$x"]}}, {"b": 1}]}, variables={"x": 7})
    assert filter.matches({"a": 7, "b": 1})
    assert not filter.matches({"a": 8, "b": 1})


def test_sample_rate_of_zero_and_one_is_certain() -> None:
    assert compile_filter({"$sampleRate": 1}).matches({})
    assert not compile_filter({"$sampleRate": 0.0}).matches({})
    half = compile_filter({"$sampleRate": 0.5}).matches
    assert {half({}) for _ in range(200)} == {True, False}
    with pytest.raises(BadValueError):
        compile_filter({"$sampleRate": 1.5})
    with pytest.raises(BadValueError):
        compile_filter({"$sampleRate": "x"})
