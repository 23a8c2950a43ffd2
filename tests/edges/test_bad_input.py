"""What no well-meaning driver sends: too large, too deep, badly named, badly formed."""

import contextlib
import socket
import struct
from typing import Any

import bson
import pytest
from bson import Binary, Int64, Regex
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import DocumentTooLarge, OperationFailure, WriteError

MIB = 1024 * 1024


def nested(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(depth - 1):
        document = {"a": document}
    return document


def send(client: MongoClient[Any], body: bytes, sequence: bytes = b"") -> dict[str, Any]:
    """Send an OP_MSG past pymongo and its checks, and return the reply."""
    assert client.address is not None
    if client.address[0].endswith("skerry.invalid"):
        pytest.skip("bytes are sent to the server only")
    with socket.create_connection(client.address, timeout=30) as connection:
        length = 21 + len(body) + len(sequence)
        connection.sendall(struct.pack("<iiiiIB", length, 1, 0, 2013, 0, 0) + body + sequence)
        with connection.makefile("rb") as stream:
            size = struct.unpack("<i", stream.read(4))[0]
            reply: dict[str, Any] = bson.decode(stream.read(size - 4)[17:])
    return reply


def documents_section(raw: bytes) -> bytes:
    return b"\x01" + struct.pack("<i", 4 + len(b"documents\x00") + len(raw)) + b"documents\x00" + raw


def test_a_document_of_17_mib_is_refused(database: Database[Any]) -> None:
    with pytest.raises((DocumentTooLarge, OperationFailure, WriteError)):
        database.things.insert_one({"text": "x" * (17 * MIB)})
    assert database.things.count_documents({}) == 0


def test_a_document_of_17_mib_is_refused_by_the_server_itself(
    client: MongoClient[Any], database: Database[Any]
) -> None:
    raw = bson.encode({"_id": 1, "text": "x" * (17 * MIB)})
    body = bson.encode({"insert": "things", "$db": database.name})
    reply = send(client, body, documents_section(raw))
    codes = [reply.get("code")] + [each["code"] for each in reply.get("writeErrors", [])]
    assert {10334, 2} & set(codes), reply
    assert database.things.count_documents({}) == 0


def test_a_document_just_below_16_mib_is_kept(database: Database[Any]) -> None:
    size = 16 * MIB - len(bson.encode({"_id": 1, "text": ""}))
    database.things.insert_one({"_id": 1, "text": "x" * size})
    found = database.things.find_one()
    assert found is not None
    assert len(found["text"]) == size


def test_an_update_cannot_grow_a_document_beyond_16_mib(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1, "parts": ["x" * (9 * MIB)]})
    with pytest.raises(OperationFailure) as caught:
        database.things.update_one({"_id": 1}, {"$push": {"parts": "x" * (8 * MIB)}})
    assert caught.value.code in (10334, 17419)
    assert database.things.count_documents({"parts": {"$size": 1}}) == 1


@pytest.mark.parametrize("depth", [181, 200])
def test_a_document_too_deep_is_refused(database: Database[Any], depth: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.things.insert_one(nested(depth))
    assert caught.value.code == 15
    assert database.things.count_documents({}) == 0


def test_a_deep_document_within_the_limit_is_kept(database: Database[Any]) -> None:
    document = {"_id": 1, "a": nested(90)}
    database.things.insert_one(document)
    assert database.things.find_one() == document


def test_a_deep_filter_does_not_end_the_connection(database: Database[Any]) -> None:
    filter: dict[str, Any] = {"a": 1}
    for _ in range(150):
        filter = {"$and": [filter]}
    with contextlib.suppress(OperationFailure):
        database.things.find_one(filter)
    assert database.command("ping")["ok"] == 1.0


def test_a_command_nested_beyond_all_reason_is_refused(client: MongoClient[Any]) -> None:
    body = b"\x05\x00\x00\x00\x00"
    for _ in range(20_000):
        body = struct.pack("<i", len(body) + 8) + b"\x03a\x00" + body + b"\x00"
    assert send(client, body)["code"] in (15, 22)
    assert client.admin.command("ping")["ok"] == 1.0


@pytest.mark.parametrize("name", ["a$b", ".a", "a.", "system.nonsense", "x" * 250])
def test_a_badly_named_collection_is_refused(database: Database[Any], name: str) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("insert", name, documents=[{}])
    assert caught.value.code == 73


@pytest.mark.parametrize("name", ["a b", "a/b", "a.b", 'a"b', "x" * 64])
def test_a_badly_named_database_is_refused(client: MongoClient[Any], name: str) -> None:
    reply = send(client, bson.encode({"insert": "things", "documents": [{}], "$db": name}))
    assert reply["code"] == 73


@pytest.mark.parametrize("id", [[1], Regex("a"), {"$a": 1}])
def test_an_impossible_id_is_refused(database: Database[Any], id: Any) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.things.insert_one({"_id": id})
    assert caught.value.code in (2, 52, 53)
    assert database.things.count_documents({}) == 0


@pytest.mark.parametrize("id", [None, True, 0, "", 1.5, Int64(1), {}, {"a": [1]}, Binary(b"")])
def test_unusual_ids_are_ids(database: Database[Any], id: Any) -> None:
    database.things.insert_one({"_id": id, "x": 1})
    assert database.things.count_documents({"_id": id}) == 1
    assert database.things.update_one({"_id": id}, {"$inc": {"x": 1}}).modified_count == 1
    assert database.things.delete_one({"_id": id}).deleted_count == 1


def test_too_many_statements_are_refused(client: MongoClient[Any], database: Database[Any]) -> None:
    raws = bson.encode({}) * 100_001
    reply = send(client, bson.encode({"insert": "things", "$db": database.name}), documents_section(raws))
    assert reply["code"] == 16


def test_a_message_without_database_is_refused(client: MongoClient[Any]) -> None:
    assert send(client, bson.encode({"ping": 1}))["code"] == 40571


def test_a_message_with_a_database_of_the_wrong_type_is_refused(client: MongoClient[Any]) -> None:
    assert send(client, bson.encode({"ping": 1, "$db": 5}))["code"] == 14


def test_an_empty_command_is_not_found(client: MongoClient[Any]) -> None:
    assert send(client, bson.encode({}))["code"] == 59


def test_a_field_twice_is_refused(client: MongoClient[Any], database: Database[Any]) -> None:
    body = bson.encode({"insert": "things", "documents": [{}], "$db": database.name})
    assert send(client, body, documents_section(bson.encode({})))["code"] == 40413


def test_a_damaged_document_is_refused(client: MongoClient[Any], database: Database[Any]) -> None:
    damaged = bytearray(bson.encode({"_id": 1, "text": "abcdef"}))
    damaged[13] = 0x55  # no type of BSON
    reply = send(client, bson.encode({"insert": "things", "$db": database.name}), documents_section(bytes(damaged)))
    codes = [reply.get("code")] + [each["code"] for each in reply.get("writeErrors", [])]
    assert 22 in codes, reply
    assert database.things.count_documents({}) == 0


def test_a_damaged_command_is_refused(client: MongoClient[Any]) -> None:
    damaged = bytearray(bson.encode({"ping": 1, "$db": "admin"}))
    damaged[4] = 0x55
    assert send(client, bytes(damaged))["code"] == 22
