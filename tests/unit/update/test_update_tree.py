from collections.abc import Callable
from typing import Any

import pytest

from skerry.errors import CommandError, ConflictingUpdateOperatorsError

Update = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, "Updating the path 'a' would create a conflict at 'a'"),
        ({"$set": {"a": 1}, "$inc": {"a.b": 1}}, "Updating the path 'a.b' would create a conflict at 'a'"),
        ({"$set": {"a.b": 1}, "$unset": {"a": 1}}, "Updating the path 'a' would create a conflict at 'a'"),
        ({"$set": {"a.b.c": 1, "a.b": 1}}, "Updating the path 'a.b' would create a conflict at 'a.b'"),
        ({"$setOnInsert": {"a": 1}, "$set": {"a": 1}}, "Updating the path 'a' would create a conflict at 'a'"),
    ],
)
def test_conflicting_paths_are_refused(update: Update, specification: dict[str, Any], message: str) -> None:
    with pytest.raises(ConflictingUpdateOperatorsError) as caught:
        update({}, specification)
    assert caught.value.message == message


def test_new_fields_are_made_in_the_order_of_their_names(update: Update) -> None:
    assert list(update({"z": 1}, {"$set": {"b": 1, "a": 1}, "$inc": {"aa": 1}})) == ["z", "a", "aa", "b"]
    assert list(update({}, {"$set": {"o.10": 1, "o.9": 1, "o.b": 1}})["o"]) == ["9", "10", "b"]


def test_existing_fields_keep_their_places(update: Update) -> None:
    assert list(update({"c": 1, "a": 1, "b": 1}, {"$set": {"a": 2, "c": 2}})) == ["c", "a", "b"]


def test_only_the_way_to_a_change_is_copied(update: Update) -> None:
    document = {"a": {"b": {"c": 1}, "d": {"e": 1}}, "f": [1]}
    new = update(document, {"$set": {"a.b.c": 2}})
    assert new == {"a": {"b": {"c": 2}, "d": {"e": 1}}, "f": [1]}
    assert new["a"]["d"] is document["a"]["d"]
    assert new["f"] is document["f"]


def test_setting_beyond_the_end_of_an_array_pads_with_null(update: Update) -> None:
    assert update({"a": [1]}, {"$set": {"a.3": 4}}) == {"a": [1, None, None, 4]}
    assert update({"a": [1]}, {"$set": {"a.1.b": 4}}) == {"a": [1, {"b": 4}]}
    assert update({"a": []}, {"$set": {"a.1": "y", "a.0": "x"}}) == {"a": ["x", "y"]}
    with pytest.raises(CommandError) as caught:
        update({"a": []}, {"$set": {"a.1500001": 1}})
    assert caught.value.code == 34


def test_a_number_is_a_field_name_where_there_is_no_array(update: Update) -> None:
    assert update({}, {"$set": {"a.0": 1}}) == {"a": {"0": 1}}
    assert update({"a": {}}, {"$set": {"a.0": 1}}) == {"a": {"0": 1}}


def test_nested_positional_nodes_merge(update: Update) -> None:
    document = {"a": [{"b": [1, 2]}]}
    filters = [{"x.b": 1}, {"y.b": 2}, {"i": 1}, {"j": 2}]
    specification = {"$inc": {"a.$[x].b.$[i]": 10, "a.$[y].b.$[j]": 20}}
    assert update(document, specification, array_filters=filters) == {"a": [{"b": [11, 22]}]}
