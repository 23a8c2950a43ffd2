"""Cursors: batches, getMore, killCursors (manual: getMore, killCursors)."""

import threading
import time
from typing import Any

import pytest
from bson import Int64
from pymongo.database import Database
from pymongo.errors import CursorNotFound, OperationFailure


@pytest.fixture
def numbers(database: Database[Any]) -> Any:
    database.numbers.insert_many([{"_id": number} for number in range(250)])
    return database.numbers


def test_the_first_batch_has_101_documents_and_the_next_the_rest(numbers: Any) -> None:
    find = numbers.database.command("find", "numbers")["cursor"]
    assert len(find["firstBatch"]) == 101
    assert find["id"] != 0
    assert find["ns"] == str(numbers.full_name)
    more = numbers.database.command("getMore", find["id"], collection="numbers")["cursor"]
    assert [each["_id"] for each in more["nextBatch"]] == list(range(101, 250))
    assert more["id"] == 0


@pytest.mark.parametrize("batch_size", [1, 2, 7, 250, 1000])
def test_batches_of_any_size_give_the_same_documents(numbers: Any, batch_size: int) -> None:
    assert [each["_id"] for each in numbers.find(batch_size=batch_size)] == list(range(250))


def test_a_batch_size_of_0_only_opens_the_cursor(numbers: Any) -> None:
    find = numbers.database.command("find", "numbers", batchSize=0)["cursor"]
    assert find["firstBatch"] == []
    assert find["id"] != 0
    more = numbers.database.command("getMore", find["id"], collection="numbers", batchSize=3)["cursor"]
    assert len(more["nextBatch"]) == 3


def test_a_single_batch_leaves_no_cursor_behind(numbers: Any) -> None:
    find = numbers.database.command("find", "numbers", batchSize=2, singleBatch=True)["cursor"]
    assert (len(find["firstBatch"]), find["id"]) == (2, 0)


def test_a_batch_ends_before_16_mib(database: Database[Any]) -> None:
    database.large.insert_many([{"_id": number, "text": "x" * 5_000_000} for number in range(5)])
    find = database.command("find", "large")["cursor"]
    assert 1 <= len(find["firstBatch"]) <= 3
    assert find["id"] != 0
    assert len(list(database.large.find())) == 5


def test_a_killed_cursor_is_gone(numbers: Any) -> None:
    cursor_id = numbers.database.command("find", "numbers", batchSize=1)["cursor"]["id"]
    reply = numbers.database.command("killCursors", "numbers", cursors=[cursor_id, Int64(12345)])
    assert reply["cursorsKilled"] == [cursor_id]
    assert reply["cursorsNotFound"] == [12345]
    with pytest.raises(CursorNotFound):
        numbers.database.command("getMore", cursor_id, collection="numbers")


def test_closing_a_cursor_kills_it(numbers: Any) -> None:
    cursor = numbers.find(batch_size=2)
    next(cursor)
    cursor_id = cursor.cursor_id
    cursor.close()
    with pytest.raises(CursorNotFound):
        numbers.database.command("getMore", Int64(cursor_id), collection="numbers")


def test_a_cursor_belongs_to_its_collection(numbers: Any) -> None:
    cursor_id = numbers.database.command("find", "numbers", batchSize=1)["cursor"]["id"]
    with pytest.raises(OperationFailure) as caught:
        numbers.database.command("getMore", cursor_id, collection="others")
    assert caught.value.code == 13


def test_a_cursor_belongs_to_its_session(numbers: Any) -> None:
    client = numbers.database.client
    with client.start_session() as one, client.start_session() as other:
        cursor_id = numbers.database.command("find", "numbers", batchSize=1, session=one)["cursor"]["id"]
        with pytest.raises(OperationFailure) as caught:
            numbers.database.command("getMore", cursor_id, collection="numbers", session=other)
        assert caught.value.code == 13


def test_ending_a_session_ends_its_cursors(numbers: Any) -> None:
    database = numbers.database
    with database.client.start_session() as session:
        cursor_id = database.command("find", "numbers", batchSize=1, session=session)["cursor"]["id"]
        lsid = session.session_id
        database.client.admin.command("killSessions", [lsid])
        with pytest.raises(CursorNotFound):
            database.command("getMore", cursor_id, collection="numbers", session=session)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"getMore": "text", "collection": "numbers"}, 14),
        ({"getMore": Int64(1)}, 40414),
        ({"getMore": Int64(1), "collection": "numbers", "nonsense": 1}, 40415),
        ({"getMore": Int64(1), "collection": "numbers", "batchSize": -1}, 51024),
        ({"getMore": Int64(1), "collection": "numbers"}, 43),
    ],
)
def test_a_wrong_get_more_is_refused(database: Database[Any], fields: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command(fields)
    assert caught.value.code == code


def test_max_time_is_not_for_cursors_that_do_not_wait(numbers: Any) -> None:
    cursor_id = numbers.database.command("find", "numbers", batchSize=1)["cursor"]["id"]
    with pytest.raises(OperationFailure) as caught:
        numbers.database.command("getMore", cursor_id, collection="numbers", maxTimeMS=10)
    assert caught.value.code == 2


def test_documents_deleted_meanwhile_do_not_break_a_cursor(numbers: Any) -> None:
    cursor = numbers.find(batch_size=10)
    next(cursor)
    numbers.delete_many({"_id": {"$gte": 200}})
    seen = [each["_id"] for each in cursor]
    assert seen[:99] == list(range(1, 100))
    assert len(seen) == len(set(seen))


def test_killing_a_cursor_ends_the_get_more_that_waits_on_it(database: Database[Any]) -> None:
    opened = database.command("aggregate", "things", pipeline=[{"$changeStream": {}}], cursor={})["cursor"]["id"]
    caught: list[OperationFailure] = []

    def wait() -> None:
        try:
            database.command("getMore", opened, collection="things", maxTimeMS=20_000)
        except OperationFailure as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    started = time.monotonic()
    assert database.command("killCursors", "things", cursors=[opened])["cursorsKilled"] == [opened]
    thread.join(10)
    assert time.monotonic() - started < 5
    assert [error.code for error in caught] == [237]
    with pytest.raises(CursorNotFound):
        database.command("getMore", opened, collection="things")
