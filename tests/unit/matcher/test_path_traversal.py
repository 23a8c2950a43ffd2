from typing import Any

import pytest

from skerry.matcher.compile import compile_filter
from skerry.matcher.path_traversal import positions
from skerry.values.missing import MISSING


@pytest.mark.parametrize(
    ("filter", "document", "expected"),
    [
        ({"a.b": 1}, {"a": {"b": 1}}, True),
        ({"a.b": 1}, {"a": {"b": [0, 1]}}, True),
        ({"a.b": 1}, {"a": [{"b": 0}, {"b": 1}]}, True),
        ({"a.b": 1}, {"a": [{"b": [1]}]}, True),
        ({"a.b": 1}, {"a": [[{"b": 1}]]}, False),
        ({"a.b": 1}, {"a.b": 1}, False),
        ({"a.b.c": 1}, {"a": [{"b": [{"c": 1}]}]}, True),
        ({"a.0": 1}, {"a": [1, 2]}, True),
        ({"a.0": 2}, {"a": [1, 2]}, False),
        ({"a.0": 1}, {"a": {"0": 1}}, True),
        ({"a.0": 1}, {"a": [{"0": 1}]}, True),
        ({"a.0": 1}, {"a": [[1, 2]]}, False),
        ({"a.0": [1, 2]}, {"a": [[1, 2]]}, True),
        ({"a.0.0": 1}, {"a": [[1, 2]]}, True),
        ({"a.00": 1}, {"a": [1]}, False),
        ({"a.1.b": 2}, {"a": [{"b": 1}, {"b": 2}]}, True),
        ({"a.1.b": 1}, {"a": [{"b": 1}, {"b": 2}]}, False),
        ({"a.b.1": 5}, {"a": [{"b": [4, 5]}]}, True),
        ({"a.b": None}, {"a": {}}, True),
        ({"a.b": None}, {}, True),
        ({"a.b": None}, {"a": 5}, True),
        ({"a.b": None}, {"a": None}, True),
        ({"a.b": None}, {"a": []}, False),
        ({"a.b": None}, {"a": [1, "x"]}, False),
        ({"a.b": None}, {"a": [{"b": 1}]}, False),
        ({"a.b": None}, {"a": [{"b": 1}, {}]}, True),
        ({"a.b": None}, {"a": [{"b": []}]}, False),
        ({"a.b.c": None}, {"a": [{"b": 5}]}, True),
        ({"a.3": None}, {"a": [1]}, False),
        ({"a.b": {"$exists": False}}, {"a": []}, True),
        ({"a.b": {"$exists": False}}, {"a": [{"b": 1}, {}]}, False),
        ({"a.b": {"$exists": True}}, {"a": [{}, {"b": None}]}, True),
        ({"a.0": {"$exists": True}}, {"a": []}, False),
        ({"a.0": {"$exists": True}}, {"a": [None]}, True),
        ({"a.b": {"$ne": 1}}, {"a": [{"b": 1}, {"b": 2}]}, False),
        ({"a.b": {"$ne": 3}}, {"a": [{"b": 1}, {"b": 2}]}, True),
        ({"a.b": {"$size": 2}}, {"a": [{"b": [1, 2]}]}, True),
        ({"": 1}, {"": 1}, True),
        ({"a.": 1}, {"a": {"": 1}}, True),
    ],
)
def test_path_reaches_what_the_server_reaches(filter: dict[str, Any], document: dict[str, Any], expected: bool) -> None:
    assert compile_filter(filter).matches(document) is expected


def test_positions_yield_the_offset_in_the_outermost_array() -> None:
    document = {"a": [{"b": [7, 8]}, 1, {"b": 9}]}
    assert list(positions(document, "a.b", expand=True)) == [(7, 0), (8, 0), ([7, 8], 0), (9, 2)]
    assert list(positions({"a": 1}, "a.b", expand=True)) == [(MISSING, None)]
    assert list(positions({"a": [1, 2]}, "a", expand=True)) == [(1, 0), (2, 1), ([1, 2], None)]
    assert list(positions({"a": [[5], 6]}, "a.0", expand=True)) == [([5], 0)]
