"""Several programs on one directory: nothing is lost, and nobody waits long."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import bson
import pytest

from skerry.engine.engine import Engine
from skerry.engine.operation_context import Durability, OperationContext
from skerry.engine.requests import AggregateRequest, CountQuery, FindAndModifyStatement, FindQuery
from skerry.values.namespace import Namespace

NAMESPACE = Namespace("shop", "counters")
INCREMENTS = 300
LONGEST_WAIT_SECONDS = 0.2

INCREMENTER = """
import sys, time
from skerry.engine.engine import Engine
from skerry.engine.operation_context import Durability, OperationContext
from skerry.engine.requests import FindAndModifyStatement
from skerry.values.namespace import Namespace

engine = Engine(sys.argv[1])
longest = 0.0
for _ in range(int(sys.argv[2])):
    started = time.perf_counter()
    engine.find_and_modify(
        Namespace("shop", "counters"),
        FindAndModifyStatement({"_id": 1}, {"$inc": {"n": 1}}),
        OperationContext(durability=Durability.RELAXED),
    )
    longest = max(longest, time.perf_counter() - started)
engine.close()
print(longest)
"""


def counter(engine: Engine) -> int:
    cursor = engine.find(NAMESPACE, FindQuery({"_id": 1}), OperationContext())
    (raw,) = cursor.next_batch(None, 1 << 20, OperationContext())
    return int(bson.decode(raw)["n"])


@pytest.mark.slow
def test_increments_of_processes_and_threads_are_all_counted(tmp_path: Path, ctx: OperationContext) -> None:
    engine = Engine(tmp_path)
    engine.insert(NAMESPACE, [bson.encode({"_id": 1, "n": 0})], ordered=True, ctx=ctx)
    arguments = [sys.executable, "-c", INCREMENTER, str(tmp_path), str(INCREMENTS)]
    others = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    def increment() -> None:
        for _ in range(INCREMENTS):
            engine.find_and_modify(
                NAMESPACE,
                FindAndModifyStatement({"_id": 1}, {"$inc": {"n": 1}}),
                OperationContext(durability=Durability.RELAXED),
            )

    threads = [threading.Thread(target=increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    waits = [float(other.communicate(timeout=60)[0]) for other in others]
    assert counter(engine) == 4 * INCREMENTS
    assert max(waits) < LONGEST_WAIT_SECONDS
    engine.close()


def test_a_collection_made_by_one_engine_is_there_for_the_other(
    open_engine: Callable[..., Engine], ctx: OperationContext
) -> None:
    first, second = open_engine(), open_engine()
    first.insert(NAMESPACE, [bson.encode({"_id": 1, "n": 5})], ordered=True, ctx=ctx)
    assert counter(second) == 5
    second.create_indexes(NAMESPACE, [{"key": {"n": 1}, "name": "n_1", "unique": True}], ctx)
    result = first.insert(NAMESPACE, [bson.encode({"_id": 2, "n": 5})], ordered=True, ctx=ctx)
    assert [error.error.code for error in result.errors] == [11000]
    second.drop_collection(NAMESPACE, ctx)
    assert first.count(NAMESPACE, CountQuery({}), ctx) == 0


def test_a_change_stream_wakes_for_the_writes_of_another_engine(
    open_engine: Callable[..., Engine], ctx: OperationContext
) -> None:
    first, second = open_engine(), open_engine()
    stream = second.aggregate(NAMESPACE, AggregateRequest([{"$changeStream": {}}]), ctx)
    assert stream.next_batch(None, 1 << 20, ctx) == []
    first.insert(NAMESPACE, [bson.encode({"_id": 1})], ordered=True, ctx=ctx)
    started = time.monotonic()
    stream.await_data(10)
    assert time.monotonic() - started < 5
    (raw,) = stream.next_batch(None, 1 << 20, ctx)
    event = bson.decode(raw)
    assert event["operationType"] == "insert"
    assert event["fullDocument"] == {"_id": 1}
