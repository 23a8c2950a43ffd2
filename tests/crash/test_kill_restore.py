"""kill -9 between any two steps of a backup and of a restore: the old database is there, or the new one, and no third thing."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest

from skerry.engine.backup import back_up
from skerry.engine.doctor import mend
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CountQuery
from skerry.storage.replacement import ASIDE
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")
OLD, NEW = 3, 20

# Forks once for each step N; the child kills itself before its N-th change of a directory (as Python's audit events tell).
STEPPER = """
import os, shutil, signal, sys
from pathlib import Path
from skerry.engine.backup import back_up
from skerry.engine.restore import restore
from skerry.sync.origin import note_copied

import fsspec.implementations.local, tenacity, zipfile

what, root = sys.argv[1], Path(sys.argv[2])

def run(directory):
    if what == "backup":
        back_up(directory, str(root / "archives" / directory.name))
    else:
        restore(str(root / "new.zip"), directory, overwrite=True, adapt=note_copied)

class Killer:
    def __init__(self, step):
        self.left = step
    def __call__(self, event, arguments):
        writes = event == "open" and isinstance(arguments[1], str) and not arguments[1].startswith("r")
        if writes or event in ("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir"):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

step = 1
while True:
    directory = root / str(step)
    shutil.copytree(root / "old", directory)
    child = os.fork()
    if child == 0:
        sys.addaudithook(Killer(step))
        run(directory)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
    step += 1
print(step)
"""


def fill(directory: Path, documents: int) -> None:
    engine = Engine(directory)
    batch = [bson.encode({"_id": number}) for number in range(documents)]
    engine.insert(ORDERS, batch, ordered=True, ctx=OperationContext())
    engine.close()


def count(directory: Path) -> int:
    engine = Engine(directory)
    try:
        return engine.count(ORDERS, CountQuery({}), OperationContext())
    finally:
        engine.close()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """`old`, a database of few documents, and `new.zip`, a backup of many; in memory, where there is some for files."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else tmp_path) as directory:
        root = Path(directory)
        fill(root / "old", OLD)
        fill(root / "source", NEW)
        back_up(root / "source", str(root / "new.zip"))
        yield root


def steps_of(what: str, root: Path) -> int:
    done = subprocess.run([sys.executable, "-c", STEPPER, what, str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
def test_an_interrupted_restore_leaves_the_old_or_the_new_database(root: Path) -> None:
    steps = steps_of("restore", root)
    assert steps > 8
    counts = []
    for step in range(1, steps + 1):
        directory = root / str(step)
        report = mend(directory)
        counts.append(count(directory))
        if report.remaining:
            assert [finding.where for finding in report.remaining] == [ASIDE], "only the old database, kept aside"
            assert counts[-1] == NEW
            (directory / ASIDE).rename(directory / "skerry.db")
            assert count(directory) == OLD
    assert counts == sorted(counts), "one step decides"
    assert set(counts) == {OLD, NEW}


@pytest.mark.slow
def test_an_interrupted_backup_leaves_a_whole_archive_or_none(root: Path) -> None:
    steps = steps_of("backup", root)
    assert steps > 4
    for step in range(1, steps + 1):
        assert mend(root / str(step)).remaining == []
        assert count(root / str(step)) == OLD
        archive = root / "archives" / str(step)
        if archive.exists():
            back_up(root / str(step), str(archive))
    assert archive.exists()
