"""Key strings order as MongoDB compares; the judge here is a second, slow comparison written from the manual."""

import datetime
import functools
import math
from decimal import Decimal
from typing import Any

import pytest
from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from skerry.values.compare import ValueKey, compare, equal
from skerry.values.key_string import (
    HIGHEST,
    LOWEST,
    encode,
    encode_compound,
    invert,
    string_prefix,
    successor,
    type_bracket,
)
from skerry.values.missing import MISSING
from skerry.values.type_order import canonical_rank

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
NEAR_DOUBLES = st.builds(
    lambda base, step: max(-(1 << 63), min((1 << 63) - 1, base + step)),
    st.sampled_from([sign << bits for bits in (31, 32, 52, 53, 54, 62, 63) for sign in (1, -1)]),
    st.integers(-2, 2),
)


def _decimal(sign: int, digits: int, exponent: int) -> Decimal128:
    return Decimal128(Decimal((sign, tuple(map(int, str(digits))), exponent)))


DECIMALS = st.one_of(
    st.builds(_decimal, st.integers(0, 1), st.integers(0, 10**34 - 1), st.integers(-6176, 6111)),
    st.builds(_decimal, st.integers(0, 1), st.integers(0, 999), st.integers(-3, 3)),
    st.sampled_from([Decimal128(text) for text in ("NaN", "Infinity", "-Infinity", "-0", "0.1", "1E-400", "-1E+400")]),
)
NUMBERS = st.one_of(
    st.integers(-5, 5),
    NEAR_DOUBLES.map(Int64),
    INT64.map(Int64),
    st.floats(),
    NEAR_DOUBLES.map(float),
    DECIMALS,
    NEAR_DOUBLES.map(lambda number: Decimal128(str(number))),
)
TEXT = st.text(st.sampled_from("\x00\x01\x02abé￿\U0001f600"), max_size=4)
SCALARS = st.one_of(
    NUMBERS,
    TEXT,
    st.sampled_from([None, True, False, MinKey(), MaxKey()]),
    st.binary(max_size=3),
    st.builds(Binary, st.binary(max_size=3), st.sampled_from([0, 2, 4, 128])),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.datetimes().map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)),
    st.integers(-(1 << 62), 1 << 62).map(DatetimeMS),
    st.builds(Timestamp, st.integers(0, (1 << 32) - 1), st.integers(0, 3)),
    st.builds(Regex, st.sampled_from(["a", "ab", ""]), st.sampled_from(["", "i", "im"])),
    TEXT.map(Code),
    TEXT.map(lambda text: Code(text, {"x": 1})),
)
NAMES = st.text(st.sampled_from("ab\x01"), max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(NAMES, children, max_size=3)),
    max_leaves=5,
)


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def three_way(a: Any, b: Any) -> int:
    return bool(a > b) - bool(a < b)


def reference_compare(a: Any, b: Any) -> int:
    """Compare as the manual says, without any bytes of keys."""
    ranks = canonical_rank(a), canonical_rank(b)
    if ranks[0] != ranks[1]:
        return three_way(*ranks)
    if isinstance(a, dict):
        pairs = zip(a.items(), b.items(), strict=False)
        for (name, value), (other_name, other) in pairs:
            order = (
                three_way(canonical_rank(value), canonical_rank(other))
                or three_way(name, other_name)
                or reference_compare(value, other)
            )
            if order:
                return order
        return three_way(len(a), len(b))
    if isinstance(a, list):
        for value, other in zip(a, b, strict=False):
            if order := reference_compare(value, other):
                return order
        return three_way(len(a), len(b))
    if isinstance(a, Code) and a.scope is not None:
        return three_way(str(a), str(b)) or reference_compare(dict(a.scope), dict(b.scope or {}))
    return three_way(_sortable(a), _sortable(b))


def _sortable(value: Any) -> Any:
    match value:
        case None | MinKey() | MaxKey():
            return 0
        case bool():
            return value
        case int() | float() | Decimal128():
            number = value.to_decimal() if isinstance(value, Decimal128) else Decimal(value)
            return (0, Decimal(0)) if number.is_nan() else (1, number)
        case bytes():
            return (len(value), getattr(value, "subtype", 0), bytes(value))
        case ObjectId():
            return value.binary
        case datetime.datetime():
            return (value - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)
        case DatetimeMS():
            return int(value)
        case Timestamp():
            return (value.time, value.inc)
        case Regex():
            return (value.pattern, "".join(c for c, flag in (("i", 2), ("m", 8)) if value.flags & flag))
        case _:
            return str(value)


@given(VALUES, VALUES)
def test_keys_order_as_values_compare(a: Any, b: Any) -> None:
    expected = reference_compare(a, b)
    assert three_way(encode(a), encode(b)) == expected
    assert sign(compare(a, b)) == expected
    assert equal(a, b) == (expected == 0)
    assert (ValueKey(a) == ValueKey(b)) == (expected == 0)


@given(NUMBERS, NUMBERS)
def test_numbers_of_all_types_order_by_exact_value(a: Any, b: Any) -> None:
    assert three_way(encode(a), encode(b)) == reference_compare(a, b) == compare(a, b)


@given(VALUES)
def test_a_value_and_its_equal_have_the_same_key(value: Any) -> None:
    assert compare(value, value) == 0
    assert encode(value) == encode(value)


@given(VALUES, VALUES)
def test_no_key_is_a_prefix_of_another(a: Any, b: Any) -> None:
    left, right = encode(a), encode(b)
    assert left == right or not left.startswith(right)


@given(st.lists(st.tuples(VALUES, VALUES, st.sampled_from([1, -1])), min_size=1, max_size=3))
def test_compound_keys_order_field_by_field_in_their_directions(fields: list[tuple[Any, Any, int]]) -> None:
    lefts, rights, directions = zip(*fields, strict=True)
    expected = next((order * d for a, b, d in fields if (order := reference_compare(a, b))), 0)
    assert three_way(encode_compound(lefts, directions), encode_compound(rights, directions)) == expected


@given(VALUES)
def test_every_key_lies_between_the_lowest_and_the_highest_bound_also_inverted(value: Any) -> None:
    assert LOWEST < encode(value) < HIGHEST
    assert LOWEST < invert(encode(value)) < HIGHEST
    assert invert(invert(encode(value))) == encode(value)


@given(VALUES, VALUES)
def test_the_bracket_of_a_value_holds_what_compares_with_it(a: Any, b: Any) -> None:
    lower, upper = type_bracket(a)
    assert (lower <= encode(b) < upper) == (canonical_rank(a) == canonical_rank(b))


@given(TEXT, TEXT)
def test_a_string_prefix_holds_the_strings_that_start_with_it(prefix: str, text: str) -> None:
    start = string_prefix(prefix)
    assert (start <= encode(text) < successor(start)) == text.startswith(prefix)


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_the_successor_is_above_everything_with_the_prefix_and_nothing_less(prefix: bytes, other: bytes) -> None:
    bound = successor(prefix)
    if prefix.strip(b"\xff"):
        assert prefix < bound
        assert prefix + other < bound
        assert other.startswith(prefix) or not prefix <= other < bound


@pytest.mark.parametrize(
    "group",
    [
        [1, 1.0, Int64(1), Decimal128("1"), Decimal128("1.000")],
        [0, -0.0, 0.0, Int64(0), Decimal128("0"), Decimal128("-0E+3")],
        [float("nan"), Decimal128("NaN"), -float("nan")],
        [math.inf, Decimal128("Infinity")],
        [0.1, Decimal128("0.1000000000000000055511151231257827")][:1],
        [b"ab", Binary(b"ab", 0)],
        [datetime.datetime(2020, 1, 1), DatetimeMS(1577836800000)],
    ],
)
def test_equal_values_of_different_types_have_one_key(group: list[Any]) -> None:
    assert len({encode(value) for value in group}) == 1


def test_the_order_of_types_is_the_manuals() -> None:
    ordered = [
        MinKey(), MISSING, None, float("nan"), -math.inf, 0, Decimal128("1E+6000"), math.inf, "", "z", {}, {"a": 1}, [],
        [1], b"", ObjectId("0" * 24), False, True, datetime.datetime(1969, 1, 1), Timestamp(0, 1), Regex("a"),
        Code("a"), Code("a", {}), MaxKey(),
    ]  # fmt: skip
    assert sorted(ordered, key=encode) == ordered
    assert sorted(ordered, key=functools.cmp_to_key(compare)) == ordered


def test_a_time_zone_counts() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert encode(datetime.datetime(2020, 1, 1, 2, tzinfo=zone)) == encode(datetime.datetime(2020, 1, 1))


def test_a_class_without_bson_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set is not a BSON type"):
        encode({1})
