from collections.abc import Callable
from typing import Any

import pytest

from skerry.errors import CommandError
from skerry.update.update_driver import compile_update

Update = Callable[..., dict[str, Any]]


def test_positional_operator_stands_for_the_matched_position(update: Update) -> None:
    assert update({"a": [1, 2, 3]}, {"$set": {"a.$": 9}}, array_position=1) == {"a": [1, 9, 3]}
    document = {"a": [{"b": 1}, {"b": 2}]}
    assert update(document, {"$inc": {"a.$.b": 5}}, array_position=1) == {"a": [{"b": 1}, {"b": 7}]}
    assert update(document, {"$unset": {"a.$": 1}}, array_position=0) == {"a": [None, {"b": 2}]}


def test_positional_operator_merges_with_a_literal_position(update: Update) -> None:
    specification = {"$set": {"a.$.x": 1, "a.0.y": 2}}
    assert update({"a": [{}, {}]}, specification, array_position=0) == {"a": [{"x": 1, "y": 2}, {}]}
    assert update({"a": [{}, {}]}, specification, array_position=1) == {"a": [{"y": 2}, {"x": 1}]}
    with pytest.raises(CommandError) as caught:
        update({"a": [1]}, {"$set": {"a.$": 1}, "$inc": {"a.0": 1}}, array_position=0)
    assert caught.value.code == 40


def test_positional_operator_without_a_match_is_refused(update: Update) -> None:
    with pytest.raises(CommandError, match="did not find the match needed"):
        update({"a": [1]}, {"$set": {"a.$": 9}})


def test_driver_tells_whether_it_needs_a_position() -> None:
    assert compile_update({"$set": {"a.$.b": 1}}).needs_position
    assert not compile_update({"$set": {"a.$[].b": 1}}).needs_position
    assert not compile_update({"$set": {"a.b": 1}}).needs_position


@pytest.mark.parametrize(
    ("document", "specification", "filters", "expected"),
    [
        ({"a": [1, 2]}, {"$inc": {"a.$[]": 10}}, [], {"a": [11, 12]}),
        ({"a": [{"b": [1]}, {"b": [2, 3]}]}, {"$mul": {"a.$[].b.$[]": 2}}, [], {"a": [{"b": [2]}, {"b": [4, 6]}]}),
        ({"a": [1, 5, 9]}, {"$set": {"a.$[e]": 0}}, [{"e": {"$gte": 5}}], {"a": [1, 0, 0]}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"$set": {"a.$[e].c": 3}}, [{"e.b": 2}], {"a": [{"b": 1}, {"b": 2, "c": 3}]}),
        (
            {"a": [{"b": 1, "c": 1}, {"b": 2, "c": 9}]},
            {"$set": {"a.$[e].d": 0}},
            [{"$or": [{"e.b": 2}, {"e.c": 5}]}],
            {"a": [{"b": 1, "c": 1}, {"b": 2, "c": 9, "d": 0}]},
        ),
        (
            {"a": [{"k": 1, "b": [1, 5]}, {"k": 2, "b": [5]}]},
            {"$inc": {"a.$[x].b.$[y]": 1}},
            [{"x.k": 1}, {"y": {"$gt": 4}}],
            {"a": [{"k": 1, "b": [1, 6]}, {"k": 2, "b": [5]}]},
        ),
        (
            {"a": [{"b": 1}, {"b": 2}]},
            {"$set": {"a.$[x].p": 1, "a.$[y].q": 1}},
            [{"x.b": 1}, {"y.b": {"$gt": 0}}],
            {"a": [{"b": 1, "p": 1, "q": 1}, {"b": 2, "q": 1}]},
        ),
        (
            {"a": [1, 2, 3]},
            {"$set": {"a.$[x]": 0, "a.$[y]": 9}},
            [{"x": 1}, {"y": 2}],
            {"a": [0, 9, 3]},
        ),
        ({"a": [1, 2]}, {"$unset": {"a.$[e]": 1}}, [{"e": 2}], {"a": [1, None]}),
        ({"a": [[1, 2]]}, {"$push": {"a.$[]": 3}}, [], {"a": [[1, 2, 3]]}),
    ],
)
def test_array_filters_select_elements(
    update: Update,
    document: dict[str, Any],
    specification: dict[str, Any],
    filters: list[Any],
    expected: dict[str, Any],
) -> None:
    assert update(document, specification, array_filters=filters) == expected


def test_identical_document_is_returned_when_no_element_is_selected(update: Update) -> None:
    document = {"a": [1, 2]}
    assert update(document, {"$set": {"a.$[e]": 0}}, array_filters=[{"e": 5}]) is document
    assert update(document, {"$set": {"a.$[e]": 2}}, array_filters=[{"e": 2}]) is document


@pytest.mark.parametrize(
    ("document", "specification", "filters", "code"),
    [
        ({"a": 1}, {"$set": {"a.$[]": 1}}, [], 2),
        ({}, {"$set": {"a.$[]": 1}}, [], 2),
        ({"a": 1}, {"$unset": {"a.b.$[]": 1}}, [], 2),
        ({"a": []}, {"$set": {"a.$[e]": 1}}, [], 2),
        ({"a": []}, {"$set": {"a.b": 1}}, [{"e": 1}], 9),
        ({"a": []}, {"$set": {"a.$[e]": 1}}, [{"e": 1}, {"f": 1}], 9),
        ({"a": []}, {"$set": {"a.$[e]": 1}}, [{"e": 1}, {"e.b": 1}], 9),
        ({"a": []}, {"$set": {"a.$[e]": 1}}, [{}], 9),
        ({"a": []}, {"$set": {"a.$[e]": 1}}, [{"e": 1, "f": 1}], 9),
        ({"a": []}, {"$set": {"a.$[E]": 1}}, [{"E": 1}], 2),
        ({"a": []}, {"$set": {"a.$[e]": 1}}, [5], 9),
        ({"a": [1]}, {"$set": {"a.$[x]": 1, "a.$[y]": 2}}, [{"x": 1}, {"y": 1}], 40),
        ({"a": [1]}, {"$set": {"a.$[]": 1, "a.0": 2}}, [], 40),
        ({"a": [1]}, {"$set": {"$": 1}}, [], 2),
        ({"a": [1]}, {"$set": {"$[]": 1}}, [], 2),
        ({"a": [1]}, {"$set": {"$.a": 1}}, [], 2),
        ({"a": [1]}, {"$set": {"a.$.b.$": 1}}, [], 2),
        ({}, {"$set": {"": 1}}, [], 56),
        ({}, {"$set": {"a..b": 1}}, [], 56),
        ({}, {"$set": {"a.": 1}}, [], 56),
        ({}, {"$set": {"$a": 1}}, [], 52),
    ],
)
def test_impossible_path_is_refused(
    update: Update, document: dict[str, Any], specification: dict[str, Any], filters: list[Any], code: int
) -> None:
    with pytest.raises(CommandError) as caught:
        update(document, specification, array_filters=filters)
    assert caught.value.code == code
