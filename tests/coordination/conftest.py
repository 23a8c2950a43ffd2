"""Places where several processes meet: a directory that each opens, a server, and a server that plays MongoDB."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

import skerry
from skerry import CollectionCoordinator, MasterIndex, MongoIndexStore
from skerry.engine.engine import Engine
from skerry.server.listener import Listener

WORKER = Path(__file__).with_name("worker.py")


@dataclass
class Meeting:
    """One place: `start` runs a process there, `coordinator` makes one here."""

    door: str
    target: str
    database: Database[Any]
    start: Callable[..., "subprocess.Popen[str]"]

    def index(self, **options: Any) -> MasterIndex:
        store = MongoIndexStore(self.database) if self.door == "mongo-index" else self.database
        return MasterIndex(store, **options)

    def coordinator(self, collection: str = "counters", **options: Any) -> CollectionCoordinator:
        return CollectionCoordinator(self.database[collection], self.index(), **options)

    def number(self) -> int:
        found = self.database["counters"].find_one({"_id": "n"})
        return int(found["number"]) if found else 0


@contextlib.contextmanager
def meet(door: str, directory: Path) -> Iterator[Meeting]:
    with contextlib.ExitStack() as stack:
        target = str(directory)
        if door == "connect":
            client: MongoClient[Any] = stack.enter_context(skerry.connect(directory))
        else:
            engine = Engine(directory)
            stack.callback(engine.close)
            host, port = stack.enter_context(Listener(("127.0.0.1", 0), engine)).address  # type: ignore[misc]
            target = f"mongodb://{host}:{port}"
            client = stack.enter_context(MongoClient(target))

        def start(what: str, number: int = 0) -> "subprocess.Popen[str]":
            command = [sys.executable, str(WORKER), door, target, what, str(number)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(end, process)
            return process

        yield Meeting(door, target, client["shop"], start)


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


@pytest.fixture(params=["connect", "server", "mongo-index"])
def meeting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Meeting]:
    """The place through each door."""
    with meet(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def directory_meeting(tmp_path: Path) -> Iterator[Meeting]:
    """Processes that open one directory."""
    with meet("connect", tmp_path) as place:
        yield place
