"""One coordinator, or two that meet: the protocol step by step, and every way in which it ends early."""

import threading
import time
from typing import Any

import pymongo.errors
import pytest
from tests.coordination.conftest import Meeting
from tests.coordination.worker import add_one

from skerry import CollectionCoordinator, CoordinatorSettings
from skerry.catalog.coordinated_operation import CoordinatedOperation
from skerry.errors import (
    ConfigurationError,
    CoordinationTimeoutError,
    LockAcquisitionFailureError,
    ModificationConflictError,
)


def refuse(_operation: CoordinatedOperation) -> None:
    raise LookupError("no")


def test_the_result_is_returned_and_token_and_history_are_renewed(meeting: Meeting) -> None:
    coordinator, index = meeting.coordinator(), meeting.index()
    before = index.modification_token("counters")
    assert coordinator.coordinate("add", add_one) == 1
    entry = index.get_collection("counters")
    assert entry is not None
    assert entry["modificationToken"] != before
    assert (entry["documentCount"], entry["lockStatus"]) == (1, None)
    newest = index.get_modification_history("counters")[-1]
    assert (newest["operation"], newest["data"]["operation"]) == ("COORDINATED", "add")
    assert newest["data"]["modificationToken"] == entry["modificationToken"]


def test_an_operation_that_writes_nothing_registers_the_collection(meeting: Meeting) -> None:
    assert meeting.coordinator("empty").coordinate("look", lambda _: "seen") == "seen"
    assert "empty" in meeting.index().get_collections()


def test_a_block_does_the_same_as_a_callback(meeting: Meeting) -> None:
    coordinator = meeting.coordinator()
    with coordinator.coordinate("add") as operation:
        add_one(operation)
        assert meeting.index().is_locked("counters")
        assert 0 < operation.remaining_ms <= 30_000
        assert operation.lease is not None
        assert operation.lease.owner == operation.id
    assert meeting.number() == 1
    assert not meeting.index().is_locked("counters")


def test_nobody_sees_the_writes_before_the_end(meeting: Meeting) -> None:
    with meeting.coordinator().coordinate("add") as operation:
        add_one(operation)
        assert meeting.number() == 0
    assert meeting.number() == 1


def test_an_exception_passes_unchanged_and_undoes_the_writes(meeting: Meeting) -> None:
    def work(operation: CoordinatedOperation) -> None:
        add_one(operation)
        refuse(operation)

    with pytest.raises(LookupError, match="no"):
        meeting.coordinator().coordinate("fail", work)
    assert meeting.number() == 0
    assert not meeting.index().is_locked("counters")


def test_an_error_of_the_driver_passes_unchanged(directory_meeting: Meeting) -> None:
    directory_meeting.database["counters"].insert_one({"_id": 1})

    def work(operation: CoordinatedOperation) -> None:
        operation.collection.insert_one({"_id": 1}, session=operation.session)

    with pytest.raises(pymongo.errors.DuplicateKeyError):
        directory_meeting.coordinator().coordinate("insert", work)
    assert not directory_meeting.index().is_locked("counters")


@pytest.mark.slow
def test_too_long_an_operation_is_undone_even_if_it_never_checks(meeting: Meeting) -> None:
    def work(operation: CoordinatedOperation) -> None:
        add_one(operation)
        time.sleep(0.15)

    with pytest.raises(CoordinationTimeoutError) as late:
        meeting.coordinator(timeout_ms=100).coordinate("sleep", work)
    assert (late.value.operation, late.value.timeout_ms) == ("sleep", 100)
    assert meeting.number() == 0
    assert not meeting.index().is_locked("counters")


def test_a_long_operation_can_ask_how_much_time_is_left(directory_meeting: Meeting) -> None:
    def work(operation: CoordinatedOperation) -> None:
        add_one(operation)
        while True:
            operation.check()
            time.sleep(0.005)

    with pytest.raises(CoordinationTimeoutError):
        directory_meeting.coordinator(timeout_ms=60).coordinate("loop", work)
    assert directory_meeting.number() == 0


def test_a_lease_that_is_held_is_asked_for_again_with_growing_pauses_and_jitter(directory_meeting: Meeting) -> None:
    pauses: list[float] = []
    directory_meeting.index().acquire_lock("counters", "another")
    coordinator = directory_meeting.coordinator(
        settings=CoordinatorSettings(retry_attempts=5, retry_delay_ms=10, retry_delay_ms_max=70),
        sleep=pauses.append,
        jitter=lambda: 0.5,
    )
    with pytest.raises(LockAcquisitionFailureError) as failure:
        coordinator.coordinate("add", add_one)
    assert pauses == [0.010, 0.020, 0.035, 0.035]
    assert failure.value.resource == "counters"
    assert directory_meeting.number() == 0


def test_waiting_for_a_lease_ends_with_the_time_of_the_operation(directory_meeting: Meeting) -> None:
    directory_meeting.index().acquire_lock("counters", "another")
    started = time.monotonic()
    with pytest.raises(LockAcquisitionFailureError):
        directory_meeting.coordinator(timeout_ms=80).coordinate("add", add_one)
    assert time.monotonic() - started < 1
    assert directory_meeting.index().is_locked("counters"), "another's lease is left alone"


def test_a_commit_is_refused_when_the_lease_has_passed_on_unnoticed(meeting: Meeting) -> None:
    coordinator = meeting.coordinator(lease_ms=30)
    coordinator._keeper.watch = lambda _operation: None  # type: ignore[method-assign]

    def work(operation: CoordinatedOperation) -> None:
        add_one(operation)
        time.sleep(0.05)
        assert meeting.index().acquire_lock("counters", "next")

    with pytest.raises(CoordinationTimeoutError) as fenced:
        coordinator.coordinate("slow", work)
    assert "passed on" in fenced.value.reason
    assert meeting.number() == 0
    assert meeting.index().is_locked("counters"), "the next one's lease is not given back by the late one"


def test_the_fence_holds_between_the_last_check_and_the_commit(meeting: Meeting) -> None:
    coordinator = meeting.coordinator(lease_ms=30)
    coordinator._keeper.watch = lambda _operation: None  # type: ignore[method-assign]
    update_metadata = coordinator._update_metadata

    def update_metadata_and_pause(operation: CoordinatedOperation) -> None:
        update_metadata(operation)
        time.sleep(0.05)
        assert meeting.index().acquire_lock("counters", "next")

    coordinator._update_metadata = update_metadata_and_pause  # type: ignore[method-assign]
    with pytest.raises(CoordinationTimeoutError):
        coordinator.coordinate("slow", add_one)
    assert meeting.number() == 0


@pytest.mark.slow
def test_a_lease_is_renewed_while_the_operation_lasts(meeting: Meeting) -> None:
    def work(operation: CoordinatedOperation) -> None:
        for _ in range(6):
            time.sleep(0.1)
            operation.check()
            assert meeting.index().is_locked("counters")
        add_one(operation)

    meeting.coordinator(lease_ms=200).coordinate("long", work)
    assert meeting.number() == 1


@pytest.mark.slow
def test_nothing_is_left_running_after_an_operation(directory_meeting: Meeting) -> None:
    coordinator = directory_meeting.coordinator(lease_ms=100)
    coordinator.coordinate("add", add_one)
    time.sleep(0.2)
    assert coordinator._keeper._thread is None


def test_threads_of_one_coordinator_take_turns(directory_meeting: Meeting) -> None:
    coordinator = directory_meeting.coordinator()

    def work() -> None:
        for _ in range(10):
            coordinator.coordinate("add", add_one)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert directory_meeting.number() == 30


def test_an_index_of_another_database_is_refused(directory_meeting: Meeting) -> None:
    other = directory_meeting.database.client["elsewhere"]["counters"]
    with pytest.raises(ConfigurationError):
        CollectionCoordinator(other, directory_meeting.index())


def test_nested_operations_on_one_collection_do_not_wait_for_themselves_forever(directory_meeting: Meeting) -> None:
    inner = directory_meeting.coordinator(timeout_ms=50)

    def work(_operation: CoordinatedOperation) -> Any:
        return inner.coordinate("inner", add_one)

    with pytest.raises(LockAcquisitionFailureError):
        directory_meeting.coordinator().coordinate("outer", work)


def test_a_wrong_token_is_a_conflict_and_no_token_is_none(directory_meeting: Meeting) -> None:
    coordinator = directory_meeting.coordinator()
    coordinator.validate_modification_token("1-a", None)
    coordinator.validate_modification_token("1-a", "1-a")
    with pytest.raises(ModificationConflictError) as conflict:
        coordinator.validate_modification_token("1-a", "2-b")
    assert (conflict.value.expected, conflict.value.actual) == ("1-a", "2-b")
