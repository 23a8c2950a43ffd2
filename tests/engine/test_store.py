"""The store: one file, one writer, any number of readers, refusals that lose nothing."""

import os
import threading
from pathlib import Path

import apsw
import pytest

from skerry.errors import (
    CorruptDatabaseError,
    NewerSchemaError,
    NotADatabaseError,
    ReadOnlyDatabaseError,
    ShutdownError,
)
from skerry.storage import Store, WriteView, migrations
from skerry.storage.migrations import APPLICATION_ID, SCHEMA_VERSION


def set_note(view: WriteView, value: object) -> None:
    view.set_setting("note", value)


def note(store: Store) -> object:
    with store.read() as view:
        return view.setting("note")


def test_a_committed_write_is_there_after_reopening(tmp_path: Path) -> None:
    first = Store(tmp_path)
    first.write(lambda view: set_note(view, 7), durable=True)
    first.close()
    second = Store(tmp_path)
    assert note(second) == 7
    second.close()


def test_a_write_that_raises_leaves_nothing_behind(store: Store) -> None:
    def fail(view: WriteView) -> None:
        set_note(view, 1)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        store.write(fail, durable=True)
    assert note(store) is None


def test_queued_writes_share_a_commit_and_fail_alone(store: Store) -> None:
    """Ten threads queue while the first holds the writer; every third raises, and only those are undone."""
    entered, go_on = threading.Event(), threading.Event()
    outcomes: dict[int, str] = {}

    def block(_view: WriteView) -> None:
        entered.set()
        assert go_on.wait(10)

    def attempt(number: int) -> None:
        def job(view: WriteView) -> None:
            view.set_setting(f"n{number}", number)
            if number % 3 == 0:
                raise ValueError(number)

        try:
            store.write(job, durable=False)
            outcomes[number] = "kept"
        except ValueError as error:
            outcomes[number] = f"refused {error}"

    blocker = threading.Thread(target=store.write, args=(block,), kwargs={"durable": False})
    blocker.start()
    assert entered.wait(10)
    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    go_on.set()
    for thread in (blocker, *threads):
        thread.join(10)
    assert outcomes == {n: f"refused {n}" if n % 3 == 0 else "kept" for n in range(10)}
    with store.read() as view:
        assert [n for n in range(10) if view.setting(f"n{n}") is not None] == [1, 2, 4, 5, 7, 8]


def test_a_reader_keeps_its_snapshot_while_a_writer_commits(store: Store) -> None:
    store.write(lambda view: set_note(view, "old"), durable=False)
    with store.read() as view:
        assert view.setting("note") == "old"
        store.write(lambda other: set_note(other, "new"), durable=False)
        assert view.setting("note") == "old"
    assert note(store) == "new"


def test_two_stores_on_one_directory_see_each_other(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    first.write(lambda view: set_note(view, 1), durable=False)
    assert note(second) == 1
    second.write(lambda view: set_note(view, 2), durable=False)
    assert note(first) == 2
    first.close()
    second.close()


def test_cluster_time_never_goes_back_with_the_clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def stamp(view: WriteView) -> int:
        ts = view.next_timestamp()
        view.append_oplog([(ts, view.wall_ms, "n", "", "", None, None, None, None, None)])
        return ts

    before = store.write(stamp, durable=False)
    monkeypatch.setattr("skerry.storage.write_view.time.time", lambda: 1_000_000.0)
    assert store.write(stamp, durable=False) == before + 1


def grow_log(store: Store) -> int:
    store.write(lambda view: set_note(view, b"x" * 3_000_000), durable=False)
    return os.path.getsize(store.database_path + "-wal")


def test_a_long_log_starts_again_as_soon_as_no_reader_needs_it(store: Store) -> None:
    with store.read() as view:
        view.setting("note")
        assert grow_log(store) > 2_000_000
        assert not store.bound_log(1_000_000), "a reader still needs it"
    assert store.bound_log(1_000_000)
    assert os.path.getsize(store.database_path + "-wal") == 0
    assert len(str(note(store))) > 2_000_000


def test_a_short_log_is_left_alone(store: Store) -> None:
    before = grow_log(store)
    assert store.bound_log(100_000_000)
    assert os.path.getsize(store.database_path + "-wal") == before


def test_a_closed_store_refuses_reads_and_writes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(ShutdownError):
        store.write(lambda view: set_note(view, 1), durable=False)
    with pytest.raises(ShutdownError):
        note(store)


def test_a_volatile_store_leaves_no_files() -> None:
    store = Store(None)
    store.write(lambda view: set_note(view, 1), durable=True)
    directory = store.directory
    assert directory.exists()
    store.close()
    assert not directory.exists()


def test_an_sqlite_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "skerry.db"))
    other.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
    other.close()
    before = (tmp_path / "skerry.db").read_bytes()
    with pytest.raises(NotADatabaseError, match="another program"):
        Store(tmp_path)
    assert (tmp_path / "skerry.db").read_bytes() == before


def test_a_file_of_a_newer_version_is_refused_and_named(tmp_path: Path) -> None:
    newer = apsw.Connection(str(tmp_path / "skerry.db"))
    newer.pragma("application_id", APPLICATION_ID)
    newer.pragma("user_version", SCHEMA_VERSION + 1)
    newer.execute("CREATE TABLE future (x)")
    newer.close()
    with pytest.raises(NewerSchemaError, match=f"schema version {SCHEMA_VERSION + 1}"):
        Store(tmp_path)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_file_of_an_older_version_is_brought_up_to_date_and_keeps_what_it_has(tmp_path: Path, version: int) -> None:
    (tmp_path / "old").mkdir()
    old = apsw.Connection(str(tmp_path / "old" / "skerry.db"))
    old.pragma("application_id", APPLICATION_ID)
    for script in migrations._MIGRATIONS[:version]:
        old.execute(script)
    old.pragma("user_version", version)
    old.execute("INSERT INTO sync_place VALUES (1, 'hub', 'shop.orders')")
    old.close()
    for directory in ("old", "new"):
        Store(tmp_path / directory).close()
    brought_up, made = (apsw.Connection(str(tmp_path / name / "skerry.db")) for name in ("old", "new"))
    everything = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
    assert brought_up.execute(everything).fetchall() == made.execute(everything).fetchall()
    assert brought_up.execute("SELECT * FROM sync_place").fetchall() == [(1, "hub", "shop.orders")]


def test_garbage_in_place_of_the_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    garbage = os.urandom(20_000)
    (tmp_path / "skerry.db").write_bytes(garbage)
    with pytest.raises((NotADatabaseError, CorruptDatabaseError)):
        Store(tmp_path)
    assert (tmp_path / "skerry.db").read_bytes() == garbage


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("hello")
    with pytest.raises(NotADatabaseError, match="is a file"):
        Store(tmp_path / "data")


def test_a_read_only_directory_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:  # root may write anywhere: ask the check, not the file system
        monkeypatch.setattr("skerry.storage.store.os.access", lambda *_: False)
    else:
        tmp_path.chmod(0o500)
    try:
        with pytest.raises(ReadOnlyDatabaseError, match="not writable"):
            Store(tmp_path)
    finally:
        tmp_path.chmod(0o700)
