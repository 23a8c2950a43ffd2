"""The contract of every index store, and what a master index says on top of it.

Each test runs on the tables of `skerry.db` directly, through both doors of a skerry, on documents in a skerry that plays
MongoDB, and on MongoDB itself where SKERRY_TEST_MONGODB_URI names one. Several indexes of one test are several instances.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

import skerry
from skerry import MasterIndex, MongoIndexStore, SqliteIndexStore
from skerry.engine.engine import Engine
from skerry.errors import CollectionNotFoundError, ConfigurationError
from skerry.server.listener import Listener

MakeIndex = Callable[..., MasterIndex]
MONGODB_URI = os.environ.get("SKERRY_TEST_MONGODB_URI")
DATABASE = "master_index_test"


@contextlib.contextmanager
def server(directory: Path) -> Iterator[str]:
    engine = Engine(directory)
    try:
        with Listener(("127.0.0.1", 0), engine) as listener:
            host, port = listener.address  # type: ignore[misc]
            yield f"mongodb://{host}:{port}"
    finally:
        engine.close()


def remove_collections(uri: str, name: str) -> None:
    """Empty a database of a deployment that others use too, as the role `readWrite` allows."""
    with MongoClient[Any](uri) as client:
        for collection in client[name].list_collection_names():
            client[name].drop_collection(collection)


@pytest.fixture(params=["sqlite", "connect", "server", "mongo", "mongodb"])
def make_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeIndex]:
    """Make instances of one index, each with a connection of its own."""
    kind, name = request.param, DATABASE
    with contextlib.ExitStack() as stack:
        if kind == "mongodb":
            if not MONGODB_URI:
                pytest.skip("SKERRY_TEST_MONGODB_URI names no server")
            uri, name = MONGODB_URI, f"skerry_test_{uuid.uuid4().hex[:12]}"
            stack.callback(remove_collections, uri, name)
        elif kind in ("server", "mongo"):
            uri = stack.enter_context(server(tmp_path))

        def make(**options: Any) -> MasterIndex:
            if kind == "sqlite":
                index = MasterIndex(SqliteIndexStore(tmp_path, DATABASE), **options)
                stack.callback(index.close)
                return index
            client: MongoClient[Any] = skerry.connect(tmp_path) if kind == "connect" else MongoClient(uri)
            stack.enter_context(client)
            database = client[name]
            return MasterIndex(MongoIndexStore(database) if kind.startswith("mongo") else database, **options)

        yield make


@pytest.fixture
def index(make_index: MakeIndex) -> MasterIndex:
    return make_index()


def test_a_new_index_is_empty_and_shaped_as_the_document(index: MasterIndex) -> None:
    assert index.is_initialised()
    shown = index.to_dict()
    assert list(shown) == ["version", "lastUpdated", "collections", "locks", "modificationHistory"]
    assert shown["version"] == 1
    assert (shown["collections"], shown["locks"], shown["modificationHistory"]) == ({}, {}, {})


def test_an_added_collection_has_the_fields_of_the_document(index: MasterIndex) -> None:
    added = index.add_collection("users", {"documentCount": 0, "created": "2025-06-06T12:00:00.000Z"})
    assert list(added) == [
        "name",
        "fileId",
        "created",
        "lastModified",
        "documentCount",
        "modificationToken",
        "lockStatus",
    ]
    assert (added["name"], added["documentCount"], added["lockStatus"]) == ("users", 0, None)
    assert added["created"] == "2025-06-06T12:00:00.000Z"
    assert index.validate_modification_token(added["modificationToken"])
    assert index.get_collection("users") == added
    assert index.get_collections() == {"users": added}


def test_an_unknown_collection_is_none(index: MasterIndex) -> None:
    assert index.get_collection("nobody") is None


@pytest.mark.parametrize("name", ["", "  ", None, 5, [], "a$b", ".a"])
def test_a_wrong_name_is_a_configuration_error(index: MasterIndex, name: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        index.add_collection(name, {})
    assert (refused.value.code, refused.value.setting) == ("CONFIGURATION_ERROR", "name")


def test_adding_again_writes_over_what_was_said(index: MasterIndex) -> None:
    first = index.add_collection("users", {"note": "old"})
    second = index.add_collection("users", {"note": "new"})
    assert second["note"] == "new"
    assert second["modificationToken"] != first["modificationToken"]
    assert list(index.get_collections()) == ["users"]


def test_several_collections_are_added_together(index: MasterIndex) -> None:
    assert [entry["name"] for entry in index.add_collections({"b": {}, "a": {}})] == ["b", "a"]
    assert list(index.get_collections()) == ["a", "b"]
    with pytest.raises(ConfigurationError):
        index.add_collections({})


def test_an_update_merges_and_renews_token_and_time(index: MasterIndex) -> None:
    before = index.add_collection("users", {"note": "x", "lastModified": 0})
    after = index.update_collection_metadata("users", {"owner": "me"})
    assert (after["note"], after["owner"]) == ("x", "me")
    assert after["modificationToken"] != before["modificationToken"]
    assert after["lastModified"] > before["lastModified"] == "1970-01-01T00:00:00.000Z"
    assert after["created"] == before["created"]


def test_an_update_may_bring_its_own_token_and_time(index: MasterIndex) -> None:
    index.add_collection("users")
    updates = {"modificationToken": "1718000000000-abc", "lastModified": "2025-01-01T00:00:00.000Z"}
    after = index.update_collection_metadata("users", updates)
    assert {name: after[name] for name in updates} == updates


@pytest.mark.parametrize("updates", [{"modificationToken": "invalid token"}, {"lastModified": "soon"}, None, 5])
def test_an_update_with_wrong_values_is_a_configuration_error(index: MasterIndex, updates: Any) -> None:
    index.add_collection("users")
    with pytest.raises(ConfigurationError):
        index.update_collection_metadata("users", updates)


def test_updating_an_unknown_collection_says_so(index: MasterIndex) -> None:
    with pytest.raises(CollectionNotFoundError) as missing:
        index.update_collection_metadata("nobody", {"note": 1})
    assert (missing.value.code, missing.value.name) == ("COLLECTION_NOT_FOUND", "nobody")


def test_a_removed_collection_is_gone_for_all(make_index: MakeIndex) -> None:
    index = make_index()
    index.add_collection("users")
    index.acquire_lock("users", "op")
    assert index.remove_collection("users") is True
    assert index.remove_collection("users") is False
    other = make_index()
    assert other.get_collection("users") is None
    assert not other.is_locked("users")
    assert other.get_modification_history("users") == []


def test_a_lease_excludes_everyone_until_it_is_given_back(make_index: MakeIndex) -> None:
    first, second = make_index(), make_index()
    assert first.acquire_lock("users", "op-1") is True
    assert second.acquire_lock("users", "op-2") is False
    assert first.acquire_lock("users", "op-1") is False, "a lease is not re-entrant"
    assert second.is_locked("users")
    assert second.release_lock("users", "op-2") is False
    assert first.release_lock("users", "op-1") is True
    assert first.release_lock("users", "op-1") is False
    assert second.acquire_lock("users", "op-2") is True


def test_a_lease_needs_no_collection_and_shows_in_the_index(index: MasterIndex) -> None:
    index.acquire_lock("nightly report", "op")
    index.add_collection("users")
    index.acquire_lock("users", "op")
    shown = index.to_dict()
    assert list(shown["locks"]) == ["nightly report", "users"]
    status = shown["collections"]["users"]["lockStatus"]
    assert status == shown["locks"]["users"]
    assert list(status) == ["lockedBy", "lockedAt", "expiresAt"]
    assert status["lockedBy"] == "op"


@pytest.mark.parametrize(("name", "operation_id"), [("", "op"), ("users", ""), (None, "op"), ("users", 7)])
def test_a_lease_needs_a_name_and_an_owner(index: MasterIndex, name: Any, operation_id: Any) -> None:
    for method in (index.acquire_lock, index.renew_lock, index.release_lock):
        with pytest.raises(ConfigurationError):
            method(name, operation_id)


@pytest.mark.parametrize("name", ["", None, 5, "never leased"])
def test_what_is_no_name_is_not_locked(index: MasterIndex, name: Any) -> None:
    assert index.is_locked(name) is False


def test_an_expired_lease_passes_on_under_a_greater_fencing_number(make_index: MakeIndex) -> None:
    first, second = make_index(lock_timeout_ms=40), make_index()
    held = first.take_lease("users", "slow", 40)
    assert held is not None
    time.sleep(0.06)
    assert not second.is_locked("users")
    assert first.renew_lock("users", "slow") is False
    passed = second.take_lease("users", "quick", 30_000)
    assert passed is not None
    assert passed.fencing_number > held.fencing_number
    assert first.release_lock("users", "slow") is False
    assert second.is_locked("users")


def test_fencing_numbers_grow_when_leases_are_given_back(index: MasterIndex) -> None:
    numbers = []
    for _ in range(3):
        lease = index.take_lease("users", "op", 1000)
        assert lease is not None
        numbers.append(lease.fencing_number)
        index.release_lock("users", "op")
    assert numbers == sorted(set(numbers))


def test_renewing_starts_the_lease_anew(index: MasterIndex) -> None:
    index.take_lease("users", "op", 80)
    time.sleep(0.05)
    assert index.renew_lock("users", "op", 200) is True
    assert index.renew_lock("users", "other") is False
    assert index.renew_lock("nothing", "op") is False
    time.sleep(0.05)
    assert index.is_locked("users")


def test_a_stale_instance_does_not_steal_a_newer_lease(make_index: MakeIndex) -> None:
    stale, newer = make_index(), make_index()
    stale.add_collection("users")
    newer.acquire_lock("users", "newer")
    assert stale.acquire_lock("users", "stale") is False
    stale.update_collection_metadata("users", {"note": "unrelated"})
    entry = newer.get_collection("users")
    assert entry is not None
    assert entry["lockStatus"]["lockedBy"] == "newer", "an update of something else keeps the lease"
    assert stale.release_lock("users", "newer") is True, "whoever knows the operation may give its lease back"


def test_a_stale_instance_removes_what_was_added_later(make_index: MakeIndex) -> None:
    stale, newer = make_index(), make_index()
    newer.add_collection("late")
    assert stale.remove_collection("late") is True
    assert newer.get_collection("late") is None


def test_expired_leases_of_others_are_cleaned_up_and_live_ones_never(make_index: MakeIndex) -> None:
    stale, newer = make_index(), make_index()
    newer.take_lease("over", "op", 20)
    newer.take_lease("live", "op", 30_000)
    time.sleep(0.04)
    assert stale.cleanup_expired_locks() is True
    assert stale.cleanup_expired_locks() is False
    assert list(newer.to_dict()["locks"]) == ["live"]


def test_a_conflict_is_another_token_of_a_collection_that_is_there(make_index: MakeIndex) -> None:
    first, second = make_index(), make_index()
    token = first.add_collection("users")["modificationToken"]
    assert second.has_conflict("users", token) is False
    assert second.has_conflict("nobody", token) is False
    first.update_collection_metadata("users", {"note": 1})
    assert second.has_conflict("users", token) is True
    with pytest.raises(ConfigurationError):
        second.has_conflict("users", "")


def test_resolving_a_conflict_writes_over_what_is_there(index: MasterIndex) -> None:
    token = index.add_collection("users", {"note": 1})["modificationToken"]
    outcome = index.resolve_conflict("users", {"note": 2}, "LAST_WRITE_WINS")
    assert (outcome["success"], outcome["strategy"]) == (True, "LAST_WRITE_WINS")
    assert outcome["data"]["note"] == 2
    assert outcome["data"]["modificationToken"] != token
    assert index.get_modification_history("users")[-1]["operation"] == "CONFLICT_RESOLVED"
    with pytest.raises(ConfigurationError) as refused:
        index.resolve_conflict("users", {}, "FIRST_WRITE_WINS")
    assert refused.value.setting == "strategy"
    with pytest.raises(CollectionNotFoundError):
        index.resolve_conflict("nobody", {})


def test_the_history_keeps_the_newest_50_changes(index: MasterIndex) -> None:
    index.add_collection("users", {"note": "first"})
    (first,) = index.get_modification_history("users")
    assert list(first) == ["operation", "timestamp", "data"]
    assert (first["operation"], first["data"]) == ("ADD_COLLECTION", {"note": "first"})
    for number in range(55):
        index.update_collection_metadata("users", {"number": number})
    history = index.get_modification_history("users")
    assert [change["data"] for change in history] == [{"number": number} for number in range(5, 55)]
    assert {change["operation"] for change in history} == {"UPDATE_METADATA"}
    assert index.get_modification_history("nobody") == []


def test_load_and_save_have_nothing_to_reconcile(make_index: MakeIndex) -> None:
    first, second = make_index(version="1.0.0"), make_index()
    second.add_collection("users")
    first.save()
    assert first.load()["collections"] == second.to_dict()["collections"]
    assert first.load()["version"] == "1.0.0"


def test_tokens_are_distinct_and_checked_without_raising(index: MasterIndex) -> None:
    assert index.generate_modification_token() != index.generate_modification_token()
    assert index.validate_modification_token(index.generate_modification_token())
    for wrong in ("", None, "invalid token", 5, "1718-ABC", "1718-abc\n"):
        assert index.validate_modification_token(wrong) is False
