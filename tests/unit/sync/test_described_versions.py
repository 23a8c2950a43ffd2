from itertools import pairwise
from typing import Any

import pytest
from bson import encode as bson_encode
from bson.code import Code
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.sync.described_versions import version_after
from skerry.update.document_diff import update_description
from skerry.values import documents

NAMES = st.sampled_from(("a", "b", "c", "0", "1", "a.b"))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.integers(-3, 3).map(Int64), st.floats(width=16))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
CONTENTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(versions=st.lists(CONTENTS, min_size=2, max_size=4))
def test_it_is_the_version_or_none_but_for_the_place_of_fields_that_were_moved_and_changed(
    versions: list[dict[str, Any]],
) -> None:
    described = [documents.encode(update_description(old, new)) for old, new in pairwise(versions)]
    found = version_after(documents.encode(versions[0]), described)
    if found is not None:
        assert in_order(documents.decode(found)) == in_order(versions[-1])


def in_order(document: dict[str, Any]) -> bytes:
    """Return the exact content, whatever the order of the fields."""
    return documents.encode({name: document[name] for name in sorted(document)})


@pytest.mark.parametrize(
    ("old", "description", "new"),
    [
        ({"_id": 1, "a": 1}, {"updatedFields": {"a": 2}}, {"_id": 1, "a": 2}),
        ({"_id": 1, "a": {"b": [1, 2]}}, {"updatedFields": {"a.b.1": Int64(2)}}, {"_id": 1, "a": {"b": [1, Int64(2)]}}),
        ({"_id": 1, "a": [1, 2, 3]}, {"truncatedArrays": [{"field": "a", "newSize": 1}]}, {"_id": 1, "a": [1]}),
        ({"_id": 1, "a": 1, "b": 2}, {"updatedFields": {"c": 3}, "removedFields": ["a"]}, {"_id": 1, "b": 2, "c": 3}),
    ],
)
def test_updates_are_followed(old: dict[str, Any], description: dict[str, Any], new: dict[str, Any]) -> None:
    assert version_after(documents.encode(old), [documents.encode(description)]) == documents.encode(new)


@pytest.mark.parametrize(
    ("old", "description"),
    [
        ({"a": 1, "b": 2}, {"updatedFields": {"a": 1}}),  # it was moved behind b
        ({"a": {"b": 1, "c": 2}}, {"updatedFields": {"a.b": 1}}),
        ({"a.b": 1, "a": {"b": 1}}, {"updatedFields": {"a.b": 2}}),
        ({"x": [{"a.b": 1}]}, {"updatedFields": {"y": 2}}),
        ({"a": 1}, {"updatedFields": {"a.b": 2}}),
        ({"a": [1]}, {"updatedFields": {"a.b": 2}}),
        ({"a": 1}, {"removedFields": ["b.c"]}),
        ({"a": 1}, {"truncatedArrays": [{"field": "a", "newSize": 1}]}),
    ],
)
def test_a_description_that_does_not_tell_all_is_not_followed(old: dict[str, Any], description: dict[str, Any]) -> None:
    assert version_after(documents.encode(old), [documents.encode(description)]) is None


def test_an_event_without_a_description_cannot_be_followed() -> None:
    assert version_after(documents.encode({"a": 1}), [b""]) is None


def test_types_that_would_not_come_back_as_they_are_are_not_touched() -> None:
    symbol = b"\x10\x00\x00\x00\x0es\x00\x04\x00\x00\x00abc\x00\x00"
    assert documents.decode(symbol) == {"s": "abc"}
    assert version_after(symbol, [documents.encode({"updatedFields": {"a": 1}})]) is None
    scoped = bson_encode({"code": Code("f()", {"x": 1})})
    assert version_after(scoped, [documents.encode({"updatedFields": {"a": 1}})]) == bson_encode(
        {"code": Code("f()", {"x": 1}), "a": 1}
    )
