"""`findAndModify` (manual: findAndModify)."""

from typing import Any

import pytest
from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import OperationFailure


@pytest.fixture
def jobs(database: Database[Any]) -> Any:
    database.jobs.insert_many([{"_id": number, "rank": 10 - number, "state": "open"} for number in range(3)])
    return database.jobs


def test_it_answers_with_the_document_before_the_change(jobs: Any) -> None:
    found = jobs.find_one_and_update({"_id": 1}, {"$set": {"state": "done"}})
    assert found == {"_id": 1, "rank": 9, "state": "open"}
    assert jobs.find_one({"_id": 1})["state"] == "done"


def test_it_answers_with_the_document_after_the_change_when_asked(jobs: Any) -> None:
    found = jobs.find_one_and_update(
        {"_id": 1}, {"$set": {"state": "done"}}, return_document=ReturnDocument.AFTER, projection={"state": 1}
    )
    assert found == {"_id": 1, "state": "done"}


def test_the_first_by_the_sort_is_taken(jobs: Any) -> None:
    assert jobs.find_one_and_update({"state": "open"}, {"$set": {"state": "x"}}, sort=[("rank", 1)])["_id"] == 2


def test_a_removal_answers_with_what_is_gone(jobs: Any) -> None:
    assert jobs.find_one_and_delete({"_id": 0}) == {"_id": 0, "rank": 10, "state": "open"}
    assert jobs.count_documents({}) == 2
    assert jobs.find_one_and_delete({"_id": 0}) is None


def test_a_replacement_replaces(jobs: Any) -> None:
    assert jobs.find_one_and_replace({"_id": 0}, {"new": 1}, return_document=ReturnDocument.AFTER) == {
        "_id": 0,
        "new": 1,
    }


def test_an_upsert_answers_with_null_or_the_new_document(jobs: Any) -> None:
    assert jobs.find_one_and_update({"_id": 7}, {"$set": {"a": 1}}, upsert=True) is None
    found = jobs.find_one_and_update({"_id": 8}, {"$set": {"a": 1}}, upsert=True, return_document=ReturnDocument.AFTER)
    assert found == {"_id": 8, "a": 1}


def test_the_reply_tells_what_happened(jobs: Any) -> None:
    run = jobs.database.command
    updated = run("findAndModify", "jobs", query={"_id": 0}, update={"$set": {"a": 1}})
    assert updated["lastErrorObject"] == {"n": 1, "updatedExisting": True}
    upserted = run("findAndModify", "jobs", query={"_id": 9}, update={"$set": {"a": 1}}, upsert=True)
    assert upserted["lastErrorObject"] == {"n": 1, "updatedExisting": False, "upserted": 9}
    assert upserted["value"] is None
    removed = run("findandmodify", "jobs", query={"_id": 9}, remove=True)
    assert removed["lastErrorObject"] == {"n": 1}
    missed = run("findAndModify", "jobs", query={"_id": 99}, update={"$set": {"a": 1}})
    assert missed["lastErrorObject"] == {"n": 0, "updatedExisting": False}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"update": {}, "remove": True},
        {"remove": True, "upsert": True},
        {"remove": True, "new": True},
        {"remove": True, "arrayFilters": []},
        {"update": [{"$set": {"a": 1}}], "arrayFilters": [{"a": 1}]},
        {"update": 5},
    ],
)
def test_fields_at_odds_are_refused(database: Database[Any], fields: dict[str, Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("findAndModify", "jobs", **fields)
    assert caught.value.code == 9


def test_a_duplicate_key_fails_the_command(jobs: Any) -> None:
    jobs.create_index("rank", unique=True)
    with pytest.raises(OperationFailure) as caught:
        jobs.find_one_and_update({"_id": 0}, {"$set": {"rank": 8}})
    assert caught.value.code == 11000
    assert caught.value.details is not None
    assert caught.value.details["keyValue"] == {"rank": 8}
