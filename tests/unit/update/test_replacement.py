from collections.abc import Callable
from typing import Any

from bson.timestamp import Timestamp

from skerry.update.binary_equality import binary_equal

Update = Callable[..., dict[str, Any]]


def test_replacement_keeps_only_the_id(update: Update) -> None:
    assert binary_equal(update({"_id": 1, "a": 1}, {"b": 2}), {"_id": 1, "b": 2})
    assert binary_equal(update({"_id": 1, "a": 1}, {}), {"_id": 1})
    assert binary_equal(update({"_id": 1, "a": 1}, {"b": 2, "_id": 1.0}), {"_id": 1, "b": 2})


def test_identical_document_is_returned_when_nothing_changes(update: Update) -> None:
    document = {"_id": 1, "a": 1}
    assert update(document, {"a": 1}) is document
    assert update(document, {"_id": 1, "a": 1}) is document
    assert update(document, {"a": 1.0}) is not document


def test_a_different_field_order_is_a_change(update: Update) -> None:
    new = update({"_id": 1, "a": 1, "b": 2}, {"b": 2, "a": 1})
    assert list(new) == ["_id", "b", "a"]


def test_an_upsert_takes_the_id_of_the_replacement_to_the_front(update: Update) -> None:
    assert list(update({}, {"a": 1, "_id": 5}, is_upsert_insert=True)) == ["_id", "a"]


def test_an_empty_timestamp_becomes_the_current_one(update: Update, timestamp: Timestamp) -> None:
    new = update({"_id": 1}, {"t": Timestamp(0, 0), "o": {"t": Timestamp(0, 0)}})
    assert new == {"_id": 1, "t": timestamp, "o": {"t": Timestamp(0, 0)}}
