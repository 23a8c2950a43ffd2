"""Sort patterns, `let` and updates as their commands hand them on."""

from typing import Any

import pytest
from bson import Int64

from skerry.commands.query_fields import let_variables, sort_pattern, update_spec
from skerry.errors import CommandError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, None),
        ({"a": 1, "b.c": -1}, [("a", 1), ("b.c", -1)]),
        ({"a": 1.0, "b": Int64(-1)}, [("a", 1), ("b", -1)]),
        ({"$natural": -1}, [("$natural", -1)]),
    ],
)
def test_a_sort_becomes_pairs(value: dict[str, Any], expected: Any) -> None:
    assert sort_pattern(value, "find", "sort") == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": 0}, 15975),
        ({"a": True}, 15975),
        ({"a": "x"}, 15975),
        ({"a": {"$meta": "textScore"}}, 238),
        ({"a": {"b": 1}}, 2),
        ({"$a": 1}, 2),
        ([], 14),
    ],
)
def test_an_impossible_sort_is_refused(value: Any, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        sort_pattern(value, "find", "sort")
    assert caught.value.code == code


def test_let_keeps_expressions_for_the_engine() -> None:
    assert let_variables({"x": {"$add": [1, 2]}}, "find", "let") == {"x": {"$add": [1, 2]}}


@pytest.mark.parametrize("name", ["Upper", "_x", "", "a-b", "$x"])
def test_a_variable_has_a_users_name(name: str) -> None:
    with pytest.raises(CommandError) as caught:
        let_variables({name: 1}, "find", "let")
    assert caught.value.code == 9


def test_an_update_is_a_document_or_a_pipeline() -> None:
    assert update_spec({"$set": {}}, "update", "u") == {"$set": {}}
    assert update_spec([{"$set": {}}], "update", "u") == [{"$set": {}}]
    for wrong in (5, "x", [5]):
        with pytest.raises(CommandError):
            update_spec(wrong, "update", "u")
