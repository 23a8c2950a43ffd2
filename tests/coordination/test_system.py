"""The integration suite of the first seed, by its names: whole workflows over several instances and processes.

`test_concurrent_access_scenarios` stands in `test_processes`, `test_conflict_resolution_workflows` in `test_conflicts`, and the
five about requirements in `test_requirements`.
"""

import time
from pathlib import Path
from typing import Any

import pymongo.errors
import pytest
from tests.coordination.conftest import Meeting
from tests.coordination.worker import add_one

import skerry
from skerry import MasterIndex
from skerry.catalog.coordinated_operation import CoordinatedOperation
from skerry.engine.engine import Engine
from skerry.engine.index_backup import backup_index, recover
from skerry.errors import CorruptDatabaseError, InvalidJsonError, NotADatabaseError, SkerryError


def test_database_collection_integration(tmp_path: Path) -> None:
    """Two instances of a database see each other's collections come and go."""
    with skerry.connect(tmp_path) as first, skerry.connect(tmp_path) as second:
        index = MasterIndex(second["shop"])
        first["shop"].create_collection("users")
        assert second["shop"].list_collection_names() == ["users"]
        assert list(index.get_collections()) == ["users"]
        MasterIndex(first["shop"]).add_collection("orders")
        assert sorted(second["shop"].list_collection_names()) == ["orders", "users"]
        with pytest.raises(pymongo.errors.CollectionInvalid):
            second["shop"].create_collection("users")
        second["shop"].drop_collection("users")
        second["shop"].drop_collection("users")
        assert list(MasterIndex(first["shop"]).get_collections()) == ["orders"]


def test_end_to_end_crud_workflow(tmp_path: Path) -> None:
    """Insert, find, update, replace, delete, close and open again; the index counts along."""
    with skerry.connect(tmp_path) as client:
        users, index = client["shop"]["users"], MasterIndex(client["shop"])
        tokens: list[str | None] = [index.modification_token("users")]

        def counts(expected: int) -> None:
            entry = index.get_collection("users")
            assert entry is not None
            assert entry["documentCount"] == expected
            tokens.append(entry["modificationToken"])

        users.insert_many([{"_id": number, "n": number} for number in range(3)])
        counts(3)
        assert users.update_one({"_id": 0}, {"$set": {"name": "Ada"}}).modified_count == 1
        counts(3)
        assert users.replace_one({"_id": 1}, {"name": "Bob"}).modified_count == 1
        counts(3)
        assert users.delete_one({"_id": 2}).deleted_count == 1
        counts(2)
        assert len(set(tokens)) == len(tokens), "every committed write renews the token"
    with skerry.connect(tmp_path) as client:
        assert list(client["shop"]["users"].find().sort("_id")) == [
            {"_id": 0, "n": 0, "name": "Ada"},
            {"_id": 1, "name": "Bob"},
        ]
        assert MasterIndex(client["shop"]).modification_token("users") == tokens[-1]


def test_error_handling_and_recovery(directory_meeting: Meeting, tmp_path: Path) -> None:
    """A failed operation frees its lease and leaves nothing; a damaged file is named, a bad index document refused."""
    coordinator = directory_meeting.coordinator()

    def fail(operation: CoordinatedOperation) -> None:
        add_one(operation)
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            coordinator.coordinate("fail", fail)
    assert coordinator.coordinate("add", add_one) == 1

    for name, content in {"other": b"no database" * 100, "torn": b"SQLite format 3\0" + b"\xff" * 5000}.items():
        directory = tmp_path / name
        directory.mkdir()
        (directory / "skerry.db").write_bytes(content)
        with pytest.raises((NotADatabaseError, CorruptDatabaseError)) as damaged:
            skerry.connect(directory)
        assert damaged.value.path == str(directory / "skerry.db")

    (tmp_path / "index.json").write_text("{")
    engine = Engine(":memory:")
    with pytest.raises(InvalidJsonError):
        recover(engine.storage, str(tmp_path / "index.json"))
    engine.close()


@pytest.mark.slow
def test_performance_under_load(tmp_path: Path) -> None:
    """On 5000 documents a query by field takes less than 2 s, a complex one less than 3 s; a coordinated one keeps up."""
    with skerry.connect(tmp_path) as client:
        users = client["shop"]["users"]
        users.insert_many([{"_id": n, "age": n % 90, "tags": [n % 7, n % 11]} for n in range(5000)])
        started = time.monotonic()
        assert users.count_documents({"age": {"$gt": 80}}) == 495
        assert time.monotonic() - started < 2
        started = time.monotonic()
        assert users.count_documents({"$or": [{"age": 5, "tags": 3}, {"$and": [{"age": {"$lt": 2}}, {"tags": 4}]}]}) > 0
        assert time.monotonic() - started < 3
        coordinator = skerry.CollectionCoordinator(users)
        started = time.monotonic()
        for _ in range(50):
            coordinator.coordinate(
                "age", lambda op: users.update_one({"_id": 1}, {"$inc": {"age": 1}}, session=op.session)
            )
        assert time.monotonic() - started < 5


def test_query_engine_integration(directory_meeting: Meeting) -> None:
    """Queries within an operation see its own writes, by index and by scan."""
    counters = directory_meeting.database["counters"]
    counters.create_index("kind")
    counters.insert_many([{"_id": n, "kind": "abc"[n % 3]} for n in range(9)])

    def work(operation: CoordinatedOperation) -> tuple[int, int]:
        session = operation.session
        counters.update_many({"kind": "a"}, {"$set": {"kind": "b"}}, session=session)
        by_index = counters.count_documents({"kind": "b"}, session=session)
        by_scan = len([each for each in counters.find({}, session=session) if each["kind"] == "b"])
        return by_index, by_scan

    assert directory_meeting.coordinator().coordinate("recolour", work) == (6, 6)
    assert counters.count_documents({"kind": "b"}) == 6


def test_update_engine_integration(directory_meeting: Meeting) -> None:
    """Every kind of update works within an operation and is committed as a whole."""
    counters = directory_meeting.database["counters"]
    counters.insert_one({"_id": 1, "n": 1, "tags": ["a"], "gone": True})

    def work(operation: CoordinatedOperation) -> None:
        updates: list[Any] = [
            {"$inc": {"n": 4}, "$unset": {"gone": ""}},
            {"$push": {"tags": "b"}},
            {"$addToSet": {"tags": "b"}},
            {"$pull": {"tags": "a"}},
            [{"$set": {"double": {"$multiply": ["$n", 2]}}}],
        ]
        for update in updates:
            counters.update_one({"_id": 1}, update, session=operation.session)

    directory_meeting.coordinator().coordinate("update", work)
    assert counters.find_one() == {"_id": 1, "n": 5, "tags": ["b"], "double": 10}


def test_file_service_integration(tmp_path: Path) -> None:
    """The index written to a file brings the same collections back elsewhere, where the master index then lists them."""
    url = str(tmp_path / "index.json")
    with skerry.connect(tmp_path / "first") as client:
        index = MasterIndex(client["shop"])
        index.add_collections({"users": {}, "orders": {}})
    engine = Engine(tmp_path / "first")
    assert backup_index(engine.storage, url) == 2
    engine.close()
    engine = Engine(tmp_path / "second")
    recover(engine.storage, url)
    engine.close()
    with skerry.connect(tmp_path / "second") as client:
        assert list(MasterIndex(client["shop"]).get_collections()) == ["orders", "users"]


def test_master_index_coordination(meeting: Meeting) -> None:
    """Instances never act on what they saw at their construction (each case at length: `tests/engine/test_master_index`)."""
    stale, newer = meeting.index(), meeting.index()
    stale.load()
    newer.add_collection("late")
    assert newer.acquire_lock("late", "newer")
    assert not stale.acquire_lock("late", "stale")
    stale.update_collection_metadata("late", {"note": 1})
    assert newer.is_locked("late")
    assert stale.release_lock("late", "newer")
    assert stale.remove_collection("late")
    newer.take_lease("expired", "op", 1)
    time.sleep(0.01)
    assert stale.cleanup_expired_locks()
    with pytest.raises(SkerryError):
        newer.update_collection_metadata("late", {})
