"""What the outbox makes of local writes: one entry a document, in the write's own transaction, without a hub."""

from collections.abc import Iterator
from pathlib import Path

import bson
import pytest

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import DeleteStatement, UpdateStatement
from skerry.sync.outbox import attach
from skerry.sync.protocol.document_state import Position, State, content_hash, integrated
from skerry.sync.replicator import Replicator
from skerry.sync.shadow import Tracked
from skerry.values import key_string
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")


class Store:
    """An engine with a registered link that is not running."""

    def __init__(self, path: Path) -> None:
        self.engine = Engine(path)
        rules = (parse_rule("shop.*=both"),)
        self.replicator = Replicator(self.engine, SyncConfig(hub_uri="mongodb://127.0.0.1:1/", rules=rules))
        self.link = self.replicator.link
        self.link.register()

    def insert(self, *documents: dict[str, object], origin: str = "", namespace: Namespace = ORDERS) -> None:
        raws = [bson.encode(document) for document in documents]
        self.engine.insert(namespace, raws, ordered=True, ctx=OperationContext(origin=origin))

    def update(self, id_value: object, **fields: object) -> None:
        statement = UpdateStatement({"_id": id_value}, {"$set": fields})
        self.engine.update(ORDERS, [statement], ordered=True, ctx=OperationContext())

    def delete(self, id_value: object) -> None:
        statement = DeleteStatement({"_id": id_value}, multi=False)
        self.engine.delete(ORDERS, [statement], ordered=True, ctx=OperationContext())

    def tracked(self, id_value: object) -> Tracked | None:
        return self.link.read(lambda view: self.link.shadows.get(view, ORDERS, key_string.encode(id_value)))

    def base(self, id_value: object) -> bytes | None:
        return self.link.read(lambda view: self.link.shadows.base(view, ORDERS, key_string.encode(id_value)))

    def agree(self, id_value: object) -> bytes:
        """Make the document clean, as if the hub had it."""
        key = key_string.encode(id_value)
        found = self.tracked(id_value)
        assert found is not None
        raw = self.link.read(lambda view: self.link.storage.lookup(view, ORDERS, key))
        shadow = integrated(content_hash(raw), Position(1, 0), 0)
        assert raw is not None
        assert shadow is not None
        self.link.write(lambda view: self.link.shadows.save(view, [Tracked(ORDERS, key, found.id_document, shadow)]))
        return raw


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.replicator.stop()
    store.engine.close()


def state(store: Store, id_value: object) -> State | None:
    found = store.tracked(id_value)
    return None if found is None else found.shadow.state


def test_an_insert_is_dirty_and_vanishes_when_it_is_deleted_before_a_push(store: Store) -> None:
    store.insert({"_id": 1}, {"_id": 2})
    assert (state(store, 1), state(store, 2)) == (State.DIRTY, State.DIRTY)
    store.delete(1)
    assert state(store, 1) is None
    store.insert({"_id": 1, "again": True})
    assert state(store, 1) is State.DIRTY


def test_the_base_is_kept_at_the_first_write_and_only_then(store: Store) -> None:
    store.insert({"_id": 1, "v": 1})
    base = store.agree(1)
    store.update(1, v=2)
    store.update(1, v=3)
    store.delete(1)
    assert store.base(1) == base
    found = store.tracked(1)
    assert found is not None
    assert found.shadow.state is State.DIRTY
    assert found.shadow.base == content_hash(base)


def test_a_document_deleted_and_inserted_again_is_one_change_of_the_old_one(store: Store) -> None:
    store.insert({"_id": 1, "v": 1})
    base = store.agree(1)
    store.delete(1)
    store.insert({"_id": 1, "v": 2}, {"_id": 9})
    found = store.tracked(1)
    assert found is not None
    assert (found.shadow.state, found.shadow.base) == (State.DIRTY, content_hash(base))
    assert state(store, 9) is State.DIRTY


def test_what_the_link_itself_wrote_and_other_databases_are_not_captured(store: Store) -> None:
    store.insert({"_id": 1}, origin=store.link.name)
    store.insert({"_id": 2}, namespace=Namespace("other", "orders"))
    assert state(store, 1) is None
    assert store.link.read(store.link.shadows.counts) == {}


def test_a_write_that_fails_captures_nothing(store: Store) -> None:
    store.insert({"_id": 1})
    before = store.link.read(store.link.shadows.counts)
    store.insert({"_id": 1})
    assert store.link.read(store.link.shadows.counts) == before


def test_an_engine_has_one_outbox(store: Store) -> None:
    assert attach(store.engine) is attach(store.engine)


def test_what_was_captured_is_there_after_a_restart(store: Store, tmp_path: Path) -> None:
    store.insert({"_id": 1})
    store.replicator.stop()
    store.engine.close()
    again = Store(tmp_path)
    try:
        assert state(again, 1) is State.DIRTY
        again.insert({"_id": 2})
        assert state(again, 2) is State.DIRTY
    finally:
        again.replicator.stop()
        again.engine.close()
