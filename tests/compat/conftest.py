"""Server processes, for witnesses that come over the wire."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Host and port of a `skerry serve` of its own."""
    data = tmp_path_factory.mktemp("compat") / "data"
    with running(["-m", "skerry", "serve", "--bind", "127.0.0.1:0", "--data", str(data)]) as address:
        yield address


@pytest.fixture(scope="module")
def failing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Host and port of a server that has MongoDB's fail points."""
    with running([str(HERE / "failing_server.py"), str(tmp_path_factory.mktemp("compat") / "data")]) as address:
        yield address


@contextmanager
def running(arguments: list[str]) -> Iterator[tuple[str, int]]:
    """Run a server, and end it."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("skerry ready mongodb://"), line
            host, _, port = line.strip().rpartition("/")[2].rpartition(":")
            yield host, int(port)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
