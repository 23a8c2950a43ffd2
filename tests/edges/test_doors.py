"""What every door has to let through, whatever it is made of."""

import threading
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import CursorType, MongoClient, UpdateOne, WriteConcern
from pymongo.database import Database
from pymongo.errors import OperationFailure


def test_the_node_is_the_writable_primary_of_a_replica_set(client: MongoClient[Any]) -> None:
    hello = client.admin.command("hello")
    assert hello["isWritablePrimary"]
    assert hello["hosts"] == [hello["me"]] == [hello["primary"]]
    assert client.is_primary


def test_documents_come_back_as_they_were_sent(database: Database[Any]) -> None:
    documents = [{"_id": number, "text": "ø" * number, "list": [number, {"a": None}]} for number in range(300)]
    database.c.insert_many(documents)
    assert list(database.c.find(batch_size=50)) == documents


def test_an_exhaust_cursor_is_content_with_single_replies(database: Database[Any]) -> None:
    database.c.insert_many([{"_id": number} for number in range(250)])
    cursor = database.c.find(cursor_type=CursorType.EXHAUST, batch_size=20)
    assert [each["_id"] for each in cursor] == list(range(250))


def test_a_batch_of_more_than_one_message_arrives_whole(database: Database[Any]) -> None:
    database.c.insert_many({"_id": number, "x": b"x" * 1_000_000} for number in range(60))
    assert database.c.estimated_document_count() == 60
    assert sum(len(each["x"]) for each in database.c.find({}, {"x": 1})) == 60_000_000


def test_raw_documents_pass_unread(database: Database[Any]) -> None:
    database.c.insert_one({"_id": 1, "a": {"b": 2}})
    raw = database.get_collection("c", database.codec_options.with_options(document_class=RawBSONDocument)).find_one()
    assert isinstance(raw, RawBSONDocument)
    assert raw["a"]["b"] == 2


def test_bulk_writes_without_reply_arrive_before_the_next_command(database: Database[Any]) -> None:
    silent = database.get_collection("c", write_concern=WriteConcern(w=0))
    with database.client.start_session() as session:
        silent.insert_many([{"_id": number} for number in range(10)])
        silent.bulk_write([UpdateOne({"_id": number}, {"$set": {"x": 1}}) for number in range(5)])
        # A reply on the same connection comes after everything sent on it before.
        assert database.c.count_documents({"x": 1}, session=session) == 5


def test_an_unknown_command_is_named(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure, match="noSuchCommand") as raised:
        database.command("noSuchCommand")
    assert raised.value.code == 59


def test_a_transaction_is_seen_when_it_is_committed(database: Database[Any]) -> None:
    database.c.insert_one({"_id": 0})
    with database.client.start_session() as session, session.start_transaction():
        database.c.insert_one({"_id": 1}, session=session)
        assert database.c.count_documents({}) == 1
    assert database.c.count_documents({}) == 2


def test_a_waiting_change_stream_does_not_hold_up_others(database: Database[Any]) -> None:
    with database.watch(max_await_time_ms=5000) as stream:
        seen: list[Any] = []
        waiting = threading.Thread(target=lambda: seen.append(stream.next()))
        waiting.start()
        for number in range(5):
            database.other.count_documents({"_id": number})
        database.c.insert_one({"_id": 7})
        waiting.join(5)
        assert [each["documentKey"] for each in seen] == [{"_id": 7}]


def test_a_change_stream_that_found_nothing_has_a_token_to_resume_from(database: Database[Any]) -> None:
    with database.c.watch(max_await_time_ms=10) as stream:
        assert stream.try_next() is None
        token = stream.resume_token
    database.c.insert_one({"_id": 1})
    with database.c.watch(resume_after=token, max_await_time_ms=1000) as stream:
        assert stream.next()["documentKey"] == {"_id": 1}
