"""A hub and an edge in this process, without threads and sockets: nothing travels until it is told to.

Fast enough for a hundred generated cases a property. The hub is reached through pymongo's own client on an engine in memory.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.local_client.client import direct_client
from skerry.local_client.door import EngineDoor
from skerry.storage import write_view
from skerry.sync import change_applier, outbox
from skerry.sync.protocol.document_state import State
from skerry.sync.replicator import Replicator
from skerry.sync.selection import MARKERS
from skerry.sync.shadow import Tracked
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

Document = dict[str, Any]


class Node:
    """An engine in memory and a client of it."""

    def __init__(self) -> None:
        self._door = EngineDoor(":memory:", create=True, config=None)
        self.engine: Engine = self._door.engine
        self.client: MongoClient[Document] = direct_client(self._door, {})
        self.shop = self.client.shop

    def close(self) -> None:
        self.client.close()
        self._door.release()

    def oplog(self, after: int) -> list[tuple[str, str, str | None]]:
        """Return (operation, collection, origin) of the entries of user collections behind a cluster time."""
        with self.engine.storage.read() as view:
            rows = view.rows("SELECT op, coll, origin FROM oplog WHERE ts > ? AND db = 'shop' ORDER BY ts", (after,))
        return [row for row in rows if row[0] in "iurd" and row[1] != MARKERS]

    def now(self) -> int:
        """Return the newest cluster time."""
        with self.engine.storage.read() as view:
            return int(view.row("SELECT max(ts) FROM oplog")[0])


class Edge(Node):
    """An edge whose link is worked by hand."""

    def __init__(self, hub: Node, rules: str = "shop.*=both", **settings: Any) -> None:
        super().__init__()
        self.config = configuration(rules, **settings)
        self.hub = hub
        self.take_up()

    def take_up(self) -> None:
        """Begin to work the link, as a process does that has just started."""
        self.replicator = Replicator(self.engine, self.config)
        self.link = self.replicator.link
        self.link.hub.client.close()
        self.link.hub.client = self.hub.client
        self.link.register()
        outbox.attach(self.engine)

    def connect(self) -> None:
        """Open the stream where it was left, and walk what has to be walked."""
        self.replicator._pull.connect()
        while self.replicator._pull.walk.step():
            pass

    def disconnect(self) -> None:
        self.replicator._pull.disconnect()

    def push(self) -> int:
        """Push until nothing is left that can be pushed now."""
        pushed = 0
        while taken := self.replicator._push_batch():
            pushed += taken
        return pushed

    def pull(self) -> int:
        """Apply what the stream has."""
        listener = self.replicator._pull._listener
        assert listener is not None
        applied = 0
        while (batch := listener.next_batch(1)).events:
            applied += self.replicator._pull.applier.apply(batch)
        return applied

    def step(self) -> None:
        """Do what the thread that pulls does in one round: at most one batch of events, then what pushes have left out."""
        self.replicator._pull.step()

    def sync(self) -> None:
        """Push and pull until nothing moves."""
        for _ in range(20):
            moved = self.push() + self.pull()
            if not moved and not self.counts():
                return
            if not moved:
                time.sleep(0.02)  # a document that was left out is tried again a moment later
        raise AssertionError(f"does not come to rest: {self.counts()}")

    def counts(self) -> dict[State, int]:
        found = self.link.read(self.link.shadows.counts)
        return {state: count for state, (count, _) in found.items()}

    def dirty(self) -> list[Tracked]:
        return self.link.read(
            lambda view: self.link.shadows.dirty(view, excluded=(), now_ms=int(time.time() * 1000), limit=10_000)
        )

    def counters(self) -> dict[str, int]:
        return self.link.metrics.snapshot()

    def close(self) -> None:
        self.disconnect()
        super().close()


def configuration(rules: str, **settings: Any) -> SyncConfig:
    """Return a configuration whose hub's address is never used."""
    chosen = tuple(parse_rule(rule) for rule in rules.split(","))
    return SyncConfig(hub_uri="mongodb://127.0.0.1:1/", rules=chosen, **settings)


@contextmanager
def pair(rules: str = "shop.*=both", **settings: Any) -> Iterator[tuple[Node, Edge]]:
    """A hub and a connected edge."""
    hub = Node()
    edge = Edge(hub, rules, **settings)
    try:
        edge.connect()
        yield hub, edge
    finally:
        edge.close()
        hub.close()


class Clock:
    """Takes the place of the module `time` where stamps are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = time.time()
        for module in (write_view, change_applier):
            monkeypatch.setattr(module, "time", self)

    def time(self) -> float:
        return self.seconds

    def perf_counter(self) -> float:
        return time.perf_counter()


def documents_of(node: Node, collection: str = "orders") -> list[Document]:
    """Return a collection's documents in the order of `_id`."""
    return list(node.shop[collection].find().sort("_id"))


def clear(hub: Node, edge: Edge) -> None:
    """Remove all documents of both sides, and let that settle, so that cases do not meet."""
    edge.sync()
    for name in edge.shop.list_collection_names():
        edge.shop[name].delete_many({})
    for name in hub.shop.list_collection_names():
        if not name.startswith("__"):
            hub.shop[name].delete_many({})
    edge.sync()


def put_unseen(node: Node, id_value: str, document: Document | None) -> None:
    """Change a document of the store behind everybody's back; None: take it out."""

    def job(view: Any) -> None:
        entry = node.engine.storage.catalog.snapshot(view).require(namespace)
        found = view.record_by_key(entry.file_id, key)
        if found is not None and document is None:
            view.delete_record(entry.file_id, found[0])
        elif found is not None:
            view.update_record(entry.file_id, found[0], documents.encode(document))

    namespace, key = Namespace("shop", "orders"), key_string.encode(id_value)
    node.engine.storage.store.write(job, durable=False)


class broken:  # noqa: N801  reads as what it is
    """The hub's sessions cannot be had within the block."""

    def __init__(self, edge: Edge) -> None:
        self._hub = edge.link.hub
        edge.link.push_sessions.close()

    def __enter__(self) -> None:
        def session() -> Any:
            raise AutoReconnect("the hub is away")

        self._hub.session = session  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        del self._hub.session  # type: ignore[method-assign]
