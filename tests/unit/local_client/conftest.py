"""Clients of this process, through the adapters and through the way round them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.local_client import async_client, client
from skerry.local_client.open_engines import _OPEN_ENGINES


@pytest.fixture(params=["direct", "fallback"])
def _transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test on both transports: the second by a self-test that fails."""
    if request.param == "fallback":
        monkeypatch.setattr(client, "direct_connections_fit", lambda: False)
        monkeypatch.setattr(async_client, "async_direct_connections_fit", lambda: False)


@pytest.fixture
def is_open() -> Callable[[Path], bool]:
    """Tells whether this process has an engine for a directory."""
    return lambda directory: os.path.realpath(directory) in _OPEN_ENGINES._by_path
