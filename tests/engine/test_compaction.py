"""Giving space back: beside readers, beside writers, and when it is interrupted."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import bson
import pytest

from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.errors import CorruptDatabaseError
from skerry.storage import compaction
from skerry.storage.compaction import compact, reclaimable_bytes
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")


def insert(engine: Engine, ids: range, text: str = "x" * 1000) -> None:
    raw = [bson.encode({"_id": number, "text": text}) for number in ids]
    engine.insert(ORDERS, raw, ordered=True, ctx=OperationContext())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database most of whose pages hold nothing."""
    engine = Engine(tmp_path)
    insert(engine, range(2000))
    engine.storage.store.write(lambda view: view.run("DELETE FROM c_1 WHERE rid > 100"), durable=True)
    engine.storage.store.write(lambda view: view.run("DELETE FROM oplog"), durable=True)
    yield engine
    engine.close()


def count(engine: Engine) -> Any:
    with engine.storage.store.read() as view:
        return view.count_records(1)


def test_an_open_database_gets_smaller_and_goes_on(engine: Engine, tmp_path: Path) -> None:
    free = reclaimable_bytes(tmp_path)
    assert free > 1_000_000
    done = compact(tmp_path)
    assert done.is_complete
    assert done.bytes_freed >= free
    assert (tmp_path / "skerry.db").stat().st_size == done.bytes_after
    assert reclaimable_bytes(tmp_path) == 0
    assert count(engine) == 100
    insert(engine, range(5000, 5010))
    assert count(engine) == 110


def test_a_reader_keeps_its_state_and_the_file_is_cut_later(engine: Engine, tmp_path: Path) -> None:
    insert(engine, range(9000, 9001))
    snapshot = engine.storage.store.snapshot()
    insert(engine, range(9001, 9002))
    done = compact(tmp_path, readers_wait_ms=10)
    assert not done.is_complete
    assert snapshot.view.count_records(1) == 101
    snapshot.close()
    assert count(engine) == 102
    assert engine.storage.store.bound_log(0)
    assert (tmp_path / "skerry.db").stat().st_size < done.bytes_before


def test_a_writer_waits_and_its_write_is_kept(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, wrote = threading.Event(), threading.Event()
    vacuum = compaction._vacuum

    def write() -> None:
        started.set()
        insert(engine, range(7000, 7001))
        wrote.set()

    thread = threading.Thread(target=write)

    def while_locked(database: Path, wait_ms: int) -> bool:
        thread.start()
        assert started.wait(10)
        assert not wrote.wait(0.05)
        return vacuum(database, wait_ms)

    monkeypatch.setattr(compaction, "_vacuum", while_locked)
    compact(tmp_path)
    thread.join(10)
    assert wrote.is_set()
    assert count(engine) == 101


def test_an_interruption_leaves_everything_as_it_was(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(apsw.Connection):
        def set_progress_handler(self, *_: Any, **__: Any) -> None:
            def interrupt() -> bool:
                raise KeyboardInterrupt

            super().set_progress_handler(interrupt, 100)

    free = reclaimable_bytes(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("skerry.storage.compaction.apsw.Connection", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            compact(tmp_path)
    assert reclaimable_bytes(tmp_path) == free
    assert count(engine) == 100
    insert(engine, range(7000, 7001))


def test_what_is_damaged_is_not_rewritten(tmp_path: Path) -> None:
    Engine(tmp_path).close()
    file = tmp_path / "skerry.db"
    content = bytearray(file.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    file.write_bytes(content)
    with pytest.raises(CorruptDatabaseError):
        compact(tmp_path)
    assert file.read_bytes() == bytes(content)
