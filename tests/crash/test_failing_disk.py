"""A disk that refuses to flush: nothing is acknowledged on its word again, and what was acknowledged before is there."""

import errno
import os
from pathlib import Path

import bson
import pytest

from skerry.engine.engine import Engine
from skerry.engine.operation_context import Durability, OperationContext
from skerry.engine.requests import CountQuery
from skerry.errors import StorageError
from skerry.values.namespace import Namespace

NAMESPACE = Namespace("shop", "orders")


def refuse(_descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def insert(engine: Engine, number: int, durability: Durability = Durability.FSYNCED) -> None:
    ctx = OperationContext(durability=durability)
    engine.insert(NAMESPACE, [bson.encode({"_id": number})], ordered=True, ctx=ctx)


def test_a_write_whose_flush_fails_is_not_acknowledged_nor_is_any_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(tmp_path)
    insert(engine, 1)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", refuse)
        with pytest.raises(StorageError, match="could not be flushed"):
            insert(engine, 2)
    # the disk says that it is well again: what it dropped meanwhile, nobody knows
    for durability in Durability:
        with pytest.raises(StorageError, match="could not be flushed"):
            insert(engine, 3, durability)
    with pytest.raises(StorageError):
        engine.close()
    again = Engine(tmp_path)
    found = again.count(NAMESPACE, CountQuery({}), OperationContext())
    assert found in (1, 2), "the unacknowledged write may be there, the acknowledged one must"
    again.close()
