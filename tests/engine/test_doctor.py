"""What the doctor finds in a damaged directory, what it mends, and what it leaves alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import bson
import pytest

from skerry.engine.doctor import examine, mend
from skerry.engine.doctor_checks import Finding
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CountQuery
from skerry.errors import DatabaseNotFoundError
from skerry.storage import Store, WriteView
from skerry.storage.replacement import ASIDE
from skerry.storage.scratch_directory import PREFIX, scratch_directory
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")
DOCUMENTS = 50

Damage = Callable[[WriteView], object]


@pytest.fixture
def directory(tmp_path: Path, ctx: OperationContext) -> Path:
    """A sound database: `c_1` with a unique index `i_1`, a multikey index `i_2`, and an empty collection `c_2`."""
    engine = Engine(tmp_path / "data")
    engine.create_indexes(
        ORDERS, [{"key": {"n": 1}, "name": "n_1", "unique": True}, {"key": {"tags": 1}, "name": "tags_1"}], ctx
    )
    documents = [bson.encode({"_id": number, "n": number, "tags": [number, -1]}) for number in range(DOCUMENTS)]
    engine.insert(ORDERS, documents, ordered=True, ctx=ctx)
    engine.create_collection(Namespace("shop", "empty"), {}, ctx)
    engine.close()
    return tmp_path / "data"


def damage(directory: Path, *changes: str | Damage) -> None:
    """Change tables behind the engine's back."""
    store = Store(directory)

    def job(view: WriteView) -> None:
        for change in changes:
            if isinstance(change, str):
                view.run(change)
            else:
                change(view)

    store.write(job, durable=False)
    store.close()


def documents_of(directory: Path, namespace: Namespace = ORDERS) -> int:
    engine = Engine(directory)
    try:
        assert engine.validate_collection(namespace)["errors"] == []
        return engine.count(namespace, CountQuery({}), OperationContext())
    finally:
        engine.close()


def described(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.where) for finding in findings]


def test_a_sound_database_has_no_findings_and_mending_it_does_nothing(directory: Path) -> None:
    assert examine(directory) == []
    report = mend(directory)
    assert (report.treatments, report.remaining) == ([], [])


def test_a_directory_without_a_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFoundError):
        examine(tmp_path)
    assert list(tmp_path.iterdir()) == []


def misplace(view: WriteView) -> None:
    view.rekey_record(1, 3, b"\x7fnowhere")


MENDABLE: dict[str, tuple[tuple[str | Damage, ...], tuple[str, str], str]] = {
    "lost index entries": (("DELETE FROM i_2 WHERE rid = 5",), ("indexes", "shop.orders"), "rebuilt index tags_1"),
    "surplus index entries": (
        ("INSERT INTO i_2 VALUES (x'00', 5)",),
        ("indexes", "shop.orders"),
        "rebuilt index tags_1",
    ),
    "index table gone": (("DROP TABLE i_1",), ("indexes", "shop.orders"), "rebuilt index n_1"),
    "arrays unknown to the planner": (
        (
            "UPDATE collection_index SET multikey_paths = (SELECT multikey_paths FROM collection_index WHERE index_id = 1)",
        ),
        ("indexes", "shop.orders"),
        "rebuilt index tags_1",
    ),
    "wrong count": (("UPDATE collection SET document_count = 7",), ("counts", "shop.orders"), "counted the documents"),
    "wrong size": (("UPDATE collection SET document_bytes = 7",), ("counts", "shop.orders"), "counted the documents"),
    "wrong key": ((misplace,), ("documents", "shop.orders"), "stored 1 documents under their _id"),
    "empty table without a name": (
        ("CREATE TABLE c_9 (rid INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, doc BLOB NOT NULL)",),
        ("tables", "c_9"),
        "dropped the empty table c_9",
    ),
    "index table without an index": (
        ("CREATE TABLE i_9 (key BLOB, rid INTEGER, PRIMARY KEY (key, rid)) WITHOUT ROWID",),
        ("tables", "i_9"),
        "dropped the index table i_9",
    ),
    "index without a collection": (
        (
            "INSERT INTO collection_index SELECT 9, 77, name, spec, multikey_paths FROM collection_index WHERE index_id = 1",
        ),
        ("tables", "index 9"),
        "removed index 9 from the catalogue",
    ),
    "empty table gone": (("DROP TABLE c_2",), ("tables", "shop.empty"), "made the empty table c_2"),
}


@pytest.mark.parametrize("kind", MENDABLE)
def test_what_can_be_derived_is_found_named_and_mended(directory: Path, kind: str) -> None:
    changes, (check, where), done = MENDABLE[kind]
    damage(directory, *changes)
    findings = examine(directory)
    assert (check, where) in described(findings)
    report = mend(directory)
    assert any(done in (each.done or "") for each in report.treatments), report.treatments
    assert report.remaining == []
    assert documents_of(directory) == DOCUMENTS


def test_documents_without_a_name_are_not_deleted_but_given_one(directory: Path) -> None:
    damage(directory, "DELETE FROM collection WHERE name = 'orders'")
    assert described(examine(directory)) == [
        ("tables", "c_1"),
        ("tables", "i_1"),
        ("tables", "i_2"),
        ("tables", "index 1"),
        ("tables", "index 2"),
    ]
    report = mend(directory)
    assert report.treatments[0].done == "made c_1 the collection lost_and_found.c_1"
    assert report.remaining == []
    assert documents_of(directory, Namespace("lost_and_found", "c_1")) == DOCUMENTS


UNMENDABLE: dict[str, tuple[str, tuple[str, str], str]] = {
    "documents gone": ("DROP TABLE c_1", ("tables", "shop.orders"), "the 50 documents with it"),
    "unreadable document": ("UPDATE c_1 SET doc = x'00' WHERE rid = 4", ("documents", "shop.orders"), "record 4"),
    "unreadable options": (
        "UPDATE collection SET options = x'00'",
        ("integrity", "the database"),
        "catalogue cannot be",
    ),
    "schema": ("DROP TABLE retryable_write", ("tables", "the schema"), "retryable_write"),
    "oplog entry": ("UPDATE oplog SET o = x'00'", ("oplog", "Timestamp("), "cannot be read"),
    "cluster time": ("UPDATE oplog SET wall = wall + 100000000", ("oplog", "Timestamp("), "older than their wall time"),
    "clock": (
        "UPDATE oplog SET ts = ts + (1000000 << 32) WHERE ts = (SELECT max(ts) FROM oplog)",
        ("oplog", "cluster time"),
        "in the future",
    ),
}


@pytest.mark.parametrize("kind", UNMENDABLE)
def test_what_only_a_backup_can_bring_back_is_told_and_left_alone(directory: Path, kind: str) -> None:
    change, (check, where), words = UNMENDABLE[kind]
    damage(directory, change)
    findings = [finding for finding in examine(directory) if finding.check == check]
    assert any(finding.where.startswith(where) and words in finding.message for finding in findings), findings
    report = mend(directory)
    left = [finding for finding in report.remaining if finding.check == check]
    assert any(finding.where.startswith(where) and words in finding.message for finding in left), left


def test_two_documents_with_one_unique_key_are_kept_and_the_failure_is_told(directory: Path) -> None:
    twin = bson.encode({"_id": 3, "n": 4, "tags": []})
    damage(directory, lambda view: view.update_record(1, 4, twin))
    report = mend(directory)
    failed = [each for each in report.treatments if each.failure]
    assert any("duplicate key" in (each.failure or "") and "n_1" in each.finding.message for each in failed)
    assert report.remaining
    store = Store(directory)
    with store.read() as view:
        assert view.count_records(1) == DOCUMENTS
        assert view.record(1, 4) == twin
    store.close()


def test_damaged_pages_are_found(directory: Path) -> None:
    file = directory / "skerry.db"
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    file.write_bytes(content)
    findings = examine(directory)
    assert "integrity" in {finding.check for finding in findings}
    assert mend(directory).remaining


def test_what_killed_programs_left_is_found_and_what_is_in_use_is_not(directory: Path) -> None:
    (directory / f"{PREFIX}left").mkdir()
    (directory / ".x.abc.skerry-unfinished").write_bytes(b"half")
    with scratch_directory(directory):
        assert described(examine(directory)) == [("files", f"{PREFIX}left"), ("files", ".x.abc.skerry-unfinished")]
        assert mend(directory).remaining == []
        assert len(list(directory.glob(f"{PREFIX}*"))) == 1
    assert sorted(path.name for path in directory.iterdir()) == ["skerry.db", "writer.lock", "writer.turn"]


def test_the_old_database_that_a_restore_left_is_removed_only_as_a_second_name(directory: Path) -> None:
    (directory / ASIDE).hardlink_to(directory / "skerry.db")
    assert mend(directory).treatments[0].done == f"removed {ASIDE}"
    shutil.copy(directory / "skerry.db", directory / ASIDE)
    report = mend(directory)
    assert described(report.remaining) == [("files", ASIDE)]
    assert (directory / ASIDE).exists()


def test_the_doctor_works_while_others_have_the_database_open(directory: Path, ctx: OperationContext) -> None:
    damage(directory, "DELETE FROM i_2 WHERE rid = 5")
    engine = Engine(directory)
    try:
        assert mend(directory).remaining == []
        assert engine.count(ORDERS, CountQuery({"tags": 4}), ctx) == 1
        engine.insert(ORDERS, [bson.encode({"_id": "new", "n": "new", "tags": []})], ordered=True, ctx=ctx)
    finally:
        engine.close()
    assert examine(directory) == []
