"""A small database for the command line."""

from pathlib import Path

import bson
import pytest

from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.values.namespace import Namespace


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five documents in shop.orders with an index."""
    orders = Namespace("shop", "orders")
    engine = Engine(tmp_path / "data")
    ctx = OperationContext()
    engine.create_indexes(orders, [{"key": {"n": 1}, "name": "n_1"}], ctx)
    engine.insert(orders, [bson.encode({"_id": number, "n": number}) for number in range(5)], ordered=True, ctx=ctx)
    engine.close()
    return tmp_path / "data"
