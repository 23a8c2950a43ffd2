"""kill -9 at any moment: what was acknowledged is there, what was not is there whole or not at all."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skerry.engine import oplog
from skerry.engine.engine import Engine
from skerry.update.document_diff import apply_description
from skerry.values import documents
from skerry.values.namespace import Namespace

NAMESPACE = Namespace("shop", "orders")

WRITER = """
import sys
import bson
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import DeleteStatement, UpdateStatement
from skerry.values.namespace import Namespace

namespace = Namespace("shop", "orders")
engine = Engine(sys.argv[1])
engine.create_indexes(namespace, [{"key": {"tags": 1}, "name": "tags_1"}], OperationContext())
print("ready", flush=True)
number = 0
while True:
    number += 1
    batch = [bson.encode({"_id": f"{number}-{at}", "tags": [number, at], "step": 1}) for at in range(5)]
    engine.insert(namespace, batch, ordered=True, ctx=OperationContext())
    print("inserted", number, flush=True)
    change = [UpdateStatement({"tags": number}, {"$set": {"step": 2}, "$push": {"tags": -number}}, multi=True)]
    engine.update(namespace, change, ordered=True, ctx=OperationContext())
    print("updated", number, flush=True)
    engine.delete(namespace, [DeleteStatement({"_id": f"{number}-0"}, multi=False)], ordered=True, ctx=OperationContext())
    print("deleted", number, flush=True)
"""


def run_and_kill(directory: Path, after_seconds: float) -> dict[int, str]:
    """Let a writer run, kill it, and return the last acknowledged step of each batch."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(after_seconds)
    os.kill(process.pid, signal.SIGKILL)
    *lines, _ = process.stdout.read().split("\n")  # what stands behind the last line break was not told to the end
    process.stdout.close()
    process.wait(10)
    acknowledged: dict[int, str] = {}
    for line in lines:
        step, number = line.split()
        acknowledged[int(number)] = step
    return acknowledged


def stored(engine: Engine) -> dict[str, dict[str, object]]:
    with engine.storage.catalogue() as (view, catalog):
        entry = catalog.snapshot(view).require(NAMESPACE)
        rows, more = view.scan(entry.file_id, after=None, reverse=False, limit=1_000_000)
        assert not more or len(rows) < 1_000_000
        found = [documents.decode(raw) for _, raw in rows]
    return {document["_id"]: document for document in found}


@pytest.mark.slow
@pytest.mark.parametrize("run", range(4))
def test_acknowledged_writes_survive_and_statements_are_whole(tmp_path: Path, run: int) -> None:
    acknowledged = run_and_kill(tmp_path, random.Random(run).uniform(0.02, 0.4))
    engine = Engine(tmp_path)
    try:
        found = stored(engine)
        assert engine.validate_collection(NAMESPACE)["errors"] == []
        last = max(acknowledged, default=0)
        for number in range(1, last + 2):
            members = {at: found.get(f"{number}-{at}") for at in range(5)}
            present = [at for at, document in members.items() if document is not None]
            steps = {document["step"] for document in members.values() if document is not None}
            assert len(steps) <= 1, "an update is whole or not there"
            match acknowledged.get(number):
                case "inserted":
                    assert present in ([0, 1, 2, 3, 4], [1, 2, 3, 4])
                case "updated":
                    assert present in ([0, 1, 2, 3, 4], [1, 2, 3, 4])
                    assert steps == {2}
                case "deleted":
                    assert present == [1, 2, 3, 4]
                    assert steps == {2}
                case None:
                    assert present in ([], [0, 1, 2, 3, 4], [1, 2, 3, 4]), "an insert is whole or not there"
    finally:
        engine.close()


@pytest.mark.slow
def test_the_oplog_tells_exactly_what_is_stored(tmp_path: Path) -> None:
    """Replaying the log from its beginning gives the documents: neither can be ahead of the other."""
    run_and_kill(tmp_path, 0.3)
    engine = Engine(tmp_path)
    try:
        replayed: dict[object, dict[str, object]] = {}
        with engine.storage.read() as view:
            for entry in oplog.entries_after(view, 0, 1_000_000):
                if entry.op == oplog.INSERT:
                    assert entry.o is not None
                    document = documents.decode(entry.o)
                    replayed[document["_id"]] = document
                elif entry.op == oplog.UPDATE:
                    assert entry.id_document is not None
                    assert entry.o is not None
                    key = documents.decode(entry.id_document)["_id"]
                    description = documents.decode(entry.o)
                    replayed[key] = apply_description(replayed[key], description)
                elif entry.op == oplog.DELETE:
                    assert entry.id_document is not None
                    del replayed[documents.decode(entry.id_document)["_id"]]
        assert replayed == stored(engine)
    finally:
        engine.close()
