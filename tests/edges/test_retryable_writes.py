"""Retryable writes (manual: Retryable Writes): the same statement again gives the same reply and changes nothing.

The in-process door has no network to lose a reply on; there a repeated number is just another write.
"""

import socket
import struct
import uuid
from typing import Any

import bson
import pytest
from bson import Binary, Int64
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

WRITES: list[tuple[dict[str, Any], str]] = [
    ({"insert": "things", "documents": [{"_id": 10}]}, "n"),
    ({"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}]}, "nModified"),
    ({"delete": "things", "deletes": [{"q": {"n": {"$gte": 0}}, "limit": 1}]}, "n"),
    ({"findAndModify": "things", "query": {"_id": 1}, "update": {"$inc": {"n": 1}}, "new": True}, "value"),
    ({"update": "things", "updates": [{"q": {"x": 1}, "u": {"$inc": {"n": 1}}, "upsert": True}]}, "upserted"),
]


@pytest.fixture
def number(client: MongoClient[Any], database: Database[Any]) -> dict[str, Any]:
    """What makes a command a retryable write."""
    if client.address is not None and client.address[0].endswith("skerry.invalid"):
        pytest.skip("the in-process door does not remember writes")
    database.things.insert_many([{"_id": 1, "n": 0}, {"_id": 2, "n": 0}])
    return {"lsid": {"id": Binary(uuid.uuid4().bytes, 4)}, "txnNumber": Int64(1)}


def send(database: Database[Any], command: dict[str, Any]) -> dict[str, Any]:
    """Send a command as it is, past pymongo and its sessions; raise OperationFailure for an error reply."""
    body = bson.encode({**command, "$db": database.name})
    assert database.client.address is not None
    with socket.create_connection(database.client.address, timeout=10) as connection:
        connection.sendall(struct.pack("<iiiiIB", 21 + len(body), 1, 0, 2013, 0, 0) + body)
        with connection.makefile("rb") as stream:
            length = struct.unpack("<i", stream.read(4))[0]
            reply: dict[str, Any] = bson.decode(stream.read(length - 4)[17:])
    if not reply["ok"]:
        raise OperationFailure(reply["errmsg"], reply["code"], reply)
    return reply


@pytest.mark.parametrize(("command", "field"), WRITES)
def test_a_retry_is_answered_as_before_and_changes_nothing(
    database: Database[Any], number: dict[str, Any], command: dict[str, Any], field: str
) -> None:
    first = send(database, {**command, **number})
    state = list(database.things.find())
    again = send(database, {**command, **number})
    assert again[field] == first[field]
    assert list(database.things.find()) == state


def test_the_next_number_is_a_new_write(database: Database[Any], number: dict[str, Any]) -> None:
    update = {"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}]}
    send(database, {**update, **number})
    send(database, {**update, **number, "txnNumber": Int64(2)})
    assert database.things.find_one({"_id": 1}) == {"_id": 1, "n": 2}


def test_an_older_number_is_refused(database: Database[Any], number: dict[str, Any]) -> None:
    insert = {"insert": "things", "documents": [{"_id": 10}]}
    send(database, {**insert, **number, "txnNumber": Int64(5)})
    with pytest.raises(OperationFailure) as caught:
        send(database, {**insert, **number, "txnNumber": Int64(4)})
    assert caught.value.code == 225


def test_a_multi_update_cannot_be_retryable(database: Database[Any], number: dict[str, Any]) -> None:
    update = {"update": "things", "updates": [{"q": {}, "u": {"$set": {"n": 1}}, "multi": True}]}
    with pytest.raises(OperationFailure) as caught:
        send(database, {**update, **number})
    assert caught.value.code == 72


def test_a_read_cannot_be_a_retryable_write(database: Database[Any], number: dict[str, Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        send(database, {"find": "things", **number})
    assert caught.value.code == 50768


def test_a_number_needs_a_session(database: Database[Any], number: dict[str, Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        send(database, {"insert": "things", "documents": [{}], "txnNumber": Int64(1)})
    assert caught.value.code == 72


def test_a_retried_bulk_repeats_only_what_was_not_done(database: Database[Any], number: dict[str, Any]) -> None:
    namespace = f"{database.name}.things"
    operations = [
        {"insert": 0, "document": {"_id": 20}},
        {"update": 0, "filter": {"_id": 1}, "updateMods": {"$inc": {"n": 1}}},
        {"delete": 0, "filter": {"_id": 2}},
    ]
    command = {"bulkWrite": 1, "ops": operations, "nsInfo": [{"ns": namespace}], **number}
    first = send(database.client.admin, command)
    again = send(database.client.admin, command)
    assert first["cursor"]["firstBatch"] == again["cursor"]["firstBatch"]
    assert (again["nInserted"], again["nModified"], again["nDeleted"]) == (1, 1, 1)
    assert database.things.find_one({"_id": 1}) == {"_id": 1, "n": 1}
    assert database.things.count_documents({}) == 2
