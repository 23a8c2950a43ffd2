from typing import Any

import pytest

from skerry.errors import CommandError
from skerry.values.field_path import array_position, candidates, read, set_path, split, unset_path, validate
from skerry.values.missing import MISSING


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ({"a": 1}, "a", 1),
        ({"a": 1}, "b", MISSING),
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": 1}, "a.b", MISSING),
        ({"a": None}, "a.b", MISSING),
        ({"a": [{"b": 1}, {"c": 2}, 3, {"b": 4}]}, "a.b", [1, 4]),
        ({"a": [1, 2]}, "a.0", []),
        ({"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": {"c": 3}}]}, "a.b.c", [[1, 2], 3]),
        ({"a": [[{"b": 1}]]}, "a.b", []),
        ({"a": [1, 2]}, "a", [1, 2]),
    ],
)
def test_expressions_map_over_arrays_and_know_no_positions(document: Any, path: str, expected: Any) -> None:
    found = read(document, split(path))
    assert found is MISSING if expected is MISSING else found == expected


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ({"a": 1}, "a", [1]),
        ({}, "a", [MISSING]),
        ({"a": 5}, "a.b", [MISSING]),
        ({"a": [1, 2]}, "a", [[1, 2]]),
        ({"a": [{"b": 1}, 7, {}]}, "a.b", [1, MISSING]),
        ({"a": []}, "a.b", []),
        ({"a": [5, 6]}, "a.1", [6]),
        ({"a": [5, 6]}, "a.2", []),
        ({"a": [{"0": 8}, 6]}, "a.0", [8, {"0": 8}]),
        ({"a": {"0": 8}}, "a.0", [8]),
        ({"a": [[{"b": 1}]]}, "a.0.b", [1]),
        ({"a": [[{"b": 1}]]}, "a.b", []),
        ({"a": [7]}, "a.0.b", []),
    ],
)
def test_filters_search_arrays_by_element_and_by_position(document: Any, path: str, expected: list[Any]) -> None:
    assert list(candidates(document, split(path))) == expected


@pytest.mark.parametrize(
    ("component", "position"), [("0", 0), ("12", 12), ("01", None), ("", None), ("-1", None), ("a", None), ("²", None)]
)
def test_a_position_is_a_plain_decimal_number(component: str, position: int | None) -> None:
    assert array_position(component) == position


@pytest.mark.parametrize(
    ("path", "code"), [("", 40352), ("a.", 40353), ("a..b", 15998), (".a", 15998), ("a.$b", 16410), ("a\x00", 16411)]
)
def test_paths_of_expressions_are_checked(path: str, code: int) -> None:
    with pytest.raises(CommandError) as refusal:
        validate(path)
    assert refusal.value.code == code


def test_valid_paths_pass_and_are_split_at_dots() -> None:
    validate("a.b.0")
    assert split("a.b.0") == ("a", "b", "0")
    assert split("a..b") == ("a", "", "b")


def test_setting_makes_the_documents_on_the_way() -> None:
    document: dict[str, Any] = {"a": 1}
    set_path(document, ("a", "b", "c"), 2)
    set_path(document, ("d",), 3)
    assert document == {"a": {"b": {"c": 2}}, "d": 3}
    unset_path(document, ("a", "b", "c"))
    unset_path(document, ("x", "y"))
    unset_path(document, ("d", "y"))
    assert document == {"a": {"b": {}}, "d": 3}
