"""A disk that fills up: the write that does not fit is refused with MongoDB's code, all others stay, and space brings it back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest

from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CountQuery
from skerry.errors import OutOfDiskSpaceError
from skerry.values.namespace import Namespace

NAMESPACE = Namespace("shop", "photos")
OUT_OF_DISK_SPACE = 14031
PHOTO_BYTES = 100_000


def photo(number: int) -> bytes:
    return bson.encode({"_id": number, "data": b"x" * PHOTO_BYTES})


def fill(engine: Engine, ctx: OperationContext) -> int:
    """Insert until the disk is full; return how many were acknowledged."""
    number = 0

    def insert_until_refused() -> None:
        nonlocal number
        while number < 10_000:
            engine.insert(NAMESPACE, [photo(number)], ordered=True, ctx=ctx)
            number += 1

    with pytest.raises(OutOfDiskSpaceError) as refused:
        insert_until_refused()
    assert refused.value.code == OUT_OF_DISK_SPACE
    return number


def limit_pages(engine: Engine, pages: int) -> None:
    engine.storage.store.write(lambda view: view.connection.pragma("max_page_count", pages), durable=False)


def check_intact(engine: Engine, acknowledged: int, ctx: OperationContext) -> None:
    assert engine.count(NAMESPACE, CountQuery({}), ctx) == acknowledged
    assert engine.validate_collection(NAMESPACE)["errors"] == []


def test_a_file_that_may_not_grow_refuses_and_keeps_everything(tmp_path: Path) -> None:
    ctx = OperationContext()
    engine = Engine(tmp_path)
    limit_pages(engine, 1000)
    acknowledged = fill(engine, ctx)
    assert acknowledged > 0
    check_intact(engine, acknowledged, ctx)
    limit_pages(engine, 100_000)
    engine.insert(NAMESPACE, [photo(acknowledged)], ordered=True, ctx=ctx)
    check_intact(engine, acknowledged + 1, ctx)
    engine.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four MB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs more privileges")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_refuses_keeps_everything_and_recovers(small_disk: Path) -> None:
    ctx = OperationContext()
    engine = Engine(small_disk / "data")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_500_000)
    acknowledged = fill(engine, ctx)
    check_intact(engine, acknowledged, ctx)
    ballast.unlink()
    engine.insert(NAMESPACE, [photo(acknowledged)], ordered=True, ctx=ctx)
    engine.close()
    again = Engine(small_disk / "data")
    check_intact(again, acknowledged + 1, ctx)
    again.close()
