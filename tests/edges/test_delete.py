"""`delete` (manual: delete)."""

from typing import Any

import pytest
from pymongo import DeleteMany, DeleteOne, InsertOne
from pymongo.database import Database
from pymongo.errors import OperationFailure


@pytest.fixture
def things(database: Database[Any]) -> Any:
    database.things.insert_many([{"_id": number, "even": number % 2 == 0} for number in range(6)])
    return database.things


def test_delete_one_removes_one(things: Any) -> None:
    assert things.delete_one({"even": True}).deleted_count == 1
    assert things.count_documents({}) == 5


def test_delete_many_removes_all_that_match(things: Any) -> None:
    assert things.delete_many({"even": True}).deleted_count == 3
    assert [each["_id"] for each in things.find()] == [1, 3, 5]


def test_deleting_what_is_not_there_removes_nothing(things: Any) -> None:
    assert things.delete_one({"_id": 99}).deleted_count == 0
    assert things.database.nowhere.delete_many({}).deleted_count == 0


def test_a_hint_is_followed(things: Any) -> None:
    things.create_index("even")
    assert things.delete_many({"_id": {"$lt": 3}}, hint="even_1").deleted_count == 3


def test_inserts_and_deletes_of_one_bulk_run_in_order(things: Any) -> None:
    result = things.bulk_write([DeleteMany({}), InsertOne({"_id": 1}), InsertOne({"_id": 2}), DeleteOne({"_id": 1})])
    assert (result.deleted_count, result.inserted_count) == (7, 2)
    assert list(things.find()) == [{"_id": 2}]


def test_a_deleted_document_leaves_its_indexes(things: Any) -> None:
    things.create_index("even")
    things.delete_many({"even": False})
    assert things.count_documents({"even": False}) == 0
    assert things.database.command("validate", "things")["valid"] is True


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ({"q": {}, "limit": 2}, 9),
        ({"q": {}}, 40414),
        ({"limit": 1}, 40414),
        ({"q": {}, "limit": 0, "nonsense": 1}, 40415),
        ({"q": {}, "limit": 0, "collation": {"locale": "fr"}}, 238),
    ],
)
def test_a_malformed_statement_is_refused(database: Database[Any], statement: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("delete", "things", deletes=[statement])
    assert caught.value.code == code
