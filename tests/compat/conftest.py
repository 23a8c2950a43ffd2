"""A `skerry serve` process, for witnesses that come over the wire."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Host and port of a server of its own."""
    command = [sys.executable, "-m", "skerry", "serve", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--data", str(tmp_path_factory.mktemp("compat") / "data")], stdout=subprocess.PIPE, text=True
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
