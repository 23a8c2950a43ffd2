from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import CannotIndexParallelArraysError, CommandError
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.indexes.key_generator import compile_key_generator
from skerry.values.field_path import candidates, split
from skerry.values.key_string import UNDEFINED_KEY, encode, encode_compound
from skerry.values.missing import MISSING


def keys(key: dict[str, int], document: dict[str, Any], **options: Any) -> tuple[list[bytes], frozenset[str]]:
    return compile_key_generator(IndexDescriptor("i", tuple(key.items()), **options)).keys(document)


def single(*values: Any) -> list[bytes]:
    return [UNDEFINED_KEY if value is MISSING else encode(value) for value in values]


@pytest.mark.parametrize(
    ("path", "document", "values", "arrays"),
    [
        ("a", {"a": 5}, [5], []),
        ("a", {"a": None}, [None], []),
        ("a", {}, [None], []),
        ("a", {"a": {"b": 1}}, [{"b": 1}], []),
        ("a", {"a": [3, 1, 3, 2]}, [1, 2, 3], ["a"]),
        ("a", {"a": []}, [MISSING], ["a"]),
        ("a", {"a": [[1, 2], 3]}, [3, [1, 2]], ["a"]),
        ("a", {"a": [[]]}, [[]], ["a"]),
        ("a.b", {"a": {"b": 1}}, [1], []),
        ("a.b", {"a": 5}, [None], []),
        ("a.b", {"a": {}}, [None], []),
        ("a.b", {"a": [{"b": 1}, {"b": 2}]}, [1, 2], ["a"]),
        ("a.b", {"a": [{"b": 1}, {"c": 2}, 7]}, [None, 1], ["a"]),
        ("a.b", {"a": []}, [None], ["a"]),
        ("a.b", {"a": [{"b": [1, 2]}, {"b": []}]}, [MISSING, 1, 2], ["a", "a.b"]),
        ("a.b", {"a": {"b": [1]}}, [1], ["a.b"]),
        ("a.b", {"a": [[{"b": 1}]]}, [None], ["a"]),
        ("a.0", {"a": [5, 6]}, [5], ["a"]),
        ("a.1", {"a": [5]}, [None], ["a"]),
        ("a.0", {"a": {"0": 7}}, [7], []),
        ("a.0", {"a": [[1, 2]]}, [1, 2], ["a", "a.0"]),
        ("a.0.b", {"a": [{"b": 1}, {"b": 2}]}, [1], ["a"]),
        ("a.0.b", {"a": [7]}, [None], ["a"]),
    ],
)
def test_the_keys_of_one_path(path: str, document: dict[str, Any], values: list[Any], arrays: list[str]) -> None:
    assert keys({path: 1}, document) == (single(*values), frozenset(arrays))


def test_a_descending_field_has_the_keys_in_reverse() -> None:
    found, _ = keys({"a": -1}, {"a": [1, 2]})
    assert found == [encode_compound([2], [-1]), encode_compound([1], [-1])]
    assert keys({"a": -1}, {"a": 1})[0] == [encode_compound([1], [-1])]


def test_compound_keys_join_the_fields_in_their_directions() -> None:
    document = {"a": 1, "b": "x", "c": {"d": None}}
    assert keys({"a": 1, "b": -1}, document) == ([encode_compound([1, "x"], [1, -1])], frozenset())
    assert keys({"b": -1, "c.d": 1, "e": -1}, document)[0] == [encode_compound(["x", None, None], [-1, 1, -1])]


def test_paths_through_one_array_are_taken_from_the_same_element() -> None:
    document = {"a": [{"b": 1, "c": 2}, {"b": 3}], "x": 9}
    found, arrays = keys({"a.b": 1, "x": 1, "a.c": 1}, document)
    assert found == [encode_compound(row, [1, 1, 1]) for row in ([1, 9, 2], [3, 9, None])]
    assert arrays == {"a"}


def test_an_array_and_a_field_of_its_elements_may_be_indexed_together() -> None:
    found, _ = keys({"a": 1, "a.b": 1}, {"a": [{"b": 1}, 5]})
    assert found == [encode_compound(row, [1, 1]) for row in ([5, None], [{"b": 1}, 1])]


def test_parallel_arrays_are_refused() -> None:
    for document in ({"a": [1], "b": [2]}, {"a": [], "b": []}):
        with pytest.raises(CannotIndexParallelArraysError, match=r"\[b\] \[a\]"):
            keys({"a": 1, "b": 1}, document)
    with pytest.raises(CannotIndexParallelArraysError):
        keys({"a.b": 1, "a.c": 1}, {"a": [{"b": [1], "c": [2]}]})


def test_one_array_object_in_two_fields_is_still_two_arrays() -> None:
    shared = [1]
    with pytest.raises(CannotIndexParallelArraysError):
        keys({"a": 1, "b": 1}, {"a": shared, "b": shared})


def test_positions_of_one_array_are_not_parallel() -> None:
    assert keys({"a.0": 1, "a.1": 1}, {"a": [5, 6]})[0] == [encode_compound([5, 6], [1, 1])]


def test_a_number_that_is_both_position_and_field_is_refused() -> None:
    with pytest.raises(CommandError) as refusal:
        keys({"a.0": 1}, {"a": [{"0": 1}]})
    assert refusal.value.code == 16746


@pytest.mark.parametrize(
    ("key", "document", "count"),
    [
        ({"a": 1}, {}, 0),
        ({"a": 1}, {"a": None}, 1),
        ({"a": 1}, {"a": []}, 1),
        ({"a": 1, "b": 1}, {}, 0),
        ({"a": 1, "b": 1}, {"b": 1}, 1),
        ({"a.b": 1}, {"a": [{"b": 1}, {"c": 1}]}, 1),
        ({"a.b": 1}, {"a": [{"c": 1}]}, 0),
        ({"a.b": 1, "c": 1}, {"a": [{"b": 1}, {}], "c": 1}, 2),
    ],
)
def test_a_sparse_index_has_no_key_where_all_fields_are_missing(
    key: dict[str, int], document: dict[str, Any], count: int
) -> None:
    assert len(keys(key, document, sparse=True)[0]) == count


def test_a_partial_index_has_keys_of_matching_documents_only() -> None:
    filter = {"b": {"$gt": 1}}
    assert keys({"a": 1}, {"a": [1, 2], "b": 2}, partial_filter=filter)[0] == single(1, 2)
    assert keys({"a": 1}, {"a": [1, 2], "b": 1}, partial_filter=filter) == ([], frozenset())


scalars = st.sampled_from([None, 0, 1, "a", {}])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2),
    st.sampled_from(["a", "a.b", "a.b.a", "a.0", "a.1.b"]),
)
def test_every_value_that_the_matcher_reaches_has_a_key(document: dict[str, Any], path: str) -> None:
    found, arrays = keys({path: 1}, document)
    assert found
    assert found == sorted(set(found))
    for value in candidates(document, split(path)):
        elements = value if isinstance(value, list) else [value]
        if value is MISSING and any(part.isdigit() for part in split(path)):
            continue  # documents of an array never have the number as a field here, so the matcher misses it in each
        for element in elements:
            assert encode(None if element is MISSING else element) in found
        if isinstance(value, list):
            assert arrays
            assert value or UNDEFINED_KEY in found
