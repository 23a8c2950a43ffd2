import math
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import CommandError, NumericOverflowError
from skerry.values import numbers
from skerry.values.numbers import INT64_MAX, INT64_MIN
from skerry.values.type_order import INT32_MAX, INT32_MIN

int32 = st.integers(INT32_MIN, INT32_MAX)
int64 = st.integers(INT64_MIN, INT64_MAX).map(Int64)


def same(found: Any, expected: Any) -> bool:
    return type(found) is type(expected) and (found == expected or (found != found and expected != expected))


@pytest.mark.parametrize(
    ("operation", "a", "b", "expected"),
    [
        (numbers.add, 1, 2, 3),
        (numbers.add, 1, Int64(2), Int64(3)),
        (numbers.add, INT32_MAX, 1, Int64(INT32_MAX + 1)),
        (numbers.add, 1, 2.5, 3.5),
        (numbers.add, Int64(INT64_MAX), 1, float(INT64_MAX + 1)),
        (numbers.add, 1, Decimal128("0.1"), Decimal128("1.1")),
        (numbers.subtract, INT32_MIN, 1, Int64(INT32_MIN - 1)),
        (numbers.subtract, 5, 5.0, 0.0),
        (numbers.multiply, 1 << 20, 1 << 20, Int64(1 << 40)),
        (numbers.multiply, 2, -0.5, -1.0),
        (numbers.multiply, Decimal128("2"), Decimal128("3"), Decimal128("6")),
        (numbers.divide, 6, 3, 2.0),
        (numbers.divide, 1, Decimal128("4"), Decimal128("0.25")),
        (numbers.mod, 7, 3, 1),
        (numbers.mod, -7, 3, -1),
        (numbers.mod, 7, -3, 1),
        (numbers.mod, Int64(7), 3, Int64(1)),
        (numbers.mod, 7.5, 2, 1.5),
        (numbers.mod, 7, 3.0, 1),
        (numbers.mod, 7, 2.5, 2.0),
        (numbers.mod, math.inf, 2, math.nan),
        (numbers.mod, Decimal128("7.5"), 2, Decimal128("1.5")),
    ],
)
def test_arithmetic_promotes_as_the_manual_says(operation: Any, a: Any, b: Any, expected: Any) -> None:
    assert same(operation(a, b), expected)


@pytest.mark.parametrize("operation", [numbers.add, numbers.multiply])
def test_overflow_of_a_long_is_an_error_where_the_caller_says_so(operation: Any) -> None:
    with pytest.raises(NumericOverflowError):
        operation(Int64(INT64_MAX), 2, on_overflow="error")


@pytest.mark.parametrize("zero", [0, 0.0, Int64(0), Decimal128("0E+3")])
def test_division_by_zero_is_refused(zero: Any) -> None:
    for operation, code in ((numbers.divide, 16608), (numbers.mod, 16610)):
        with pytest.raises(CommandError) as refusal:
            operation(1, zero)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("value", "negated", "magnitude"),
    [
        (5, -5, 5),
        (-5, 5, 5),
        (INT32_MIN, Int64(-INT32_MIN), Int64(-INT32_MIN)),
        (Int64(INT64_MIN), float(-INT64_MIN), float(-INT64_MIN)),
        (-2.5, 2.5, 2.5),
        (Decimal128("-1.5"), Decimal128("1.5"), Decimal128("1.5")),
    ],
)
def test_sign_changes_keep_the_type_while_they_can(value: Any, negated: Any, magnitude: Any) -> None:
    assert same(numbers.negate(value), negated)
    assert same(numbers.absolute(value), magnitude)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (Int64(5), 5),
        (5.0, 5),
        (Decimal128("5.0"), 5),
        (5.5, None),
        (1e300, None),
        (math.inf, None),
        (math.nan, None),
        (Decimal128("NaN"), None),
        (Decimal128("1E+30"), None),
        (Decimal128("0.5"), None),
        (True, None),
        ("5", None),
    ],
)
def test_whole_numbers_of_any_type_are_integers(value: Any, expected: int | None) -> None:
    assert numbers.to_int64_exact(value) == expected
    assert numbers.as_index(value) == expected


def test_an_index_has_thirty_two_bits() -> None:
    assert numbers.as_index(INT32_MAX + 1) is None
    assert numbers.to_int64_exact(float(INT32_MAX + 1)) == INT32_MAX + 1


def test_only_the_four_types_are_numbers() -> None:
    assert all(map(numbers.is_number, (1, Int64(1), 1.0, Decimal128("1"))))
    assert not any(map(numbers.is_number, (True, None, "1", [1])))
    assert numbers.is_integer(Int64(1))
    assert not numbers.is_integer(True)
    assert numbers.is_nan(Decimal128("NaN"))
    assert numbers.is_nan(math.nan)
    assert not numbers.is_nan(1)


def test_a_double_becomes_a_decimal_of_fifteen_digits() -> None:
    assert numbers.to_decimal(2.5) == Decimal128("2.50000000000000")
    assert numbers.to_decimal(0.1) == Decimal128("0.100000000000000")
    assert numbers.to_decimal(-math.inf) == Decimal128("-Infinity")


def test_integers_beyond_sixty_four_bits_are_refused() -> None:
    assert type(numbers.normalize(1)) is int
    assert type(numbers.normalize(1 << 31)) is Int64
    with pytest.raises(NumericOverflowError):
        numbers.normalize(1 << 63)


@given(st.one_of(int32, int64), st.one_of(int32, int64))
def test_integer_arithmetic_is_exact_until_it_leaves_sixty_four_bits(a: int, b: int) -> None:
    for operation, exact in ((numbers.add, a + b), (numbers.subtract, a - b), (numbers.multiply, a * b)):
        found = operation(a, b)
        if INT64_MIN <= exact <= INT64_MAX:
            assert found == exact
            assert (type(found) is int) == (type(a) is int and type(b) is int and INT32_MIN <= exact <= INT32_MAX)
        else:
            assert same(found, float(exact))
