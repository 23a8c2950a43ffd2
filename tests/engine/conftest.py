"""Engines on real files in temporary directories."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.config import EngineConfig
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.storage import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def open_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Open engines on one directory, as several programs would; all are closed at the end."""
    opened: list[Engine] = []

    def open_one(name: str = "data", config: EngineConfig | None = None) -> Engine:
        engine = Engine(tmp_path / name, config)
        opened.append(engine)
        return engine

    yield open_one
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(open_engine: Callable[..., Engine]) -> Engine:
    return open_engine()


@pytest.fixture
def ctx() -> OperationContext:
    return OperationContext()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """An S3 server of its own, on a free port."""
    script = (
        "import sys; from moto.server import ThreadedMotoServer;"
        " server = ThreadedMotoServer('127.0.0.1', 0, verbose=False); server.start();"
        " print(*server.get_host_and_port(), flush=True); sys.stdin.read(); server.stop()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        host, port = process.stdout.readline().split()
        yield f"http://{host}:{port}"
        process.stdin.close()


@pytest.fixture
def s3_options(s3_endpoint: str) -> dict[str, Any]:
    """What a `FileService` needs to reach the S3 server of the tests."""
    return {"key": "testing", "secret": "testing", "endpoint_url": s3_endpoint}
