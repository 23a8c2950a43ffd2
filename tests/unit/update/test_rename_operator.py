from collections.abc import Callable
from typing import Any

import pytest

from skerry.errors import CommandError

Update = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("document", "fields", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": "c"}, {"b": 2, "c": 1}),
        ({"a": 1, "b": 2}, {"a": "b"}, {"b": 1}),
        ({"a": 1}, {"a": "o.p.q"}, {"o": {"p": {"q": 1}}}),
        ({"o": {"a": 1, "b": 2}}, {"o.a": "x"}, {"o": {"b": 2}, "x": 1}),
        ({"o": {"a": 1}}, {"o.a": "o.b"}, {"o": {"b": 1}}),
        ({"a": [1]}, {"a": "b"}, {"b": [1]}),
        ({"a": 1, "b": 1}, {"a": "b"}, {"b": 1}),
        ({"a": None}, {"a": "b"}, {"b": None}),
    ],
)
def test_rename_moves_the_value(
    update: Update, document: dict[str, Any], fields: dict[str, str], expected: dict[str, Any]
) -> None:
    new = update(document, {"$rename": fields})
    assert new == expected
    assert list(new) == list(expected)


@pytest.mark.parametrize("fields", [{"x": "y"}, {"x.y": "z"}, {"x.y.z": "w"}, {"x": "a.b"}, {"x": "o.p.q"}])
def test_renaming_a_missing_field_changes_nothing(update: Update, fields: dict[str, str]) -> None:
    document = {"a": 1}
    assert update(document, {"$rename": fields}) is document


@pytest.mark.parametrize(
    ("document", "fields", "code"),
    [
        ({"a": 1}, {"a": 5}, 2),
        ({"a": 1}, {"a": "a"}, 2),
        ({"a": 1}, {"a": "a.b"}, 2),
        ({"a": 1}, {"a.b": "a"}, 2),
        ({"a": 1}, {"a.$": "b"}, 2),
        ({"a": 1}, {"b": "a.$[]"}, 2),
        ({"a": 1}, {"a": ""}, 56),
        ({"a": 1}, {"a": "$b"}, 52),
        ({"a": [{"b": 1}]}, {"a.0.b": "c"}, 2),
        ({"a": 1, "c": [{}]}, {"a": "c.0.x"}, 2),
        ({"a": 5}, {"a.b": "c"}, 28),
        ({"a": 5, "b": 1}, {"b": "a.c"}, 28),
        ({"_id": 1}, {"_id": "b"}, 66),
        ({"_id": 1, "b": 2}, {"b": "_id"}, 66),
    ],
)
def test_impossible_rename_is_refused(
    update: Update, document: dict[str, Any], fields: dict[str, Any], code: int
) -> None:
    with pytest.raises(CommandError) as caught:
        update(document, {"$rename": fields})
    assert caught.value.code == code


def test_rename_occupies_both_paths(update: Update) -> None:
    for other in ("a", "b", "b.c"):
        with pytest.raises(CommandError) as caught:
            update({}, {"$rename": {"a": "b"}, "$set": {other: 1}})
        assert caught.value.code == 40
