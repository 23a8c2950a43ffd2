"""Edges for tests: each an engine with a wire server, a pymongo client of it, and a link."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from skerry.config.sync_config import SyncConfig, parse_conflict_rule, parse_rule
from skerry.engine.engine import Engine
from skerry.server.listener import Listener
from skerry.sync.replicator import Replicator


class EdgeNode:
    """An edge with its link, started unless `linked` is false.

    `prefix` stands before the names of its databases, as on the hub; `rules` and `conflict_rules` are written without.
    """

    def __init__(
        self,
        path: Path,
        hub_uri: str,
        rules: str,
        *,
        prefix: str = "",
        conflict_rules: Sequence[str] = (),
        linked: bool = True,
        **settings: Any,
    ) -> None:
        self.path, self.prefix = path, prefix
        settings.setdefault("backoff_ms_min", 20)
        settings.setdefault("backoff_ms_max", 200)
        self.config = SyncConfig(
            hub_uri=hub_uri,
            rules=tuple(parse_rule(prefix + rule) for rule in rules.split(",")),
            conflict_rules=tuple(parse_conflict_rule(prefix + rule) for rule in conflict_rules),
            **settings,
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
        self.shop = self.database("shop")
        self.replicator = Replicator(self.engine, self.config)
        self.is_open = True

    def database(self, name: str) -> Database[dict[str, Any]]:
        return self.client[self.prefix + name]

    def link(self) -> None:
        self.replicator.start()

    def unlink(self) -> None:
        self.replicator.stop()

    def relink(self) -> None:
        self.replicator = Replicator(self.engine, self.config)
        self.replicator.start()

    def die_while_pushing(self, *, committed: bool) -> None:
        """Leave a batch without an outcome, as a process does that dies after the commit, or before anything is sent."""
        dying = Replicator(self.engine, self.config)
        dying.link.register()
        if committed:
            dying._push._finish = dying._push._acknowledge = lambda *_: None  # type: ignore[method-assign, assignment]
            dying._push.push()
        else:
            dying.link.write(lambda view: dying._push._prepare(view, bytes(16)))
        dying.stop()

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
