import random
from datetime import datetime
from itertools import pairwise

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from skerry.aggregation.stages.sort import compile_sort_key, sort_documents, sort_items
from skerry.errors import BadValueError, CommandError
from skerry.values.compare import compare


def ids(documents):
    return [document["_id"] for document in documents]


def test_types_stand_in_bson_order():
    ordered = [
        {"_id": 0, "a": []},
        {"_id": 1},
        {"_id": 2, "a": 1.5},
        {"_id": 3, "a": Decimal128("2")},
        {"_id": 4, "a": "x"},
        {"_id": 5, "a": {"b": 1}},
        {"_id": 6, "a": ObjectId()},
        {"_id": 7, "a": True},
        {"_id": 8, "a": datetime(2020, 1, 1)},
    ]
    shuffled = random.Random(3).sample(ordered, len(ordered))
    assert ids(sort_documents(shuffled, [("a", 1)])) == list(range(9))
    assert ids(sort_documents(shuffled, [("a", -1)])) == list(reversed(range(9)))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ([("a", 1)], [2, 1, 3]),  # least elements 1, 2, 4
        ([("a", -1)], [2, 1, 3]),  # greatest elements 9, 5, 4
    ],
)
def test_array_stands_for_its_least_or_greatest_element(pattern, expected):
    documents = [{"_id": 1, "a": [5, 2]}, {"_id": 2, "a": [1, 9]}, {"_id": 3, "a": 4}]
    assert ids(sort_documents(documents, pattern)) == expected


def test_paths_through_arrays_of_documents():
    documents = [{"_id": 1, "a": [{"b": 3}, {"b": [1, 7]}]}, {"_id": 2, "a": {"b": 2}}, {"_id": 3, "a": [{"c": 0}]}]
    assert ids(sort_documents(documents, [("a.b", 1)])) == [3, 1, 2]
    assert ids(sort_documents(documents, [("a.b", -1)])) == [1, 2, 3]


def test_number_in_a_path_is_a_position():
    documents = [{"_id": 1, "a": [{"b": 3}, {"b": 0}]}, {"_id": 2, "a": [{"b": 2}, {"b": 9}]}]
    assert ids(sort_documents(documents, [("a.0.b", 1)])) == [2, 1]
    assert ids(sort_documents(documents, [("a.1.b", 1)])) == [1, 2]


def test_compound_key_through_one_array_takes_both_values_from_one_element():
    documents = [
        {"_id": 1, "a": [{"x": 1, "y": 5}, {"x": 2, "y": 0}]},
        {"_id": 2, "a": [{"x": 1, "y": 3}]},
    ]
    assert ids(sort_documents(documents, [("a.x", 1), ("a.y", 1)])) == [2, 1]


def test_arrays_side_by_side_are_refused():
    with pytest.raises(BadValueError, match="parallel arrays"):
        sort_documents([{"a": [1], "b": [2]}], [("a", 1), ("b", 1)])


def test_sort_is_stable_in_both_directions():
    documents = [{"_id": number, "a": number % 2} for number in range(6)]
    assert ids(sort_documents(documents, [("a", 1)])) == [0, 2, 4, 1, 3, 5]
    assert ids(sort_documents(documents, [("a", -1)])) == [1, 3, 5, 0, 2, 4]


def test_nan_is_the_lowest_number():
    documents = [{"_id": 1, "a": 1.0}, {"_id": 2, "a": float("nan")}, {"_id": 3, "a": -5}]
    assert ids(sort_documents(documents, [("a", 1)])) == [2, 3, 1]


def test_limit_keeps_the_first_documents_of_a_long_input():
    values = random.Random(1).sample(range(20_000), 20_000)
    found = sort_documents(({"_id": value} for value in values), [("_id", 1)], limit=5)
    assert ids(found) == [0, 1, 2, 3, 4]


def test_items_are_sorted_by_their_documents():
    items = [("x", {"a": 2}), ("y", {"a": 1})]
    assert sort_items(items, [("a", 1)], lambda item: item[1]) == [items[1], items[0]]
    assert sort_items(items, [("a", 1)], lambda item: item[1], 1) == [items[1]]


def test_memory_limit_is_error_292():
    documents = [{"a": "x" * 1000} for _ in range(100)]
    with pytest.raises(CommandError) as caught:
        sort_documents(documents, [("a", 1)], memory_limit_bytes=50_000)
    assert caught.value.code == 292


def test_a_small_limit_needs_little_memory():
    documents = ({"_id": number, "a": "x" * 100} for number in range(30_000))
    assert len(sort_documents(documents, [("a", 1)], 3, memory_limit_bytes=1_000_000)) == 3


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 15973),
        ({}, 15976),
        ({"a": 2}, 15975),
        ({"a": "x"}, 15974),
        ({"a": {"$meta": "textScore"}}, 238),
        ({"": 1}, 40352),
    ],
)
def test_malformed_specifications(code_of, spec, code):
    assert code_of([{"$sort": spec}]) == code


def test_directions_may_be_any_number_type(run):
    documents = [{"_id": 1}, {"_id": 2}]
    for descending in (-1, -1.0, Int64(-1), Decimal128("-1")):
        assert ids(run([{"$sort": {"_id": descending}}], documents)) == [2, 1]


@pytest.mark.parametrize("following", [[{"$limit": 2}], [{"$skip": 1}, {"$limit": 1}]])
def test_sort_before_limit_gives_what_sort_and_slice_give(run, following):
    documents = [{"_id": number} for number in (3, 1, 2)]
    expected = [1, 2] if "$limit" in following[0] else [2]
    assert ids(run([{"$sort": {"_id": 1}}, *following], documents)) == expected


scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-3, 3), st.text("ab", max_size=2))
values = st.one_of(scalars, st.lists(scalars, max_size=2))


@given(st.lists(values, max_size=8), st.sampled_from([1, -1]))
def test_order_of_columns_agrees_with_sort_keys(drawn, direction):
    documents = [{"_id": number, "a": value} for number, value in enumerate(drawn)]
    by_key = sorted(documents, key=compile_sort_key([("a", direction)]))
    assert ids(sort_documents(documents, [("a", direction)])) == ids(by_key)


@given(st.lists(scalars, max_size=8))
def test_ascending_scalars_agree_with_compare(drawn):
    ordered = [document["a"] for document in sort_documents([{"a": value} for value in drawn], [("a", 1)])]
    assert all(compare(left, right) <= 0 for left, right in pairwise(ordered))
