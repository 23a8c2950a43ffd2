"""What is found around a database: room on its disk, and processes that have it open."""

import os
from pathlib import Path

import pytest

from skerry.engine.circumstances import DISK_BYTES_MIN, Level, check_circumstances, check_room
from skerry.engine.engine import Engine
from skerry.storage.open_elsewhere import LOCKS, processes_on


def test_little_room_is_a_warning_with_advice() -> None:
    assert check_room(DISK_BYTES_MIN, DISK_BYTES_MIN).level is Level.OK
    for free, size in ((DISK_BYTES_MIN - 1, 0), (2 * DISK_BYTES_MIN, 3 * DISK_BYTES_MIN)):
        found = check_room(free, size)
        assert found.level is Level.WARNING
        assert "skerry compact" in found.advice


@pytest.mark.skipif(not LOCKS.exists(), reason="this system does not list locks")
def test_a_process_is_named_while_it_has_the_database_open(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert processes_on(tmp_path) == [os.getpid()]
    assert f"open in process {os.getpid()};" in check_circumstances(tmp_path)[1].message
    engine.close()
    assert processes_on(tmp_path) == []
    assert "no other process" in check_circumstances(tmp_path)[1].message


def test_where_locks_are_not_listed_nobody_knows(tmp_path: Path) -> None:
    Engine(tmp_path).close()
    assert processes_on(tmp_path, tmp_path / "none") is None
