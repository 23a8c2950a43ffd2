from typing import Any

import pytest
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.sync.protocol.three_way_diff import merge, same, with_ours
from skerry.values.missing import MISSING

Document = dict[str, Any]
VALUES = st.one_of(st.integers(0, 3), st.sampled_from(["x", "y"]), st.lists(st.integers(0, 2), max_size=2))
DOCUMENTS = st.dictionaries(
    st.sampled_from("abc"), st.one_of(VALUES, st.dictionaries(st.sampled_from("de"), VALUES, max_size=2)), max_size=3
)


@pytest.mark.parametrize(
    ("base", "local", "remote", "merged"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}),
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3}, {"a": 1, "c": 3, "b": 2}),
        ({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2}),
        ({"o": {"x": 1, "y": 1}}, {"o": {"x": 2, "y": 1}}, {"o": {"x": 1, "y": 2}}, {"o": {"x": 2, "y": 2}}),
        (None, {"o": {"x": 1}}, {"o": {"y": 1}}, {"o": {"y": 1, "x": 1}}),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}),
    ],
)
def test_changes_of_different_paths_are_both_kept(
    base: Document | None, local: Document, remote: Document, merged: Document
) -> None:
    for prefer_local in (True, False):
        found = merge(base, local, remote, prefer_local=lambda _, side=prefer_local: side)
        assert found.document == merged
        assert list(found.document) == list(merged)
        assert found.overlaps == ()


@pytest.mark.parametrize(
    ("base", "local", "remote", "overlaps"),
    [
        ({"a": 1}, {"a": 2}, {"a": 3}, ("a",)),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 3]}, ("a",)),
        ({"a": 1}, {}, {"a": 3}, ("a",)),
        ({"o": {"x": 1}}, {"o": {"x": 2}}, {"o": {"x": 3}}, ("o.x",)),
        ({"o": {"x": 1}}, {"o": 5}, {"o": {"x": 3}}, ("o",)),
        ({}, {"a": 1}, {"a": 1.0}, ("a",)),
    ],
)
def test_overlapping_paths_go_to_the_preferred_side(
    base: Document, local: Document, remote: Document, overlaps: tuple[str, ...]
) -> None:
    for prefer_local, wanted in ((True, local), (False, remote)):
        found = merge(base, local, remote, prefer_local=lambda _, side=prefer_local: side)
        assert found.overlaps == overlaps
        assert found.document == wanted


def test_values_are_the_same_only_with_the_same_type() -> None:
    assert same({"a": [1]}, {"a": [1]})
    assert not same(1, 1.0)
    assert not same(1, Int64(1))
    assert not same(1, True)
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert same(MISSING, MISSING)
    assert not same(MISSING, None)


@given(base=DOCUMENTS, local=DOCUMENTS)
def test_a_side_that_changed_nothing_gives_way(base: Document, local: Document) -> None:
    assert merge(base, local, base, prefer_local=lambda _: False).document == local
    assert merge(base, base, local, prefer_local=lambda _: True).document == local
    assert merge(base, local, base, prefer_local=lambda _: False).overlaps == ()


@given(base=DOCUMENTS, local=DOCUMENTS, remote=DOCUMENTS)
def test_both_sides_merge_to_the_same_values(base: Document, local: Document, remote: Document) -> None:
    here = merge(base, local, remote, prefer_local=lambda _: True)
    there = merge(base, remote, local, prefer_local=lambda _: False)
    assert here.document == there.document
    assert sorted(here.overlaps) == sorted(there.overlaps)


@pytest.mark.parametrize(
    ("base", "pushed", "remote", "expected"),
    [
        ({"a": 0, "b": 0}, {"a": 1, "b": 0}, {"a": 1, "b": 5}, {"a": 1, "b": 0}),
        ({"a": 0, "b": 0}, {"a": 1, "b": 0}, {"a": 2, "b": 0}, {"a": 0, "b": 0}),
        ({"a": 0, "b": 0}, {"b": 0}, {"b": 3}, {"b": 0}),
        ({"s": {"a": 0, "b": 0}}, {"s": {"a": 1, "b": 1}}, {"s": {"a": 1, "b": 2}}, {"s": {"a": 1, "b": 0}}),
        (None, {"_id": 1, "a": 1}, {"_id": 1, "a": 1, "b": 2}, {"_id": 1, "a": 1}),
        (None, {"_id": 1, "a": 1}, {"_id": 1, "a": 2}, None),
    ],
)
def test_what_is_left_of_our_own_version_on_the_hub_is_part_of_the_base(
    base: dict[str, Any] | None, pushed: dict[str, Any], remote: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert with_ours(base, pushed, remote) == expected
