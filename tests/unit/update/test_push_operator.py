from collections.abc import Callable
from typing import Any

import pytest

from skerry.errors import BadValueError

Update = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("array", "operand", "expected"),
    [
        ([1], 2, [1, 2]),
        ([1], [2, 3], [1, [2, 3]]),
        ([1], {"x": 1}, [1, {"x": 1}]),
        ([1], {"$slice": 1}, [1, {"$slice": 1}]),
        ([1], {"$each": [2, 3]}, [1, 2, 3]),
        ([1], {"$each": [2, 3], "$position": 0}, [2, 3, 1]),
        ([1, 2], {"$each": [9], "$position": -1}, [1, 9, 2]),
        ([1, 2], {"$each": [9], "$position": 50}, [1, 2, 9]),
        ([1, 2], {"$each": [9], "$position": -50}, [9, 1, 2]),
        ([1, 2], {"$each": [3], "$slice": 2}, [1, 2]),
        ([1, 2], {"$each": [3], "$slice": -2}, [2, 3]),
        ([1, 2], {"$each": [3], "$slice": 0}, []),
        ([1, 2], {"$each": [3], "$slice": -9}, [1, 2, 3]),
        ([1, 2], {"$each": [], "$slice": 1.0}, [1]),
        ([3, 1], {"$each": [2], "$sort": 1}, [1, 2, 3]),
        ([3, "a"], {"$each": [None], "$sort": -1}, ["a", 3, None]),
        ([{"x": 2}, {"x": 1}], {"$each": [{"x": 3}], "$sort": {"x": -1}}, [{"x": 3}, {"x": 2}, {"x": 1}]),
        (
            [{"x": 1, "y": 1}, {"x": 0, "y": 9}, {"x": 1, "y": 0}],
            {"$each": [], "$sort": {"x": 1, "y": -1}},
            [{"x": 0, "y": 9}, {"x": 1, "y": 1}, {"x": 1, "y": 0}],
        ),
        (
            [{"o": {"x": 2}}, 5, {"o": {"x": 1}}],
            {"$each": [], "$sort": {"o.x": 1}},
            [5, {"o": {"x": 1}}, {"o": {"x": 2}}],
        ),
        ([[5, 2], [4, 1]], {"$each": [], "$sort": {"1": 1}}, [[4, 1], [5, 2]]),
        ([3, 1, 2], {"$each": [9], "$position": 0, "$sort": 1, "$slice": -2}, [3, 9]),
    ],
)
def test_push(update: Update, array: list[Any], operand: Any, expected: list[Any]) -> None:
    assert update({"a": array}, {"$push": {"a": operand}}) == {"a": expected}
    assert update({"o": {"a": array}}, {"$push": {"o.a": operand}}) == {"o": {"a": expected}}


def test_push_to_a_missing_field_makes_an_array(update: Update) -> None:
    assert update({}, {"$push": {"a": 1}}) == {"a": [1]}
    assert update({}, {"$push": {"a": {"$each": []}}}) == {"a": []}
    assert update({}, {"$push": {"a": {"$each": [2, 1], "$sort": 1}}}) == {"a": [1, 2]}


@pytest.mark.parametrize("operand", [{"$each": []}, {"$each": [], "$sort": 1}, {"$each": [], "$slice": -5}])
def test_push_that_changes_nothing_returns_the_document(update: Update, operand: dict[str, Any]) -> None:
    document = {"a": [1, 2]}
    assert update(document, {"$push": {"a": operand}}) is document


@pytest.mark.parametrize(
    "operand",
    [
        {"$each": 1},
        {"$each": [], "x": 1},
        {"$each": [], "$slice": "x"},
        {"$each": [], "$slice": 1.5},
        {"$each": [], "$position": "x"},
        {"$each": [], "$sort": 2},
        {"$each": [], "$sort": "x"},
        {"$each": [], "$sort": {}},
        {"$each": [], "$sort": {"": 1}},
        {"$each": [], "$sort": {"a..b": 1}},
        {"$each": [], "$sort": {"a": 2}},
    ],
)
def test_malformed_push_is_refused(update: Update, operand: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        update({"a": []}, {"$push": {"a": operand}})


def test_push_to_what_is_no_array_is_refused(update: Update) -> None:
    with pytest.raises(BadValueError) as caught:
        update({"_id": 1, "a": 5}, {"$push": {"a": 1}})
    assert caught.value.message == "The field 'a' must be an array but is of type int in document {_id: 1}"
