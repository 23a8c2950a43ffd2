"""`skerry` run in this process, and a small database for it."""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bson
import pytest

from skerry.cli.main import main
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.values.namespace import Namespace

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `skerry` with these arguments; return exit code, standard output and standard error."""
    switch_interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def run_one(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["skerry", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run_one
    sys.setswitchinterval(switch_interval)
    gc.set_threshold(*threshold)


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
