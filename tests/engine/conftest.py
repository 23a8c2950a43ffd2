"""Engines on real files in temporary directories."""

from collections.abc import Callable, Iterator
from pathlib import Path

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
