"""SIGTERM under load: what was acknowledged is there afterwards, every client is told something, and the process ends with 0."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError, ServerSelectionTimeoutError

import skerry

WRITERS = 4
ACKNOWLEDGED_MIN = 200
ENDED_SECONDS_MAX = 10.0
SHUTDOWN_CODES = {91, 11600}


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    uri: str

    def terminate(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit code and how many seconds it took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30), time.monotonic() - begin


@dataclass
class Writer:
    """Inserts one document after the other until it gets an error, which it keeps."""

    uri: str
    name: str
    acknowledged: list[str] = field(default_factory=list)
    error: PyMongoError | None = None

    def run(self) -> None:
        with MongoClient[Any](self.uri, retryWrites=False, serverSelectionTimeoutMS=1000) as client:
            concern = WriteConcern(w=1, j=True)
            orders = client.shop.get_collection("orders", write_concern=concern)
            try:
                for number in range(1_000_000):
                    orders.insert_one({"_id": f"{self.name}-{number}", "text": "x" * 200})
                    self.acknowledged.append(f"{self.name}-{number}")
            except PyMongoError as error:
                self.error = error


def write_without_asking(uri: str, ended: threading.Event) -> None:
    with MongoClient[Any](uri, serverSelectionTimeoutMS=100) as client:
        silent = client.shop.get_collection("silent", write_concern=WriteConcern(w=0))
        try:
            while not ended.is_set():
                silent.insert_many([{"text": "y" * 100} for _ in range(20)])
        except PyMongoError:
            pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "skerry", "serve", "--bind", "127.0.0.1:0", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:2] == ["skerry", "ready"]
            yield Server(process, ready[2] + "/?directConnection=true")
        finally:
            process.kill()


@pytest.mark.slow
def test_acknowledged_writes_are_there_after_a_termination_under_load(server: Server, tmp_path: Path) -> None:
    writers = [Writer(server.uri, name) for name in "abcd"[:WRITERS]]
    ended = threading.Event()
    threads = [threading.Thread(target=each.run) for each in writers]
    threads.append(threading.Thread(target=write_without_asking, args=(server.uri, ended)))
    for thread in threads:
        thread.start()
    while sum(len(each.acknowledged) for each in writers) < ACKNOWLEDGED_MIN:
        assert server.process.poll() is None
        time.sleep(0.01)
    code, seconds = server.terminate()
    ended.set()
    for thread in threads:
        thread.join(20)
    assert code == 0
    assert seconds < ENDED_SECONDS_MAX
    for writer in writers:
        error = writer.error
        # A request that was sent when the socket was already closed has a network error, for which no server can help.
        assert isinstance(error, (AutoReconnect, ServerSelectionTimeoutError, OperationFailure)), error
        if isinstance(error, OperationFailure):
            assert error.code in SHUTDOWN_CODES
    with skerry.connect(tmp_path / "data", create=False) as client:
        stored = {each["_id"] for each in client.shop.orders.find({}, {"_id": 1})}
        assert client.shop.command("validate", "orders")["valid"]
    for writer in writers:
        assert set(writer.acknowledged) <= stored
        own = {each for each in stored if each.startswith(writer.name)}
        assert len(own - set(writer.acknowledged)) <= 1  # the one whose reply did not arrive


@pytest.mark.long
def test_an_operation_that_would_take_too_long_is_interrupted_with_mongodbs_code(server: Server) -> None:
    with MongoClient[Any](server.uri, retryReads=False) as client:
        client.shop.orders.insert_many({"_id": number} for number in range(12_000))
        outcome: list[Any] = []

        def ask() -> None:
            later = [{"$match": {"$expr": {"$gt": ["$_id", "$$n"]}}}]  # for each document a scan, so minutes for all
            lookup = {"from": "orders", "let": {"n": "$_id"}, "pipeline": later, "as": "later"}
            try:
                outcome.append(list(client.shop.orders.aggregate([{"$lookup": lookup}, {"$count": "n"}])))
            except PyMongoError as error:
                outcome.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        wait_until_it_works(server.process.pid)
        code, seconds = server.terminate()
        asking.join(20)
    assert (code, seconds < ENDED_SECONDS_MAX) == (0, True)
    assert isinstance(outcome[0], AutoReconnect), outcome  # so that a driver tries another server
    assert outcome[0].details["code"] == 11600


def wait_until_it_works(pid: int) -> None:
    """Return when the process has used a quarter of a second of processor time since the call."""
    times = psutil.Process(pid).cpu_times
    begin = times()
    deadline = time.monotonic() + 20
    while times().user - begin.user < 0.25:
        assert time.monotonic() < deadline
        time.sleep(0.02)
