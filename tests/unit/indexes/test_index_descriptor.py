from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.errors import FailedToParseError
from skerry.indexes.index_descriptor import ID_INDEX, IndexDescriptor, default_name


@pytest.mark.parametrize(
    ("key", "name"),
    [({"a": 1}, "a_1"), ({"a": 1, "b.c": -1}, "a_1_b.c_-1"), ((("a", 1), ("b", 1)), "a_1_b_1")],
)
def test_the_default_name_joins_paths_and_directions(key: Any, name: str) -> None:
    assert default_name(key) == name


def test_a_specification_survives_the_way_through_a_descriptor() -> None:
    spec = {
        "v": 2,
        "key": {"a": 1},
        "name": "mine",
        "unique": True,
        "partialFilterExpression": {"a": {"$gt": 1}},
        "expireAfterSeconds": 60,
        "hidden": True,
    }
    assert IndexDescriptor.from_spec(spec).to_spec() == spec
    assert list(IndexDescriptor.from_spec(spec).to_spec())[:3] == ["v", "key", "name"]


def test_options_that_are_off_are_not_shown() -> None:
    spec = {"key": {"a": 1}, "name": "a_1", "unique": False, "sparse": False, "hidden": False}
    assert IndexDescriptor.from_spec(spec).to_spec() == {"v": 2, "key": {"a": 1}, "name": "a_1"}


@pytest.mark.parametrize(
    ("value", "direction"), [(1, 1), (-1, -1), (1.0, 1), (Int64(-1), -1), (0.5, 1), (-0.5, -1), (Decimal128("-3"), -3)]
)
def test_a_direction_may_be_any_number_but_zero(value: Any, direction: int) -> None:
    key = IndexDescriptor.from_spec({"key": {"a": value}, "name": "a"}).key
    assert key == (("a", direction),)
    assert type(key[0][1]) is int


def test_the_id_index_is_always_called_the_same() -> None:
    assert IndexDescriptor.from_spec({"key": {"_id": 1}, "name": "other"}) == ID_INDEX
    assert ID_INDEX.to_spec() == {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def test_an_invalid_specification_is_refused() -> None:
    with pytest.raises(FailedToParseError):
        IndexDescriptor.from_spec({"name": "a"})


def test_background_is_shown_and_makes_no_other_index() -> None:
    spec = {"key": {"a": 1}, "name": "a_1"}
    in_background = IndexDescriptor.from_spec({**spec, "background": True})
    assert in_background.to_spec()["background"] is True
    assert IndexDescriptor.from_spec({**spec, "background": False}).to_spec()["background"] is False
    assert in_background == IndexDescriptor.from_spec(spec)
