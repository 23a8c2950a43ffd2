"""The form of errors: code, name, message, labels, and what further fields tell."""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure


def failure(database: Database[Any], command: dict[str, Any]) -> OperationFailure:
    with pytest.raises(OperationFailure) as caught:
        database.command(command)
    return caught.value


@pytest.mark.parametrize(
    ("command", "code", "name", "message"),
    [
        ({"nonsense": 1}, 59, "CommandNotFound", "no such command: 'nonsense'"),
        ({"atlasVersion": 1}, 59, "CommandNotFound", "no such command: 'atlasVersion'"),
        ({"mapReduce": "a"}, 238, "NotImplemented", "mapReduce"),
        ({"find": "a", "foo": 1}, 40415, "IDLUnknownField", "BSON field 'find.foo' is an unknown field."),
        ({"insert": "a"}, 40414, "IDLFailedToParse", "BSON field 'insert.documents' is missing but a required field"),
        (
            {"find": "a", "filter": 1},
            14,
            "TypeMismatch",
            "BSON field 'find.filter' is the wrong type 'int', expected type 'object'",
        ),
        ({"find": 5}, 73, "InvalidNamespace", "collection name has invalid type"),
        ({"find": ""}, 73, "InvalidNamespace", "empty"),
        ({"insert": "a", "documents": []}, 16, "InvalidLength", "Write batch sizes must be between 1 and 100000"),
    ],
)
def test_an_error_reply_has_code_name_and_message(
    database: Database[Any], command: dict[str, Any], code: int, name: str, message: str
) -> None:
    error = failure(database, command)
    assert error.code == code
    assert error.details is not None
    assert error.details["codeName"] == name
    assert error.details["ok"] == 0.0
    assert message in error.details["errmsg"]


def test_an_error_outside_of_transactions_is_not_transient(database: Database[Any]) -> None:
    assert not failure(database, {"find": "a", "foo": 1}).has_error_label("TransientTransactionError")


def test_a_write_error_tells_index_code_and_keys(database: Database[Any]) -> None:
    database.things.create_index([("a", 1), ("b", 1)], unique=True)
    with pytest.raises(BulkWriteError) as caught:
        database.things.insert_many([{"a": 1, "b": 2}, {"a": 1, "b": 2}])
    (error,) = caught.value.details["writeErrors"]
    assert error["index"] == 1
    assert error["code"] == 11000
    assert error["keyPattern"] == {"a": 1, "b": 1}
    assert error["keyValue"] == {"a": 1, "b": 2}
    assert error["errmsg"].startswith(f"E11000 duplicate key error collection: {database.name}.things index: a_1_b_1")


def test_a_failed_validation_tells_which_document(database: Database[Any]) -> None:
    database.create_collection("things", validator={"$jsonSchema": {"required": ["name"]}})
    with pytest.raises(OperationFailure) as caught:
        database.things.insert_one({"_id": 7})
    assert caught.value.code == 121
    assert caught.value.details is not None
    assert caught.value.details["errInfo"]["failingDocumentId"] == 7


def test_the_connection_outlives_errors(database: Database[Any]) -> None:
    for _ in range(20):
        failure(database, {"nonsense": 1})
    assert database.command("ping")["ok"] == 1.0


@pytest.mark.parametrize(
    "options",
    [
        {"autocommit": False},
        {"startTransaction": True},
        {"txnNumber": 1},
    ],
)
def test_half_a_transaction_is_refused(database: Database[Any], options: dict[str, Any]) -> None:
    error = failure(database, {"find": "a", **options})
    assert error.code in (72, 50768)


@pytest.mark.parametrize(
    ("concern", "code"),
    [({"w": -1}, 9), ({"w": []}, 9), ({"nonsense": 1}, 40415), (5, 14), ({"j": "yes"}, 14), ({"w": 0, "j": True}, 9)],
)
def test_an_impossible_write_concern_is_refused(database: Database[Any], concern: Any, code: int) -> None:
    assert failure(database, {"insert": "a", "documents": [{}], "writeConcern": concern}).code == code
    assert database.a.count_documents({}) == 0
