"""Backups: consistent while others write, verified, refused when they are not what they say; restored whole or not at all."""

import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import fsspec
import pytest

from skerry.catalog.file_service import FileService
from skerry.engine.backup import back_up
from skerry.engine.doctor import examine
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CountQuery, FindQuery
from skerry.engine.restore import restore
from skerry.errors import (
    CorruptDatabaseError,
    DamagedBackupError,
    DatabaseExistsError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    InvalidManifestError,
    MissingFileError,
    NewerSchemaError,
    NotADatabaseError,
)
from skerry.storage import Store, WriteView
from skerry.storage.replacement import ASIDE, replace_database
from skerry.sync.origin import Identity, note_copied
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")
LOCKS = ["writer.lock", "writer.turn"]

WRITER = """
import sys, bson
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.values.namespace import Namespace
engine = Engine(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    number += 1
    pair = [bson.encode({"_id": f"{number}{part}", "tags": [number, part], "x": "y" * 500}) for part in "ab"]
    engine.insert(Namespace("shop", "pairs"), pair, ordered=True, ctx=OperationContext())
"""


def leave_as_it_is(_view: WriteView) -> None:
    """Adapt nothing."""


def fill(directory: Path, documents: int = 20) -> None:
    engine = Engine(directory)
    ctx = OperationContext()
    engine.create_indexes(ORDERS, [{"key": {"tags": 1}, "name": "tags_1"}], ctx)
    batch = [bson.encode({"_id": number, "tags": [number, -1], "x": "y" * 200}) for number in range(documents)]
    engine.insert(ORDERS, batch, ordered=True, ctx=ctx)
    engine.close()


def ids(directory: Path, namespace: Namespace = ORDERS) -> list[Any]:
    engine = Engine(directory)
    ctx = OperationContext()
    try:
        cursor = engine.find(namespace, FindQuery({}, sort=[("_id", 1)], projection={"_id": 1}), ctx)
        found = []
        while not cursor.exhausted:
            found += [bson.decode(raw)["_id"] for raw in cursor.next_batch(None, 1 << 24, ctx)]
        return found
    finally:
        engine.close()


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    fill(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def archive(data: Path, tmp_path: Path) -> Path:
    back_up(data, str(tmp_path / "backup.zip"))
    return tmp_path / "backup.zip"


def test_a_backup_restored_elsewhere_is_the_same_database(data: Path, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "new"
    report = restore(str(archive), target, adapt=leave_as_it_is)
    assert (report.manifest.collections, report.manifest.documents) == (1, 20)
    assert ids(target) == ids(data) == list(range(20))
    assert examine(target) == examine(data) == []
    assert names(target) == names(data) == ["skerry.db", *LOCKS]


def test_any_zip_program_can_tell_what_is_in_a_backup(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        assert packed.testzip() is None
        manifest = json.loads(packed.read("manifest.json"))
        assert packed.getinfo("skerry.db").file_size == manifest["database"]["bytes"]
    assert manifest["documents"] == 20
    assert len(manifest["database"]["sha256"]) == 64


def test_a_folder_gets_a_file_named_by_the_time_and_progress_is_told(data: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    report = back_up(data, f"{tmp_path}/backups/", on_progress=lambda *each: told.append(each))
    (file,) = (tmp_path / "backups").iterdir()
    assert file.name.startswith("skerry-20")
    assert report.url.endswith(file.name)
    assert report.archive_bytes == file.stat().st_size
    stages = [stage for stage, _ in itertools.groupby(told, key=lambda each: each[0])]
    assert stages == ["copy", "examine", "pack", "upload", "download", "verify"]
    for stage in stages:
        last = [each for each in told if each[0] == stage][-1]
        assert last[1] == last[2] > 0


@pytest.mark.slow
def test_a_backup_goes_to_s3_and_comes_back(data: Path, tmp_path: Path, s3_options: dict[str, Any]) -> None:
    bucket = f"bucket-{secrets.token_hex(4)}"
    fsspec.filesystem("s3", **s3_options).mkdir(bucket)
    files = FileService(f"s3://{bucket}/site", options=s3_options)
    report = back_up(data, "today.zip", files=files)
    assert report.url == f"s3://{bucket}/site/today.zip"
    restore("today.zip", tmp_path / "new", adapt=leave_as_it_is, files=files)
    assert ids(tmp_path / "new") == list(range(20))


@pytest.mark.slow
def test_a_backup_is_one_committed_state_while_another_process_writes(tmp_path: Path) -> None:
    """Each pair is one transaction: a copy torn between two states would have halves, or indexes that do not fit."""
    data = tmp_path / "data"
    fill(data, 3000)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(data)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        try:
            for number in range(3):
                report = back_up(data, str(tmp_path / f"{number}.zip"))
        finally:
            writer.kill()
    pairs = ids(data, Namespace("shop", "pairs"))
    restore(str(tmp_path / "2.zip"), tmp_path / "new", adapt=leave_as_it_is)
    copied = ids(tmp_path / "new", Namespace("shop", "pairs"))
    assert 0 < len(copied) < len(pairs)
    assert len(copied) % 2 == 0
    assert report.manifest.documents == 3000 + len(copied)
    assert examine(tmp_path / "new") == []


def test_writers_go_on_during_a_backup(data: Path, tmp_path: Path) -> None:
    engine = Engine(data)
    ctx = OperationContext()
    waits: list[float] = []

    def write_during(stage: str, _done: int, _total: int) -> None:
        if stage == "copy":
            began = time.monotonic()
            engine.insert(ORDERS, [bson.encode({"_id": f"during {len(waits)}", "tags": []})], ordered=True, ctx=ctx)
            waits.append(time.monotonic() - began)

    report = back_up(data, str(tmp_path / "b.zip"), on_progress=write_during)
    engine.close()
    assert waits
    assert max(waits) < 1
    assert report.manifest.documents == 20
    assert len(ids(data)) == 20 + len(waits)


def test_what_the_doctor_would_find_is_not_backed_up(data: Path, tmp_path: Path) -> None:
    store = Store(data)
    store.write(lambda view: view.run("DELETE FROM i_1 WHERE rid = 5"), durable=False)
    store.close()
    with pytest.raises(CorruptDatabaseError, match="index tags_1: 2 entries missing"):
        back_up(data, str(tmp_path / "b.zip"))
    assert not (tmp_path / "b.zip").exists()
    assert names(data) == ["skerry.db", *LOCKS]


def test_a_directory_without_a_database_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFoundError):
        back_up(tmp_path / "none", str(tmp_path / "b.zip"))


def test_a_directory_that_is_not_empty_is_refused_unless_told(archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    fill(target, 3)
    with pytest.raises(DatabaseExistsError):
        restore(str(archive), target, adapt=leave_as_it_is)
    assert len(ids(target)) == 3
    restore(str(archive), target, overwrite=True, adapt=leave_as_it_is)
    assert len(ids(target)) == 20
    assert names(target) == ["skerry.db", *LOCKS]
    with pytest.raises(NotADatabaseError):
        restore(str(archive), archive, overwrite=True, adapt=leave_as_it_is)


def test_a_database_that_is_open_is_not_replaced(data: Path, archive: Path) -> None:
    engine = Engine(data)
    try:
        engine.insert(ORDERS, [bson.encode({"_id": "new"})], ordered=True, ctx=OperationContext())
        with pytest.raises(DatabaseInUseError):
            restore(str(archive), data, overwrite=True, adapt=leave_as_it_is)
        assert engine.count(ORDERS, CountQuery({}), OperationContext()) == 21
    finally:
        engine.close()
    assert len(ids(data)) == 21


@pytest.mark.parametrize("wreck", [b"", b"\x00" * 8192, os.urandom(8192)], ids=["empty", "zeros", "noise"])
def test_a_damaged_database_can_be_replaced(data: Path, archive: Path, wreck: bytes) -> None:
    (data / "skerry.db").write_bytes(wreck)
    (data / "skerry.db-wal").write_bytes(wreck)
    restore(str(archive), data, overwrite=True, adapt=leave_as_it_is)
    assert len(ids(data)) == 20
    assert names(data) == ["skerry.db", *LOCKS]


def repack(archive: Path, change: Callable[[dict[str, Any]], object], database: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(archive) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        content = packed.read("skerry.db")
    change(manifest)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("skerry.db", database(content))
        packed.writestr("manifest.json", json.dumps(manifest))


def unchanged(content: bytes) -> bytes:
    return content


def nothing(_manifest: dict[str, Any]) -> None:
    """Change nothing."""


def without_manifest(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("skerry.db", b"x")


def without_database(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        manifest = packed.read("manifest.json")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("manifest.json", manifest)


def flip_a_bit(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 3] ^= 1
    archive.write_bytes(content)


def cut_short(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])


BROKEN: dict[str, tuple[Callable[[Path], object], type[Exception], str]] = {
    "no archive": (lambda archive: archive.write_bytes(b"no archive"), DamagedBackupError, "archive is damaged"),
    "empty": (lambda archive: archive.write_bytes(b""), DamagedBackupError, "archive is damaged"),
    "cut short": (cut_short, DamagedBackupError, "archive is damaged"),
    "a bit flipped": (flip_a_bit, DamagedBackupError, "damaged|hash"),
    "no manifest": (without_manifest, InvalidManifestError, "has no manifest"),
    "no database": (without_database, DamagedBackupError, "has no skerry"),
    "other format": (lambda a: repack(a, lambda m: m.update(format=9), unchanged), InvalidManifestError, "format is 9"),
    "field gone": (
        lambda a: repack(a, lambda m: m.pop("documents"), unchanged),
        InvalidManifestError,
        "cannot be read",
    ),
    "field of another type": (
        lambda a: repack(a, lambda m: m.update(documents="20"), unchanged),
        InvalidManifestError,
        "'20' for documents",
    ),
    "another database": (lambda a: repack(a, nothing, lambda c: c[:-1] + b"?"), DamagedBackupError, "hash"),
    "a longer database": (lambda a: repack(a, nothing, lambda c: c + b"?"), DamagedBackupError, "bytes"),
    "a shorter database": (lambda a: repack(a, nothing, lambda c: c[:-1]), DamagedBackupError, "bytes"),
    "other counts": (lambda a: repack(a, lambda m: m.update(documents=19), unchanged), DamagedBackupError, "counts"),
    "newer schema": (lambda a: repack(a, lambda m: m.update(schemaVersion=99), unchanged), NewerSchemaError, "99"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_backup_is_refused_and_what_is_there_stays(
    data: Path, archive: Path, tmp_path: Path, kind: str
) -> None:
    break_it, error, words = BROKEN[kind]
    break_it(archive)
    with pytest.raises(error, match=words):
        restore(str(archive), data, overwrite=True, adapt=leave_as_it_is)
    assert len(ids(data)) == 20
    assert names(data) == ["skerry.db", *LOCKS]
    with pytest.raises(error):
        restore(str(archive), tmp_path / "new", adapt=leave_as_it_is)
    assert not (tmp_path / "new").exists()


def test_a_backup_that_is_not_there_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        restore(str(tmp_path / "none.zip"), tmp_path / "new", adapt=leave_as_it_is)
    assert not (tmp_path / "new").exists()


def test_the_old_database_comes_back_when_the_new_one_cannot_be_read(data: Path, tmp_path: Path) -> None:
    bad = data / "bad"
    bad.write_bytes(os.urandom(8192))
    with pytest.raises((NotADatabaseError, CorruptDatabaseError)):
        replace_database(data, bad)
    assert len(ids(data)) == 20
    assert names(data) == ["skerry.db", *LOCKS]


def test_what_an_interrupted_restore_left_is_not_overwritten(data: Path, archive: Path) -> None:
    shutil.copy(data / "skerry.db", data / ASIDE)
    with pytest.raises(DatabaseExistsError, match="interrupted restore"):
        restore(str(archive), data, overwrite=True, adapt=leave_as_it_is)
    assert (data / ASIDE).exists()


def test_a_restored_copy_takes_a_new_name_on_its_links(data: Path, tmp_path: Path) -> None:
    store = Store(data)
    before = Identity.new()
    before.run = before.next_run = "run"
    store.write(lambda view: before.save(view, "hub"), durable=False)
    store.close()
    back_up(data, str(tmp_path / "b.zip"))
    restore(str(tmp_path / "b.zip"), tmp_path / "new", adapt=note_copied)
    store = Store(tmp_path / "new")
    with store.read() as view:
        after = Identity.load(view, "hub")
    store.close()
    assert after is not None
    assert (after.edge, after.run, after.next_run) == (before.edge, "", "")


def test_two_backups_at_once_do_not_meet(data: Path, tmp_path: Path) -> None:
    threads = [threading.Thread(target=back_up, args=(data, str(tmp_path / f"{n}.zip"))) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "0.zip").exists()
    assert (tmp_path / "1.zip").exists()
