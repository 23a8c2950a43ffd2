"""kill -9 between any two steps of making a database and of creating, renaming, indexing and dropping: nothing is orphaned."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.engine.doctor import examine
from skerry.engine.engine import Engine
from skerry.engine.life_cycle import has_database
from skerry.engine.operation_context import OperationContext
from skerry.values.namespace import Namespace

# Forks once for each step N; the child does everything below and kills itself before its N-th statement that changes something.
STEPPER = """
import os, signal, sys
import apsw
from skerry.engine.engine import Engine
from skerry.engine.operation_context import Durability, OperationContext
import bson
from skerry.values.namespace import Namespace

A, B, C = (Namespace("shop", name) for name in "abc")

def change_everything(directory):
    engine = Engine(directory)
    ctx = OperationContext(durability=Durability.RELAXED)  # it is a crash of the process only, and faster
    engine.create_collection(A, {}, ctx)
    engine.insert(A, [bson.encode({"_id": n, "n": n, "tags": [n, 1]}) for n in range(5)], ordered=True, ctx=ctx)
    engine.create_indexes(A, [{"key": {"n": 1}, "name": "n_1", "unique": True}, {"key": {"tags": 1}, "name": "t"}], ctx)
    engine.insert(B, [bson.encode({"_id": 1})], ordered=True, ctx=ctx)
    engine.rename_collection(A, B, drop_target=True, ctx=ctx)
    engine.drop_indexes(B, "n_1", ctx)
    engine.create_collection(C, {"viewOn": "b", "pipeline": []}, ctx)
    engine.modify_collection(B, {"validator": {"n": {"$gte": 0}}}, ctx)
    engine.drop_collection(B, ctx)
    engine.drop_database("shop", ctx)

class Killer:
    def __init__(self, step):
        self.left = step
        self.before = None
    def __call__(self, _cursor, sql, _bindings):
        if sql != self.before and not sql.startswith(("SELECT", "BEGIN", "SAVEPOINT")):
            self.left -= 1
        self.before = sql
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return True

root = sys.argv[1]
step = 1
while True:
    child = os.fork()
    if child == 0:
        killer = Killer(step)
        apsw.connection_hooks.append(lambda connection: setattr(connection, "exec_trace", killer))
        change_everything(f"{root}/{step}")
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
    step += 1
print(step)
"""

LOOP = """
import itertools, sys
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
import bson
from skerry.values.namespace import Namespace

engine = Engine(sys.argv[1])
ctx = OperationContext()
print("ready", flush=True)
for number in itertools.count():
    first, second = Namespace("shop", f"first{number % 3}"), Namespace("shop", f"second{number % 2}")
    batch = [bson.encode({"_id": n, "n": n, "tags": [n, number]}) for n in range(30)]
    engine.insert(first, batch, ordered=True, ctx=ctx)
    engine.create_indexes(first, [{"key": {"n": 1}, "name": "n_1", "unique": True}, {"key": {"tags": 1}, "name": "t"}], ctx)
    engine.rename_collection(first, second, drop_target=True, ctx=ctx)
    engine.drop_indexes(second, "t", ctx)
    if number % 4 == 0:
        engine.drop_database("shop", ctx)
"""


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory, where there is one: a hundred databases are made, and nothing here depends on a disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else tmp_path) as directory:
        yield Path(directory)


@pytest.mark.slow
def test_killed_before_any_statement_nothing_is_orphaned(memory_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", STEPPER, str(memory_path)], capture_output=True, text=True, check=True)
    steps = int(done.stdout)
    assert steps > 100, "the whole life cycle takes so many statements at least"
    seen: set[tuple[str, ...]] = set()
    for step in range(1, steps + 1):
        directory = memory_path / str(step)
        if not has_database(directory):
            Engine(directory).close()
        assert examine(directory) == [], f"killed before statement {step}"
        engine = Engine(directory)
        seen.add(tuple(each["name"] for each in engine.list_collections("shop")))
        engine.create_collection(Namespace("shop", "afterwards"), {}, OperationContext())
        engine.close()
    assert {(), ("a",), ("a", "b"), ("b",), ("b", "c"), ("c",)} <= seen


@pytest.mark.slow
@pytest.mark.parametrize("run", range(3))
def test_killed_at_a_random_moment_nothing_is_orphaned(tmp_path: Path, run: int) -> None:
    for attempt in range(2):
        with subprocess.Popen([sys.executable, "-c", LOOP, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(random.Random(run * 2 + attempt).uniform(0.01, 0.3))
            os.kill(process.pid, signal.SIGKILL)
        assert examine(tmp_path) == []
