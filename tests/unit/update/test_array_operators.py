from collections.abc import Callable
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.regex import Regex

from skerry.errors import CommandError

Update = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("array", "specification", "expected"),
    [
        ([1], {"$addToSet": 2}, [1, 2]),
        ([1], {"$addToSet": [1]}, [1, [1]]),
        ([{"x": 1, "y": 2}], {"$addToSet": {"y": 2, "x": 1}}, [{"x": 1, "y": 2}, {"y": 2, "x": 1}]),
        ([1], {"$addToSet": {"$each": [3, 2, 3, 1.0]}}, [1, 3, 2]),
        ([1], {"$addToSet": True}, [1, True]),
        ([1, 2, 3], {"$pop": 1}, [1, 2]),
        ([1, 2, 3], {"$pop": -1.0}, [2, 3]),
        ([1, 2, 1], {"$pull": 1}, [2]),
        ([1, 5, 7], {"$pull": {"$gte": 5}}, [1]),
        ([1, 5, 7], {"$pull": {"$in": [1, 7]}}, [5]),
        ([[1, 2], [2, 1]], {"$pull": [1, 2]}, [[2, 1]]),
        ([{"x": 1, "y": 2}, {"x": 2}], {"$pull": {"x": 1}}, [{"x": 2}]),
        ([{"x": 1, "y": 2}, {"x": 2}], {"$pull": {"x": {"$gt": 1}}}, [{"x": 1, "y": 2}]),
        ([{"x": [1, 5]}, {"x": [1]}], {"$pull": {"x": {"$elemMatch": {"$gt": 4}}}}, [{"x": [1]}]),
        (["ab", "b"], {"$pull": Regex("^a")}, ["b"]),
        ([None, 1], {"$pull": None}, [1]),
        ([1, 2, 3, 2.0], {"$pullAll": [2, 3]}, [1]),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], {"$pullAll": [{"a": 1, "b": 2}]}, [{"b": 2, "a": 1}]),
        ([Decimal128("2")], {"$pullAll": [2]}, []),
    ],
)
def test_array_operator(update: Update, array: list[Any], specification: dict[str, Any], expected: list[Any]) -> None:
    ((name, operand),) = specification.items()
    assert update({"a": array}, {name: {"a": operand}}) == {"a": expected}


@pytest.mark.parametrize(
    ("document", "specification"),
    [
        ({"a": [1]}, {"$addToSet": {"a": 1.0}}),
        ({"a": [1]}, {"$addToSet": {"a": {"$each": []}}}),
        ({"a": [1, 2]}, {"$addToSet": {"a": {"$each": [2, 1]}}}),
        ({"a": [{"x": 1}]}, {"$addToSet": {"a": {"x": 1}}}),
        ({"a": [None]}, {"$addToSet": {"a": None}}),
        ({"a": []}, {"$pop": {"a": 1}}),
        ({}, {"$pop": {"a": 1}}),
        ({}, {"$pull": {"a.b": 1}}),
        ({"a": [1]}, {"$pull": {"a": 2}}),
        ({"a": [1]}, {"$pullAll": {"a": [2]}}),
        ({"a": {}}, {"$pullAll": {"a.b": [2]}}),
        ({"a": [[1]]}, {"$pop": {"a.3": 1}}),
    ],
)
def test_identical_document_is_returned_when_nothing_changes(
    update: Update, document: dict[str, Any], specification: dict[str, Any]
) -> None:
    assert update(document, specification) is document


def test_add_to_set_makes_an_array_of_distinct_values(update: Update) -> None:
    assert update({}, {"$addToSet": {"a": {"$each": [1, 1.0, 2]}}}) == {"a": [1, 2]}
    assert update({}, {"$addToSet": {"a": {"$each": []}}}) == {"a": []}


@pytest.mark.parametrize(
    ("document", "specification", "code"),
    [
        ({"a": 1}, {"$addToSet": {"a": 1}}, 2),
        ({"a": []}, {"$addToSet": {"a": {"$each": 1}}}, 2),
        ({"a": []}, {"$addToSet": {"a": {"$each": [], "$sort": 1}}}, 2),
        ({"a": 1}, {"$pop": {"a": 1}}, 14),
        ({"a": []}, {"$pop": {"a": 2}}, 9),
        ({"a": []}, {"$pop": {"a": "x"}}, 9),
        ({"a": []}, {"$pop": {"a": True}}, 9),
        ({"a": 1}, {"$pop": {"a.b": 1}}, 28),
        ({"a": 1}, {"$pull": {"a": 1}}, 2),
        ({"a": None}, {"$pull": {"a": 1}}, 2),
        ({"a": 1}, {"$pullAll": {"a": [1]}}, 2),
        ({"a": []}, {"$pullAll": {"a": 1}}, 2),
        ({"a": []}, {"$pull": {"a": {"$nosuch": 1}}}, 2),
    ],
)
def test_array_operator_refuses_what_it_cannot_change(
    update: Update, document: dict[str, Any], specification: dict[str, Any], code: int
) -> None:
    with pytest.raises(CommandError) as caught:
        update(document, specification)
    assert caught.value.code == code
