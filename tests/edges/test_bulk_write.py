"""`bulkWrite` over several collections (manual: bulkWrite)."""

from typing import Any

import pytest
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.database import Database
from pymongo.errors import ClientBulkWriteException, OperationFailure


def test_one_command_writes_to_several_collections(database: Database[Any]) -> None:
    a, b = f"{database.name}.a", f"{database.name}.b"
    result = database.client.bulk_write(
        [
            InsertOne({"_id": 1}, namespace=a),
            InsertOne({"_id": 2}, namespace=a),
            InsertOne({"_id": 1}, namespace=b),
            UpdateOne({"_id": 1}, {"$set": {"x": 1}}, namespace=a),
            UpdateMany({}, {"$set": {"y": 1}}, namespace=a),
            ReplaceOne({"_id": 9}, {"z": 1}, upsert=True, namespace=b),
            DeleteOne({"_id": 1}, namespace=b),
            DeleteMany({"_id": 77}, namespace=b),
        ]
    )
    assert (result.inserted_count, result.matched_count, result.modified_count) == (3, 3, 3)
    assert (result.upserted_count, result.deleted_count) == (1, 1)
    assert list(database.a.find()) == [{"_id": 1, "x": 1, "y": 1}, {"_id": 2, "y": 1}]
    assert list(database.b.find()) == [{"_id": 9, "z": 1}]


def test_verbose_results_tell_of_each_operation(database: Database[Any]) -> None:
    a = f"{database.name}.a"
    result = database.client.bulk_write(
        [
            InsertOne({"_id": 1}, namespace=a),
            UpdateOne({"_id": 1}, {"$set": {"x": 1}}, namespace=a),
            UpdateOne({"_id": 2}, {"$set": {"x": 1}}, upsert=True, namespace=a),
            DeleteMany({}, namespace=a),
        ],
        verbose_results=True,
    )
    assert result.insert_results[0].inserted_id == 1
    assert result.update_results[1].modified_count == 1
    assert result.update_results[2].upserted_id == 2
    assert result.delete_results[3].deleted_count == 2


@pytest.mark.parametrize(("ordered", "left"), [(True, [1]), (False, [1, 2])])
def test_a_failure_ends_only_an_ordered_bulk(database: Database[Any], *, ordered: bool, left: list[int]) -> None:
    a = f"{database.name}.a"
    operations = [
        InsertOne({"_id": 1}, namespace=a),
        InsertOne({"_id": 1}, namespace=a),
        UpdateOne({"_id": 5}, {"$set": {"x": 1}}, namespace=a),
        InsertOne({"_id": 2}, namespace=a),
    ]
    with pytest.raises(ClientBulkWriteException) as caught:
        database.client.bulk_write(operations, ordered=ordered)
    assert [(error["idx"], error["code"]) for error in caught.value.write_errors] == [(1, 11000)]
    assert [each["_id"] for each in database.a.find()] == left


def test_a_bulk_may_be_part_of_a_transaction(database: Database[Any]) -> None:
    a, b = f"{database.name}.a", f"{database.name}.b"
    with database.client.start_session() as session:
        session.start_transaction()
        database.client.bulk_write(
            [InsertOne({"_id": 1}, namespace=a), InsertOne({"_id": 1}, namespace=b)], session=session
        )
        assert database.a.find_one() is None
        session.commit_transaction()
        assert database.b.find_one() == {"_id": 1}
        session.start_transaction()
        with pytest.raises(ClientBulkWriteException):
            database.client.bulk_write(
                [InsertOne({"_id": 2}, namespace=a), InsertOne({"_id": 1}, namespace=b)], session=session
            )
        with pytest.raises(OperationFailure) as caught:
            database.a.find_one(session=session)
        assert caught.value.code == 251
        session.abort_transaction()
    assert database.a.count_documents({}) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ops": [], "nsInfo": [{"ns": "db.a"}]}, 16),
        ({"ops": [{"insert": 0, "document": {}}]}, 40414),
        ({"ops": [{"insert": 1, "document": {}}], "nsInfo": [{"ns": "db.a"}]}, 2),
        ({"ops": [{"nonsense": 0}], "nsInfo": [{"ns": "db.a"}]}, 9),
        ({"ops": [{"insert": 0}], "nsInfo": [{"ns": "db.a"}]}, 40414),
        ({"ops": [{"insert": 0, "document": {}, "x": 1}], "nsInfo": [{"ns": "db.a"}]}, 40415),
        ({"ops": [{"insert": 0, "document": {}}], "nsInfo": [{"ns": "nodot"}]}, 73),
    ],
)
def test_a_malformed_bulk_is_refused(database: Database[Any], fields: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.client.admin.command({"bulkWrite": 1, **fields})
    assert caught.value.code == code, caught.value
