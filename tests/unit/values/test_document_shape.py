"""Shapes: names stay, values go, whatever they are."""

import datetime
import json
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.values.document_shape import DEPTH_MAX, FIELDS_MAX, shape_of


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({"item": "oar", "qty": {"$gt": 3}}, {"item": "?string", "qty": {"$gt": "?int"}}),
        ({"tags": {"$in": ["a", "b", "c"]}}, {"tags": {"$in": ["?string"]}}),
        ([{"$match": {"a": 1}}, {"$sort": {"a": -1}}], [{"$match": {"a": "?int"}}, {"$sort": {"a": -1}}]),
        (
            [{"$project": {"a": 1, "b": {"$add": ["$a", 777]}}}],
            [{"$project": {"a": 1, "b": {"$add": ["?string", "?int"]}}}],
        ),
        ({"sort": {"a": 1}, "hint": "a_1"}, {"sort": {"a": 1}, "hint": "?string"}),
        ({"filter": {"sort": 1}}, {"filter": {"sort": "?int"}}),
        (datetime.datetime(2020, 1, 1), "?date"),
        (bson.Int64(5), "?long"),
        (None, "?null"),
    ],
)
def test_values_become_their_types(value: Any, shape: Any) -> None:
    assert shape_of(value) == shape


def test_what_is_very_wide_or_deep_is_cut() -> None:
    wide = shape_of({str(number): number for number in range(FIELDS_MAX + 3)})
    assert (len(wide), wide["…"]) == (FIELDS_MAX + 1, "3 more fields")
    deep: Any = 1
    for _ in range(200):
        deep = {"a": deep}
    assert json.dumps(shape_of(deep)).count("a") == DEPTH_MAX


VALUES = st.recursive(
    st.sampled_from(["secret-text", 424242, 42.4242, b"secret-bytes", -424242]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "$set", "sort", "$sort"]), inner),
)


@given(VALUES)
def test_no_value_is_ever_shown(value: Any) -> None:
    shown = json.dumps(shape_of(value))
    assert "secret" not in shown
    assert "4242" not in shown
