"""`insert` (manual: insert)."""

import datetime
import uuid
from typing import Any

import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError


def test_an_inserted_document_is_found_as_it_was(database: Database[Any]) -> None:
    document = {
        "_id": ObjectId(),
        "double": 1.5,
        "string": "æøå",
        "document": {"b": 1, "a": {"c": []}},
        "array": [1, "two", {"three": 3}, [4]],
        "binary": b"\x00\x01",
        "uuid": Binary(uuid.uuid4().bytes, 4),
        "bool": True,
        "date": datetime.datetime(2024, 2, 29, 12, 0, 0, 123000),
        "null": None,
        "regex": Regex("^a", "i"),
        "code": Code("function() {}"),
        "int": 42,
        "timestamp": Timestamp(7, 1),
        "long": Int64(2**40),
        "decimal": Decimal128("1.10"),
        "min": MinKey(),
        "max": MaxKey(),
    }
    database.things.insert_one(document)
    found = database.things.find_one({"_id": document["_id"]})
    assert found == document
    assert list(found or {}) == list(document)


def test_an_id_is_made_where_the_client_sends_none(database: Database[Any]) -> None:
    database.command("insert", "things", documents=[{"a": 1}])
    found = database.things.find_one()
    assert found is not None
    assert isinstance(found["_id"], ObjectId)
    assert list(found) == ["_id", "a"]


def test_the_id_is_moved_to_the_front(database: Database[Any]) -> None:
    database.command("insert", "things", documents=[{"a": 1, "_id": 5}])
    assert list(database.things.find_one() or {}) == ["_id", "a"]


def test_a_field_named_like_a_reference_stays_a_document(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1, "ref": {"$ref": "others", "$id": 7}})
    assert database.things.count_documents({"ref.$id": 7}) == 1


def test_a_second_document_with_the_same_id_is_refused(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1})
    with pytest.raises(DuplicateKeyError) as caught:
        database.things.insert_one({"_id": 1})
    assert caught.value.code == 11000
    assert caught.value.details is not None
    assert caught.value.details["keyPattern"] == {"_id": 1}
    assert caught.value.details["keyValue"] == {"_id": 1}


def test_an_ordered_insert_ends_at_the_first_failure(database: Database[Any]) -> None:
    with pytest.raises(BulkWriteError) as caught:
        database.things.insert_many([{"_id": 1}, {"_id": 1}, {"_id": 2}])
    assert caught.value.details["nInserted"] == 1
    assert [error["index"] for error in caught.value.details["writeErrors"]] == [1]
    assert database.things.count_documents({}) == 1


def test_an_unordered_insert_goes_on_and_tells_every_failure(database: Database[Any]) -> None:
    with pytest.raises(BulkWriteError) as caught:
        database.things.insert_many([{"_id": 1}, {"_id": 1}, {"_id": 2}, {"_id": 2}, {"_id": 3}], ordered=False)
    assert caught.value.details["nInserted"] == 3
    assert [error["index"] for error in caught.value.details["writeErrors"]] == [1, 3]
    assert {each["_id"] for each in database.things.find()} == {1, 2, 3}


def test_many_documents_arrive_in_their_order(database: Database[Any]) -> None:
    database.things.insert_many([{"_id": number} for number in range(5000)])
    assert [each["_id"] for each in database.things.find()] == list(range(5000))


def test_an_unacknowledged_insert_has_no_reply_but_happens(database: Database[Any]) -> None:
    unacknowledged = database.things.with_options(write_concern=WriteConcern(w=0))
    assert unacknowledged.insert_one({"_id": 1}).acknowledged is False
    assert database.things.find_one() == {"_id": 1}


@pytest.mark.parametrize("concern", [{"w": 1}, {"w": 1, "j": False}, {"w": "majority"}, {"j": True}, {}])
def test_write_concerns_that_one_node_can_meet_are_met(database: Database[Any], concern: dict[str, Any]) -> None:
    assert database.command("insert", "things", documents=[{}], writeConcern=concern)["n"] == 1


def test_a_write_concern_beyond_one_node_is_reported_though_the_write_happened(database: Database[Any]) -> None:
    reply = database.command("insert", "things", documents=[{}], writeConcern={"w": 3}, check=False)
    assert reply["n"] == 1
    assert reply["writeConcernError"]["code"] == 100
    reply = database.command("insert", "things", documents=[{}], writeConcern={"w": "europe"}, check=False)
    assert reply["writeConcernError"]["code"] == 79


def test_raw_documents_pass_through(database: Database[Any]) -> None:
    raw = RawBSONDocument(b"\x0e\x00\x00\x00\x10_id\x00\x07\x00\x00\x00\x00")
    database.things.insert_one(raw)
    assert database.things.find_one() == {"_id": 7}


def test_a_validator_refuses_documents_unless_bypassed(database: Database[Any]) -> None:
    database.create_collection("things", validator={"a": {"$type": "number"}})
    with pytest.raises(BulkWriteError) as caught:
        database.things.insert_many([{"a": "text"}])
    assert caught.value.details["writeErrors"][0]["code"] == 121
    database.things.insert_one({"a": "text"}, bypass_document_validation=True)
    assert database.things.count_documents({}) == 1


def test_an_empty_timestamp_at_the_top_becomes_the_time_of_the_insert(database: Database[Any]) -> None:
    empty = Timestamp(0, 0)
    things = database.things
    things.insert_one({"_id": 1, "at": empty, "inner": {"at": empty}, "n": Int64(0)})
    things.insert_many([{"_id": 2, "at": empty}, {"_id": 3, "at": Timestamp(7, 8)}, {"_id": empty}])
    first, second, third = (things.find_one({"_id": number}) for number in (1, 2, 3))
    assert (first["at"] != empty, first["inner"]["at"] == empty, first["n"] == 0) == (True, True, True)
    assert second["at"] != empty
    assert third["at"] == Timestamp(7, 8)
    assert things.find_one({"_id": empty}) is not None


def test_an_empty_timestamp_stays_where_that_is_asked(database: Database[Any]) -> None:
    document = {"_id": 1, "at": Timestamp(0, 0)}
    database.command("insert", "things", documents=[document], bypassEmptyTsReplacement=True)
    assert database.things.find_one() == document
