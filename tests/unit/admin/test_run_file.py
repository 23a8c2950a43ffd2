"""The file by which the command line finds a node."""

import stat
from pathlib import Path

import pytest

from skerry.admin import run_file
from skerry.admin.run_file import NAME, RunFile
from skerry.errors import ConfigurationError

RUN = RunFile("http://127.0.0.1:1", "secret", 41)


def test_what_is_written_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    run_file.write(tmp_path, RUN)
    assert run_file.read(tmp_path) == RUN
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_process_takes_only_its_own_file_away(tmp_path: Path) -> None:
    run_file.write(tmp_path, RUN)
    run_file.remove(tmp_path, 42)
    assert run_file.read(tmp_path) == RUN
    run_file.remove(tmp_path, 41)
    run_file.remove(tmp_path, 41)
    assert run_file.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "x"}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ConfigurationError, match=NAME):
        run_file.read(tmp_path)
