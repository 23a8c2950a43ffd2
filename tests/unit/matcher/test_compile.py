from typing import Any

import pytest
from bson.regex import Regex
from hypothesis import given
from hypothesis import strategies as st

from skerry.matcher.compile import compile_filter, compile_value_predicate


@pytest.mark.parametrize(
    ("filter", "document", "position"),
    [
        ({"a": 5}, {"a": [4, 5]}, 1),
        ({"a": {"$gt": 4}}, {"a": [4, 5, 6]}, 1),
        ({"a": {"$in": [6]}}, {"a": [4, 5, 6]}, 2),
        ({"a": 5}, {"a": 5}, None),
        ({"a.b": 2}, {"a": [{"b": 1}, {"b": 2}]}, 1),
        ({"a.b": 2}, {"a": {"b": [1, 2]}}, 1),
        ({"a": {"$elemMatch": {"b": 2, "c": 1}}}, {"a": [{"b": 2}, {"b": 2, "c": 1}]}, 1),
        ({"a": {"$elemMatch": {"$gt": 4, "$lt": 6}}}, {"a": [1, 7, 5]}, 2),
        ({"a.b": {"$elemMatch": {"$gt": 1}}}, {"a": [{"b": [0]}, {"b": [0, 2]}]}, 1),
        ({"a": 5, "b": 1}, {"a": [5], "b": [0, 1]}, 1),
        ({"a": 5, "c": 1}, {"a": [0, 5], "c": 1}, 1),
        ({"$or": [{"a": 9}, {"a": 5}]}, {"a": [4, 5]}, 1),
        ({"$or": [{"c": 1}, {"a": 5}]}, {"a": [4, 5], "c": 1}, None),
        ({"a": {"$ne": 9}}, {"a": [4, 5]}, None),
        ({"a": Regex("^x")}, {"a": ["y", "xy"]}, 1),
        ({"a": {"$all": [4, 6]}}, {"a": [4, 5, 6]}, 2),
        ({"a": {"$size": 2}}, {"a": [4, 5]}, None),
        ({"a": {"$exists": True}}, {"a": [4, 5]}, None),
        ({"a": 7}, {"a": [4, 5]}, None),
        ({}, {"a": [1]}, None),
        ({"$or": [{"a": 8}, {"a": 9}], "a": {"$gt": 0}}, {"a": [1]}, None),
        ({"$or": [{"a": 8}, {"b": 9}]}, {"a": [1]}, None),
        ({"a": {"$elemMatch": {"b": 2}}}, {"a": [{"b": 1}]}, None),
        ({"a": {"$elemMatch": {"b": 2}}}, {"a": 5}, None),
        ({"a": {"$elemMatch": {"0": 2}}}, {"a": [[1], [2]]}, 1),
        ({"a.1": 2}, {"a": [1, 2]}, 1),
        ({"a.1.b": 2}, {"a": [1, {"b": 2}]}, None),
        ({"a.0.1": 2}, {"a": [[1, 2]]}, 1),
    ],
)
def test_array_position_is_that_of_the_last_array_predicate(
    filter: dict[str, Any], document: dict[str, Any], position: int | None
) -> None:
    assert compile_filter(filter).array_position(document) == position


@pytest.mark.parametrize(
    ("specification", "value", "expected"),
    [
        (5, 5.0, True),
        (5, [5], False),
        (None, None, True),
        ([1, 2], [1, 2], True),
        ([1, 2], [2, 1], False),
        ({"$gte": 6}, 7, True),
        ({"$in": [1, 2]}, 2, True),
        ({"$in": [1]}, [1], True),
        ({"$elemMatch": {"$gt": 1}}, [2], True),
        ({"b": 1}, {"c": 2, "b": 1}, True),
        ({"b": {"$gt": 1}}, {"b": 2}, True),
        ({"b": 1}, 1, False),
        ({"$or": [{"b": 1}, {"b": 2}]}, {"b": 2}, True),
        ({}, {"x": 1}, True),
        ({}, 1, False),
        (Regex("^a"), "ab", True),
        ({"$not": {"$gt": 1}}, "x", True),
    ],
)
def test_value_predicate_asks_the_element_itself(specification: Any, value: Any, expected: bool) -> None:
    assert compile_value_predicate(specification)(value) is expected


def test_only_the_empty_filter_matches_all() -> None:
    assert compile_filter({}).matches_all
    assert compile_filter({"$comment": "x"}).matches_all
    assert not compile_filter({"a": 1}).matches_all


NAMES = st.sampled_from("ab")
LEAVES = st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["x", "y"]))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2), max_leaves=5
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=2)
PATHS = st.sampled_from(["a", "b", "a.b", "a.0", "a.b.a", "a.a.b"])


def reached(value: Any, parts: list[str]) -> list[tuple[Any, bool]]:
    """Every value at the path by the manual's words, and whether it may be expanded; None stands for missing."""
    if not parts:
        return [(value, True)]
    if isinstance(value, dict):
        return reached(value[parts[0]], parts[1:]) if parts[0] in value else [(None, False)]
    if isinstance(value, list):
        found = [each for element in value if isinstance(element, dict) for each in reached(element, parts)]
        if parts[0].isdigit() and int(parts[0]) < len(value):
            element = value[int(parts[0])]
            if len(parts) == 1:
                found.append((element, False))
            elif isinstance(element, dict | list):
                found += reached(element, parts[1:])
        return found
    return [(None, False)]


@given(document=DOCUMENTS, path=PATHS, operand=LEAVES)
def test_equality_on_a_path_agrees_with_the_definition(document: dict[str, Any], path: str, operand: Any) -> None:
    candidates: list[Any] = []
    for value, expands in reached(document, path.split(".")):
        candidates += [value, *(value if expands and isinstance(value, list) else [])]
    expected = any(type(each) is type(operand) and each == operand for each in candidates)
    assert compile_filter({path: operand}).matches(document) is expected
    assert compile_filter({path: {"$ne": operand}}).matches(document) is not expected
    assert compile_filter({"$or": [{path: operand}, {path: "zz"}]}).matches(document) is expected
    if expected is False:
        assert compile_filter({path: operand}).array_position(document) is None
