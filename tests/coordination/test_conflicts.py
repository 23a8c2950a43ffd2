"""Somebody else has changed the collection: who notices, who runs again, who gives up."""

import time
from typing import Any

import pytest
from pymongo.collection import Collection
from tests.coordination.conftest import Meeting
from tests.coordination.worker import add_one

from skerry.catalog.coordinated_operation import CoordinatedOperation
from skerry.errors import CoordinationTimeoutError, ModificationConflictError


def test_conflict_resolution_workflows(meeting: Meeting) -> None:
    """Another instance commits in between: it is noticed, what is kept is read anew, and the operation goes on."""
    reloaded: list[str] = []

    def reload(collection: Collection[Any]) -> None:
        reloaded.append(collection.name)

    mine, other = meeting.coordinator(on_reload=reload), meeting.coordinator()
    mine.coordinate("first", add_one)
    assert reloaded == []
    other.coordinate("between", add_one)
    assert mine.has_conflict()
    seen = mine.coordinate("second", lambda operation: (add_one(operation), operation.was_reloaded, operation.attempt))
    assert seen == (3, True, 1)
    assert reloaded == ["counters"]
    assert not mine.has_conflict()
    mine.coordinate("third", add_one)
    assert reloaded == ["counters"]


def test_a_write_beside_the_operation_makes_it_run_again_once(directory_meeting: Meeting) -> None:
    attempts: list[int] = []

    def work(operation: CoordinatedOperation) -> int:
        attempts.append(operation.attempt)
        if operation.attempt == 1:
            directory_meeting.database["counters"].insert_one({"_id": "beside"})
        return add_one(operation)

    assert directory_meeting.coordinator().coordinate("add", work) == 1
    assert attempts == [1, 2]
    assert directory_meeting.number() == 1


def test_a_second_conflict_is_final(directory_meeting: Meeting) -> None:
    attempts: list[int] = []

    def work(operation: CoordinatedOperation) -> None:
        attempts.append(operation.attempt)
        add_one(operation)
        directory_meeting.database["counters"].insert_one({})

    with pytest.raises(ModificationConflictError) as conflict:
        directory_meeting.coordinator().coordinate("add", work)
    assert attempts == [1, 2]
    assert (conflict.value.code, conflict.value.resource) == ("MODIFICATION_CONFLICT", "counters")
    assert conflict.value.expected != conflict.value.actual
    assert directory_meeting.number() == 0
    assert not directory_meeting.index().is_locked("counters")


def test_the_first_conflict_of_a_block_is_final(directory_meeting: Meeting) -> None:
    def add_beside_a_write() -> None:
        with directory_meeting.coordinator().coordinate("add") as operation:
            add_one(operation)
            directory_meeting.database["counters"].insert_one({})

    with pytest.raises(ModificationConflictError):
        add_beside_a_write()
    assert directory_meeting.number() == 0


def test_a_change_while_reading_anew_is_a_conflict(directory_meeting: Meeting) -> None:
    counters = directory_meeting.database["counters"]
    coordinator = directory_meeting.coordinator(on_reload=lambda collection: collection.insert_one({}))
    counters.insert_one({})
    with pytest.raises(ModificationConflictError, match="read anew"):
        coordinator.coordinate("add", add_one)


def test_the_last_write_wins_over_writes_beside_it(directory_meeting: Meeting) -> None:
    counters = directory_meeting.database["counters"]

    def work(operation: CoordinatedOperation) -> int:
        counters.insert_one({})
        return add_one(operation)

    coordinator = directory_meeting.coordinator(strategy="last_write_wins", on_reload=lambda _: pytest.fail("reloaded"))
    assert coordinator.coordinate("add", work) == 1
    assert directory_meeting.number() == 1


def test_the_last_write_wins_repeats_what_collides_until_it_does_not(meeting: Meeting) -> None:
    counters = meeting.database["counters"]
    counters.insert_one({"_id": "n", "number": 10})
    attempts: list[int] = []

    def work(operation: CoordinatedOperation) -> int:
        attempts.append(operation.attempt)
        found = operation.collection.find_one({"_id": "n"}, session=operation.session)
        assert found is not None
        if operation.attempt < 4:
            counters.update_one({"_id": "n"}, {"$inc": {"number": 100}})
        operation.collection.update_one(
            {"_id": "n"}, {"$set": {"number": found["number"] + 1}}, session=operation.session
        )
        return int(found["number"]) + 1

    assert meeting.coordinator(strategy="last_write_wins").coordinate("add", work) == 311
    assert attempts == [1, 2, 3, 4]
    assert meeting.number() == 311


def test_the_last_write_gives_up_when_its_time_is_over(directory_meeting: Meeting) -> None:
    counters = directory_meeting.database["counters"]
    counters.insert_one({"_id": "n", "number": 0})

    def work(operation: CoordinatedOperation) -> None:
        operation.collection.find_one({"_id": "n"}, session=operation.session)
        counters.update_one({"_id": "n"}, {"$inc": {"number": 1}})
        time.sleep(0.005)
        add_one(operation)

    with pytest.raises(CoordinationTimeoutError):
        directory_meeting.coordinator(strategy="last_write_wins", timeout_ms=80).coordinate("add", work)
    assert not directory_meeting.index().is_locked("counters")
