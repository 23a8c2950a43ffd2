"""The validation suite of the first seed, by its names: what was promised, and how errors and collaborators look."""

import logging
import threading
from pathlib import Path
from typing import Any

import pymongo.errors
import pytest
from pymongo import MongoClient
from tests.coordination.conftest import Meeting
from tests.coordination.worker import add_one

import skerry
from skerry import CollectionCoordinator, MasterIndex, MongoIndexStore, SqliteIndexStore
from skerry.catalog.coordinated_operation import CoordinatedOperation
from skerry.errors import (
    CollectionNotFoundError,
    ConfigurationError,
    CoordinationTimeoutError,
    LockAcquisitionFailureError,
    LockTimeoutError,
    MasterIndexError,
    ModificationConflictError,
    SkerryError,
)

SEED_METHODS = {
    "acquire_lock",
    "add_collection",
    "cleanup_expired_locks",
    "generate_modification_token",
    "get_collection",
    "get_collections",
    "get_modification_history",
    "has_conflict",
    "is_initialised",
    "is_locked",
    "load",
    "release_lock",
    "remove_collection",
    "renew_lock",
    "resolve_conflict",
    "save",
    "update_collection_metadata",
    "validate_modification_token",
}


def test_mongodb_syntax_compatibility(directory_meeting: Meeting) -> None:
    """Where the seed's queries differ from MongoDB's, MongoDB's meaning holds, inside an operation as well."""
    counters = directory_meeting.database["counters"]
    counters.insert_many([{"_id": 1, "n": None}, {"_id": 2}, {"_id": 3, "k": [{"t": 1}]}])

    def work(operation: CoordinatedOperation) -> None:
        session = operation.session
        assert counters.count_documents({"n": None}, session=session) == 3, "null matches a missing field"
        assert counters.count_documents({"k.t": 1}, session=session) == 1, "paths lead through arrays"
        assert counters.count_documents({"_id": {"$in": [1, 2]}}, session=session) == 2, "operators on _id"
        unchanged = counters.update_one({"_id": 1}, {"$set": {"n": None}}, session=session)
        assert (unchanged.matched_count, unchanged.modified_count) == (1, 0)
        with pytest.raises(ValueError, match="\\$"):
            counters.update_one({"_id": 1}, {"n": 5}, session=session)
        assert counters.delete_many({}, session=session).deleted_count == 3, "an empty filter is every document"

    directory_meeting.coordinator().coordinate("compare", work)
    assert counters.count_documents({}) == 0


def test_prd_requirements_validation(directory_meeting: Meeting) -> None:
    """The protocol of a modification, step by step: lease, token, (reload), change, new token, write, metadata, release."""
    steps: list[str] = []
    index = directory_meeting.index()

    class Recorded(MasterIndex):
        def take_lease(self, name: str, operation_id: str, duration_ms: int) -> Any:
            steps.append("lease")
            return super().take_lease(name, operation_id, duration_ms)

    coordinator = CollectionCoordinator(
        directory_meeting.database["counters"],
        Recorded(directory_meeting.database),
        on_reload=lambda _: steps.append("reload"),
    )
    directory_meeting.database["counters"].insert_one({})
    before = index.modification_token("counters")

    def work(operation: CoordinatedOperation) -> None:
        steps.append("change")
        assert index.is_locked("counters")
        assert index.modification_token("counters") == before, "the token is renewed by the commit, not before"
        add_one(operation)

    coordinator.coordinate("add", work)
    assert steps == ["lease", "reload", "change"]
    entry = index.get_collection("counters")
    assert entry is not None
    assert entry["modificationToken"] != before
    assert (entry["documentCount"], entry["lockStatus"]) == (2, None)


def test_class_diagram_compliance(directory_meeting: Meeting) -> None:
    """The classes have the seed's operations, settings and document."""
    assert {name for name in SEED_METHODS if not callable(getattr(MasterIndex, name, None))} == set()
    index = directory_meeting.index()
    assert (index.master_index_key, index.lock_timeout_ms, index.version) == ("GASDB_MASTER_INDEX", 30_000, 1)
    assert set(index.to_dict()) == {"version", "lastUpdated", "collections", "locks", "modificationHistory"}
    coordinator = directory_meeting.coordinator()
    for name in ("coordinate", "has_conflict", "resolve_conflict", "validate_modification_token"):
        assert callable(getattr(coordinator, name))
    settings = coordinator.settings
    assert (settings.enabled, settings.strategy, settings.lease_ms, settings.timeout_ms) == (
        True,
        "reload",
        30_000,
        30_000,
    )


def test_component_dependency_injection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Store, index, logger, sleep and jitter are handed in; nothing is reached for."""
    store = SqliteIndexStore(tmp_path, "shop")
    index = MasterIndex(store)
    pauses: list[float] = []
    logger = logging.getLogger("of the caller")
    with skerry.connect(tmp_path) as client:
        coordinator = CollectionCoordinator(
            client["shop"]["counters"], index, logger=logger, sleep=pauses.append, jitter=lambda: 1.0, retry_attempts=3
        )
        assert coordinator.coordinate("add", add_one) == 1
        index.acquire_lock("counters", "another")
        with pytest.raises(LockAcquisitionFailureError):
            coordinator.coordinate("add", add_one)
        assert pauses == [0.004, 0.008]
        index.release_lock("counters", "another")

        def release(*_arguments: Any) -> bool:
            raise MasterIndexError("releaseLock", "no answer")

        index.release_lock = release  # type: ignore[method-assign]
        with pytest.raises(LookupError), coordinator.coordinate("fail"):
            raise LookupError
    assert [record.name for record in caplog.records if "not given back" in record.message] == ["of the caller"]
    index.close()


def test_error_handling_consistency(meeting: Meeting) -> None:
    """The same cause gives the same class, code and facts through every door."""
    index = meeting.index()
    with pytest.raises(CollectionNotFoundError) as missing:
        index.update_collection_metadata("nobody", {})
    assert (missing.value.code, missing.value.facts) == ("COLLECTION_NOT_FOUND", {"name": "nobody"})
    with pytest.raises(ConfigurationError) as wrong:
        index.acquire_lock("", "op")
    assert wrong.value.code == "CONFIGURATION_ERROR"

    index.acquire_lock("counters", "another")
    with pytest.raises(LockAcquisitionFailureError) as held:
        meeting.coordinator(retry_attempts=1).coordinate("add", add_one)
    assert (held.value.code, held.value.resource) == ("LOCK_ACQUISITION_FAILURE", "counters")
    index.release_lock("counters", "another")

    with pytest.raises(CoordinationTimeoutError) as late:
        meeting.coordinator(timeout_ms=1).coordinate("sleep", lambda _: threading.Event().wait(0.01))
    assert (late.value.code, late.value.operation, late.value.timeout_ms) == ("COORDINATION_TIMEOUT", "sleep", 1)

    def collide(operation: CoordinatedOperation) -> None:
        operation.collection.find_one({"_id": "n"}, session=operation.session)
        meeting.database["counters"].replace_one({"_id": "n"}, {"attempt": operation.attempt}, upsert=True)
        operation.collection.replace_one({"_id": "n"}, {}, upsert=True, session=operation.session)

    with pytest.raises(ModificationConflictError) as conflict:
        meeting.coordinator().coordinate("collide", collide)
    assert (conflict.value.code, conflict.value.resource) == ("MODIFICATION_CONFLICT", "counters")
    for error in (missing.value, wrong.value, held.value, late.value, conflict.value):
        assert isinstance(error, SkerryError)


def test_a_store_that_does_not_answer_is_a_master_index_error() -> None:
    with MongoClient[Any]("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=20) as client:
        with pytest.raises(MasterIndexError) as constructed:
            MasterIndex(client["shop"])
        index = MasterIndex(MongoIndexStore(client["shop"]))
        with pytest.raises(MasterIndexError) as failed:
            index.get_collections()
    assert (constructed.value.operation, failed.value.operation) == ("load", "getCollections")
    assert failed.value.code == "MASTER_INDEX_ERROR"


def test_an_index_that_others_keep_busy_is_a_lock_timeout(
    directory_meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = MasterIndex(MongoIndexStore(directory_meeting.database))
    coordinator = CollectionCoordinator(directory_meeting.database["counters"], index)
    monkeypatch.setattr("skerry.catalog.mongo_index_store.ACCESS_MS_MAX", 0.001)
    with pytest.raises(LockTimeoutError) as busy:
        index.add_collection("users")
    assert (busy.value.code, busy.value.resource) == ("LOCK_TIMEOUT", "the master index")
    with pytest.raises(CoordinationTimeoutError):
        coordinator.coordinate("add", add_one)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"masterIndex": "explode"}, "no method"),
        ({"masterIndex": "lease"}, "takes"),
        ({"masterIndex": "lease", "arguments": {"name": "a", "more": 1}}, "takes"),
        ({"masterIndex": "guard", "arguments": {}}, "transaction"),
    ],
)
def test_a_malformed_command_is_refused_with_the_reason(
    directory_meeting: Meeting, command: dict[str, Any], reason: str
) -> None:
    with pytest.raises(pymongo.errors.OperationFailure, match=reason) as refused:
        directory_meeting.database.command(command)
    assert refused.value.code == 2


def test_only_the_guard_belongs_into_a_transaction(directory_meeting: Meeting) -> None:
    client = directory_meeting.database.client
    with client.start_session() as session:
        session.start_transaction()
        with pytest.raises(pymongo.errors.OperationFailure) as refused:
            directory_meeting.database.command({"masterIndex": "leases"}, session=session)
        assert refused.value.code == 263
    with client.start_session() as session:
        session.start_transaction()
        with pytest.raises(pymongo.errors.OperationFailure) as refused:
            directory_meeting.database.command({"masterIndex": "guard", "arguments": {}}, session=session)
        assert refused.value.code == 2
