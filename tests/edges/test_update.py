"""`update` (manual: update)."""

from typing import Any

import pytest
from bson import Int64
from pymongo import ReplaceOne, UpdateMany, UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure, WriteError


@pytest.fixture
def things(database: Database[Any]) -> Any:
    database.things.insert_many([{"_id": number, "n": number, "tags": ["a", "b", "c"]} for number in range(1, 5)])
    return database.things


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"$set": {"n": 9}}, {"_id": 1, "n": 9, "tags": ["a", "b", "c"]}),
        ({"$inc": {"n": 2}}, {"_id": 1, "n": 3, "tags": ["a", "b", "c"]}),
        ({"$unset": {"tags": ""}}, {"_id": 1, "n": 1}),
        ({"$push": {"tags": "d"}}, {"_id": 1, "n": 1, "tags": ["a", "b", "c", "d"]}),
        ({"$pull": {"tags": "b"}}, {"_id": 1, "n": 1, "tags": ["a", "c"]}),
        ({"$rename": {"n": "m"}}, {"_id": 1, "tags": ["a", "b", "c"], "m": 1}),
        ({"$mul": {"n": 2.5}}, {"_id": 1, "n": 2.5, "tags": ["a", "b", "c"]}),
        ([{"$set": {"m": {"$add": ["$n", 1]}}}, {"$unset": "tags"}], {"_id": 1, "n": 1, "m": 2}),
    ],
)
def test_updates_change_the_document(things: Any, update: Any, expected: dict[str, Any]) -> None:
    result = things.update_one({"_id": 1}, update)
    assert (result.matched_count, result.modified_count) == (1, 1)
    assert things.find_one({"_id": 1}) == expected


def test_an_update_that_changes_nothing_is_matched_but_not_modified(things: Any) -> None:
    result = things.update_many({}, {"$set": {"tags": ["a", "b", "c"]}})
    assert (result.matched_count, result.modified_count) == (4, 0)


def test_update_one_changes_one_and_update_many_all(things: Any) -> None:
    assert things.update_one({"n": {"$gt": 0}}, {"$set": {"x": 1}}).modified_count == 1
    assert things.update_many({"n": {"$gt": 0}}, {"$set": {"x": 1}}).modified_count == 3


def test_a_replacement_keeps_the_id(things: Any) -> None:
    things.replace_one({"_id": 2}, {"new": True})
    assert things.find_one({"_id": 2}) == {"_id": 2, "new": True}


def test_an_upsert_inserts_what_the_filter_and_the_update_say(things: Any) -> None:
    result = things.update_one({"_id": 9, "kind": "k"}, {"$set": {"n": 1}, "$setOnInsert": {"born": 1}}, upsert=True)
    assert (result.matched_count, result.upserted_id) == (0, 9)
    assert things.find_one({"_id": 9}) == {"_id": 9, "kind": "k", "born": 1, "n": 1}


def test_an_upsert_without_an_id_makes_one(things: Any) -> None:
    result = things.update_one({"name": "x"}, {"$inc": {"n": 1}}, upsert=True)
    assert things.find_one({"_id": result.upserted_id}) == {"_id": result.upserted_id, "name": "x", "n": 1}


def test_the_positional_operators_find_their_elements(things: Any) -> None:
    things.update_one({"_id": 1, "tags": "b"}, {"$set": {"tags.$": "B"}})
    things.update_one({"_id": 2}, {"$set": {"tags.$[]": "z"}})
    things.update_one({"_id": 3}, {"$set": {"tags.$[t]": "T"}}, array_filters=[{"t": {"$in": ["a", "c"]}}])
    assert [each["tags"] for each in things.find({"_id": {"$lte": 3}})] == [
        ["a", "B", "c"],
        ["z", "z", "z"],
        ["T", "b", "T"],
    ]


def test_a_sorted_update_takes_the_first(things: Any) -> None:
    things.update_one({}, {"$set": {"x": 1}}, sort={"n": -1})
    assert things.find_one({"x": 1})["_id"] == 4


def test_an_int32_that_grows_too_large_becomes_an_int64(things: Any) -> None:
    things.insert_one({"_id": 10, "n": 2**31 - 1})
    things.update_one({"_id": 10}, {"$inc": {"n": 1}})
    assert things.find_one({"_id": 10})["n"] == 2**31
    assert things.count_documents({"_id": 10, "n": {"$type": "long"}}) == 1
    with pytest.raises(WriteError):
        things.update_one({"_id": 10}, {"$inc": {"n": Int64(2**63 - 1)}})


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"$set": {"_id": 7}}, 66),
        ({"$nonsense": {"a": 1}}, 9),
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, 40),
        ({"$inc": {"tags": 1}}, 14),
        ({"$set": {"n.x": 1}}, 28),
        ({"$push": {"n": 1}}, 2),
    ],
)
def test_an_impossible_update_is_a_write_error(things: Any, update: dict[str, Any], code: int) -> None:
    with pytest.raises(WriteError) as caught:
        things.update_one({"_id": 1}, update)
    assert caught.value.code == code, caught.value
    assert things.find_one({"_id": 1}) == {"_id": 1, "n": 1, "tags": ["a", "b", "c"]}


def test_a_bulk_of_updates_tells_of_each(things: Any) -> None:
    result = things.bulk_write(
        [
            UpdateOne({"_id": 1}, {"$set": {"n": 100}}),
            UpdateMany({"n": {"$lt": 100}}, {"$inc": {"n": 1}}),
            ReplaceOne({"_id": 50}, {"r": 1}, upsert=True),
        ]
    )
    assert (result.matched_count, result.modified_count, result.upserted_count) == (4, 4, 1)
    assert result.upserted_ids == {2: 50}


def test_an_ordered_bulk_ends_at_the_failure_and_keeps_what_was_done(things: Any) -> None:
    things.create_index("n", unique=True)
    with pytest.raises(BulkWriteError) as caught:
        things.bulk_write(
            [
                UpdateOne({"_id": 1}, {"$set": {"n": 10}}),
                UpdateOne({"_id": 2}, {"$set": {"n": 10}}),
                UpdateOne({"_id": 3}, {"$set": {"n": 30}}),
            ]
        )
    assert [error["index"] for error in caught.value.details["writeErrors"]] == [1]
    assert caught.value.details["writeErrors"][0]["keyPattern"] == {"n": 1}
    assert [each["n"] for each in things.find()] == [10, 2, 3, 4]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ({"q": {}}, 40414),
        ({"q": {}, "u": 5}, 9),
        ({"q": 5, "u": {}}, 14),
        ({"q": {}, "u": {}, "nonsense": 1}, 40415),
        ({"q": {}, "u": {"$set": {"a": 1}}, "multi": 1}, 14),
    ],
)
def test_a_malformed_statement_is_refused(database: Database[Any], statement: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("update", "things", updates=[statement])
    assert caught.value.code == code


def test_a_replacement_cannot_be_for_many(things: Any) -> None:
    reply = things.database.command("update", "things", updates=[{"q": {}, "u": {"a": 1}, "multi": True}])
    assert [(each["index"], each["code"]) for each in reply["writeErrors"]] == [(0, 9)]
    assert reply["n"] == 0


def test_a_pipeline_with_a_stage_that_does_not_exist_fails_the_whole_command(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("update", "things", updates=[{"q": {}, "u": [{"$nonsense": 1}]}])
    assert caught.value.code == 40324
