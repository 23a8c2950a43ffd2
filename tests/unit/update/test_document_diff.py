from datetime import datetime
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.update.binary_equality import binary_equal
from skerry.update.document_diff import apply_description, update_description


@pytest.mark.parametrize(
    ("old", "new", "updated", "removed", "truncated"),
    [
        ({"a": 1}, {"a": 2}, {"a": 2}, [], []),
        ({"a": 1}, {"a": 1.0}, {"a": 1.0}, [], []),
        ({"a": 1}, {"a": 1, "b": 2}, {"b": 2}, [], []),
        ({"a": 1, "b": 2}, {"b": 2}, {}, ["a"], []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}}, {"a.b": 3}, [], []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, {}, ["a.b"], []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, {"a": {"c": 2, "b": 1}}, [], []),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {}}, [], []),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}, [], []),
        ({"a": [1, 2, 3, 4]}, {"a": [1, 9, 3, 4]}, {"a.1": 9}, [], []),
        ({"a": [1, 2, 3]}, {"a": [1, 2, 3, 4]}, {"a.3": 4}, [], []),
        ({"a": [1, 2, 3]}, {"a": [1, 2]}, {}, [], [{"field": "a", "newSize": 2}]),
        ({"a": [1, 2, 3]}, {"a": []}, {"a": []}, [], []),
        ({"a": [1, 2, 3]}, {"a": [2, 3]}, {"a": [2, 3]}, [], []),
        ({"a": [{"b": 1}, 2]}, {"a": [{"b": 5}, 2]}, {"a.0.b": 5}, [], []),
        ({"a": {"b.c": 1}}, {"a": {"b.c": 2}}, {"a": {"b.c": 2}}, [], []),
        ({"a": {"b.c": 1, "d": 1}}, {"a": {"d": 1}}, {"a": {"d": 1}}, [], []),
        ({"_id": 1, "a": 1}, {"_id": 1, "a": 1}, {}, [], []),
    ],
)
def test_description_has_the_servers_form(
    old: dict[str, Any], new: dict[str, Any], updated: Any, removed: Any, truncated: Any
) -> None:
    description = update_description(old, new)
    assert description == {"updatedFields": updated, "removedFields": removed, "truncatedArrays": truncated}
    assert binary_equal(apply_description(old, description), new)


def test_top_level_names_with_dots_are_disambiguated() -> None:
    old = {"a.b": 1, "a": {"b": 1, "c": 1}, "x.y": 0}
    new = {"a.b": 2, "a": {"b": 2, "c": 1}}
    description = update_description(old, new)
    assert description["updatedFields"] == {"a.b": 2, "a": {"b": 2, "c": 1}}
    assert description["disambiguatedPaths"] == {"x.y": ["x.y"], "a.b": ["a.b"]}
    assert binary_equal(apply_description(old, description), new)


def test_moved_top_level_fields_are_described_as_set() -> None:
    old, new = {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3, "b": 2}
    description = update_description(old, new)
    assert description["updatedFields"] == {"c": 3, "b": 2}
    assert apply_description(old, description) == new


def test_applying_leaves_the_old_version_alone() -> None:
    old = {"a": {"b": [1, 2, 3]}, "c": 1}
    new = apply_description(old, update_description(old, {"a": {"b": [1, 5]}}))
    assert new == {"a": {"b": [1, 5]}}
    assert old == {"a": {"b": [1, 2, 3]}, "c": 1}


NAMES = st.sampled_from(["a", "b", "c", "0", "1", "a.b", "", "$x"])
LEAVES = st.one_of(
    st.none(),
    st.integers(0, 2),
    st.integers(0, 2).map(Int64),
    st.sampled_from([0.0, -0.0, 1.0, float("nan"), "x", True, Decimal128("1.0"), datetime(2024, 1, 1), b"x"]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)


def sorted_top(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in sorted(document)}


@given(old=DOCUMENTS, new=DOCUMENTS)
def test_applying_the_description_gives_the_new_version(old: dict[str, Any], new: dict[str, Any]) -> None:
    applied = apply_description(old, update_description(old, new))
    assert binary_equal(sorted_top(applied), sorted_top(new))
    kept = [name for name in old if name in new]
    if list(new)[: len(kept)] == kept:
        assert list(applied) == list(new)


@given(inner=VALUES, changed=VALUES, place=st.sampled_from(["x", "y"]))
def test_small_changes_deep_inside_survive(inner: Any, changed: Any, place: str) -> None:
    old = {"_id": 1, "x": {"x": inner, "list": [inner, {"y": inner}, 3, 4]}, "y": [inner]}
    new = {"_id": 1, "x": {place: changed, "list": [inner, {"y": changed}, 3, 4]}, "y": [inner, changed]}
    assert binary_equal(apply_description(old, update_description(old, new)), new)


def test_numeric_names_are_told_from_positions() -> None:
    description = update_description({"a": {"1": 1}}, {"a": {"1": 2}})
    assert description["updatedFields"] == {"a.1": 2}
    assert description["disambiguatedPaths"] == {"a.1": ["a", "1"]}
    old, new = {"a": [{"1": 1}, 2, 3]}, {"a": [{"1": 5}, 2, 3]}
    assert update_description(old, new)["disambiguatedPaths"] == {"a.0.1": ["a", 0, "1"]}
    assert "disambiguatedPaths" not in update_description({"a": [1, 2, 3]}, {"a": [1, 2, 4]})


def test_a_position_behind_the_end_is_reached_through_nulls() -> None:
    """A server describes a write to `a.4` of two elements as that write alone."""
    assert apply_description({"a": [1, 2]}, {"updatedFields": {"a.4": 5}}) == {"a": [1, 2, None, None, 5]}
