"""Change streams (manual: Change Streams, Change Events)."""

import threading
import time
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

import skerry
from skerry.errors import ChangeStreamFatalError


def take(stream: Any, count: int, *, seconds: float = 5.0) -> list[dict[str, Any]]:
    """The next `count` events, fewer when they do not come in time."""
    events: list[dict[str, Any]] = []
    until = time.monotonic() + seconds
    while len(events) < count and time.monotonic() < until:
        event = stream.try_next()
        if event is not None:
            events.append(event)
    return events


def test_each_kind_of_write_is_an_event(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=50) as stream:
        database.things.insert_one({"_id": 1, "a": 1, "b": 1})
        database.things.update_one({"_id": 1}, {"$set": {"a": 2}, "$unset": {"b": ""}})
        database.things.replace_one({"_id": 1}, {"c": 3})
        database.things.delete_one({"_id": 1})
        inserted, updated, replaced, deleted = take(stream, 4)
    assert inserted["operationType"] == "insert"
    assert inserted["fullDocument"] == {"_id": 1, "a": 1, "b": 1}
    assert inserted["ns"] == {"db": database.name, "coll": "things"}
    assert inserted["documentKey"] == {"_id": 1}
    assert updated["operationType"] == "update"
    assert updated["updateDescription"]["updatedFields"] == {"a": 2}
    assert updated["updateDescription"]["removedFields"] == ["b"]
    assert replaced["operationType"] == "replace"
    assert replaced["fullDocument"] == {"_id": 1, "c": 3}
    assert deleted["operationType"] == "delete"
    assert "fullDocument" not in deleted
    assert inserted["clusterTime"] <= deleted["clusterTime"]


def test_a_stream_begins_when_it_is_opened(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1})
    with database.things.watch(max_await_time_ms=50) as stream:
        database.things.insert_one({"_id": 2})
        assert [event["documentKey"]["_id"] for event in take(stream, 1)] == [2]
        assert stream.try_next() is None


def test_a_stream_waits_for_the_next_change(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=5000) as stream:
        timer = threading.Timer(0.1, database.things.insert_one, [{"_id": 1}])
        timer.start()
        started = time.monotonic()
        event = stream.next()
        assert event["documentKey"] == {"_id": 1}
        assert time.monotonic() - started < 3
        timer.join()


def test_a_pipeline_selects_events(database: Database[Any]) -> None:
    database.create_collection("things")
    pipeline = [{"$match": {"operationType": "insert", "fullDocument.a": {"$gt": 1}}}, {"$project": {"documentKey": 1}}]
    with database.things.watch(pipeline, max_await_time_ms=50) as stream:
        database.things.insert_many([{"_id": number, "a": number} for number in range(4)])
        assert [event["documentKey"]["_id"] for event in take(stream, 2)] == [2, 3]


@pytest.mark.parametrize(
    "condition",
    [
        {"operationType": "insert"},
        {"operationType": {"$in": ["rename", "drop"]}},
        {"ns.coll": "other"},
        {"ns": {"db": "unknown"}},
        {"txnNumber": {"$exists": False}},
        {"lsid.id": {"$exists": True}, "ns.coll": {"$regex": "^th"}},
        {"$or": [{"operationType": "delete"}, {"lsid": {"$ne": None}, "ns.coll": {"$ne": "other"}}]},
        {"$nor": [{"ns.coll": "things"}, {"documentKey._id": 1}]},
    ],
    ids=str,
)
def test_a_filter_that_is_run_once_for_many_writes_lets_the_same_events_through(
    database: Database[Any], condition: dict[str, Any]
) -> None:
    run_for_each = [{"$match": {"fullDocument.unknown": None}}, {"$match": condition}]
    for name in ("things", "other"):
        database.create_collection(name)
    with (
        database.watch([{"$match": condition}], max_await_time_ms=5) as stream,
        database.watch(run_for_each, max_await_time_ms=5) as plain,
        database.client.start_session() as session,
    ):
        for collection in (database.things, database.other):
            collection.insert_many([{"_id": 1}, {"_id": 2}, {"_id": 3}])
            with session.start_transaction():
                collection.insert_one({"_id": 4}, session=session)
                collection.update_one({"_id": 1}, {"$set": {"a": 1}}, session=session)
                database.things.update_one({"_id": 2}, {"$set": {"a": collection.name}}, session=session)
            collection.delete_one({"_id": 3})
        database.other.rename("elsewhere")
        database.things.insert_one({"_id": "last"})
        expected, found = list(iter(plain.try_next, None)), list(iter(stream.try_next, None))
    assert found == expected
    assert len(expected) < 18


def test_a_stream_resumes_after_a_token(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=50) as stream:
        database.things.insert_many([{"_id": number} for number in range(3)])
        token = take(stream, 1)[0]["_id"]
    with database.things.watch(resume_after=token, max_await_time_ms=50) as stream:
        assert [event["documentKey"]["_id"] for event in take(stream, 2)] == [1, 2]


def test_the_token_moves_on_without_events(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=50) as stream:
        stream.try_next()
        before = stream.resume_token
        database.others.insert_one({})
        stream.try_next()
        stream.try_next()
        assert stream.resume_token != before


def test_a_stream_starts_at_a_time(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1})
    at = database.command("ping")["operationTime"]
    database.things.insert_one({"_id": 2})
    with database.things.watch(start_at_operation_time=at, max_await_time_ms=50) as stream:
        assert [event["documentKey"]["_id"] for event in take(stream, 2)] == [1, 2]


def test_an_update_can_look_up_the_whole_document(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1, "a": 1, "b": 2})
    with database.things.watch(full_document="updateLookup", max_await_time_ms=50) as stream:
        database.things.update_one({"_id": 1}, {"$set": {"a": 5}})
        assert take(stream, 1)[0]["fullDocument"] == {"_id": 1, "a": 5, "b": 2}


def test_images_where_available_are_null_because_none_are_kept(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1})
    with database.things.watch(
        full_document="whenAvailable", full_document_before_change="whenAvailable", max_await_time_ms=50
    ) as stream:
        database.things.update_one({"_id": 1}, {"$set": {"a": 1}})
        database.things.replace_one({"_id": 1}, {"a": 2})
        database.things.delete_one({"_id": 1})
        updated, replaced, deleted = take(stream, 3)
    assert updated["fullDocument"] is None
    assert replaced["fullDocument"] == {"_id": 1, "a": 2}
    assert [event["fullDocumentBeforeChange"] for event in (updated, replaced, deleted)] == [None] * 3


@pytest.mark.parametrize("level", ["local", "available", "linearizable"])
def test_a_stream_reads_what_the_majority_has_and_nothing_less(database: Database[Any], level: str) -> None:
    watch = {"aggregate": "things", "pipeline": [{"$changeStream": {}}], "cursor": {}}
    with pytest.raises(OperationFailure) as caught:
        database.command({**watch, "readConcern": {"level": level}})
    assert caught.value.code == 72
    assert database.command({**watch, "readConcern": {"level": "majority"}})["ok"] == 1


def test_a_database_and_the_whole_deployment_can_be_watched(database: Database[Any]) -> None:
    database.create_collection("a")
    with (
        database.watch(max_await_time_ms=50) as of_database,
        database.client.watch([{"$match": {"ns.db": database.name}}], max_await_time_ms=50) as of_all,
    ):
        database.a.insert_one({"_id": 1})
        database.b.insert_one({"_id": 2})
        for stream in (of_database, of_all):
            assert [event["ns"]["coll"] for event in take(stream, 2)] == ["a", "b"]


def test_dropping_the_collection_invalidates_its_stream(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=50) as stream:
        database.things.drop()
        assert [event["operationType"] for event in take(stream, 2)] == ["drop", "invalidate"]


def test_expanded_events_tell_of_collections_and_indexes(database: Database[Any]) -> None:
    with database.watch(show_expanded_events=True, max_await_time_ms=50) as stream:
        database.create_collection("things")
        database.things.create_index("a")
        assert [event["operationType"] for event in take(stream, 2)] == ["create", "createIndexes"]


def test_expanded_events_tell_names_from_positions(database: Database[Any]) -> None:
    database.things.insert_one({"_id": 1, "a": {"1": 1}})
    with database.things.watch(show_expanded_events=True, max_await_time_ms=50) as stream:
        database.things.update_one({"_id": 1}, {"$set": {"a.1": 2}})
        database.things.update_one({"_id": 1}, {"$set": {"b": 2}})
        described = [event["updateDescription"]["disambiguatedPaths"] for event in take(stream, 2)]
    assert described == [{"a.1": ["a", "1"]}, {}]


def test_events_of_a_transaction_carry_its_number(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=50) as stream, database.client.start_session() as session:
        with session.start_transaction():
            database.things.insert_many([{"_id": 1}, {"_id": 2}], session=session)
        events = take(stream, 2)
        assert [event["lsid"]["id"] for event in events] == [session.session_id["id"]] * 2
        assert len({event["txnNumber"] for event in events}) == 1


def test_an_uncommitted_transaction_is_no_event(database: Database[Any]) -> None:
    database.create_collection("things")
    with database.things.watch(max_await_time_ms=50) as stream, database.client.start_session() as session:
        session.start_transaction()
        database.things.insert_one({"_id": 1}, session=session)
        session.abort_transaction()
        database.things.insert_one({"_id": 2})
        assert [event["documentKey"]["_id"] for event in take(stream, 1)] == [2]


@pytest.mark.slow
def test_a_token_from_the_future_of_another_store_is_fatal(database: Database[Any]) -> None:
    with skerry.connect(":memory:") as other:
        other.d.things.insert_one({})
        with database.things.watch(max_await_time_ms=50) as stream:
            time.sleep(1)  # cluster times count seconds
            database.things.insert_one({})
            token = take(stream, 1)[0]["_id"]
        with pytest.raises(OperationFailure) as caught, other.d.things.watch(resume_after=token) as lost:
            lost.try_next()
    assert caught.value.code == ChangeStreamFatalError.default_code
    assert caught.value.has_error_label("NonResumableChangeStreamError")


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ([{"$changeStream": {"nonsense": 1}}], 40415),
        ([{"$changeStream": {"fullDocument": "nonsense"}}], 2),
        ([{"$changeStream": {"fullDocumentBeforeChange": "required"}}], 238),
        ([{"$changeStream": {"resumeAfter": {"_data": "nonsense"}}}], 260),
        ([{"$changeStream": {}}, {"$group": {"_id": 1}}], 20),
        ([{"$match": {}}, {"$changeStream": {}}], 40602),
    ],
)
def test_impossible_streams_are_refused(database: Database[Any], stages: list[Any], code: int) -> None:
    database.create_collection("things")
    with pytest.raises(OperationFailure) as caught:
        database.command("aggregate", "things", pipeline=stages, cursor={})
    assert caught.value.code == code, caught.value
