"""A hub and edges for tests: each an engine with a wire server and a pymongo client of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.server.listener import Listener
from skerry.sync.replicator import Replicator


class HubNode:
    """A hub that can be stopped and started again at the same address; or a real one, by SKERRY_TEST_MONGODB_URI.

    A real hub must be a replica set; its databases `shop` and `depot*` are emptied before each test.
    """

    real_uri = os.environ.get("SKERRY_TEST_MONGODB_URI")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._port = 0
        if self.real_uri is None:
            self.start()
        self.client: MongoClient[dict[str, Any]] = MongoClient(self.uri)
        if self.real_uri is not None:
            for name in ("shop", "depot1", "depot2"):
                self.client.drop_database(name)
        self.shop = self.client.shop

    @property
    def uri(self) -> str:
        return self.real_uri or f"mongodb://127.0.0.1:{self._port}/?directConnection=true"

    @property
    def port(self) -> int:
        self._need_own()
        return self._port

    @property
    def engine(self) -> Engine:
        self._need_own()
        return self._engine

    def start(self) -> None:
        self._need_own()
        self._engine = Engine(self.path)
        self.listener = Listener(("127.0.0.1", self._port), self._engine)
        self.listener.start()
        self._port = self.listener.address[1]  # type: ignore[index]

    def stop(self) -> None:
        self._need_own()
        self.listener.close()
        self.engine.close()

    def close(self) -> None:
        self.client.close()
        if self.real_uri is None:
            self.stop()

    def _need_own(self) -> None:
        if self.real_uri is not None:
            pytest.skip("needs a hub of its own")


class EdgeNode:
    """An edge with its link, started unless `linked` is false."""

    def __init__(self, path: Path, hub_uri: str, rules: str, *, linked: bool = True, **settings: Any) -> None:
        self.path = path
        settings.setdefault("backoff_ms_min", 20)
        settings.setdefault("backoff_ms_max", 200)
        self.config = SyncConfig(
            hub_uri=hub_uri, rules=tuple(parse_rule(rule) for rule in rules.split(",")), **settings
        )
        self.open()
        if linked:
            self.link()

    def open(self) -> None:
        self.engine = Engine(self.path)
        self.listener = Listener(("127.0.0.1", 0), self.engine)
        self.listener.start()
        port = self.listener.address[1]  # type: ignore[index]
        self.client: MongoClient[dict[str, Any]] = MongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true")
        self.shop = self.client.shop
        self.replicator = Replicator(self.engine, self.config)
        self.is_open = True

    def link(self) -> None:
        self.replicator.start()

    def unlink(self) -> None:
        self.replicator.stop()

    def relink(self) -> None:
        self.replicator = Replicator(self.engine, self.config)
        self.replicator.start()

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.replicator.stop()
            self.client.close()
            self.listener.close()
            self.engine.close()

    def settle(self, seconds: float = 20) -> None:
        assert self.replicator.wait_until_in_step(seconds), self.replicator.status()

    def counters(self) -> dict[str, int]:
        return self.replicator.status().counters


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def contents(database: Any) -> dict[str, list[dict[str, Any]]]:
    """Return all documents of a database but markers, by collection."""
    names = sorted(name for name in database.list_collection_names() if not name.startswith("__"))
    return {name: found for name in names if (found := sorted(database[name].find(), key=lambda d: str(d["_id"])))}
