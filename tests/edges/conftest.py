"""Both doors, one suite: each test here runs on a client in the engine's process and on one behind a socket."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import MongoClient
from pymongo.database import Database

import skerry
from skerry.local_client.open_engines import open_engine, release_engine
from skerry.server.listener import Listener

_DATABASE_NUMBERS: Final = itertools.count(1)


def in_process(directory: Path) -> Iterator[MongoClient[Any]]:
    with skerry.connect(directory) as client:
        yield client


def over_a_socket(directory: Path) -> Iterator[MongoClient[Any]]:
    engine = open_engine(directory)
    try:
        with Listener(("127.0.0.1", 0), engine) as listener:
            host, port = listener.address  # type: ignore[misc]
            with MongoClient(host, port) as client:
                yield client
    finally:
        release_engine(engine)


@pytest.fixture(scope="module", params=["in_process", "server"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoClient[Any]]:
    """A client through one of the doors; its store is shared by the tests of a module."""
    directory = tmp_path_factory.mktemp("store")
    yield from in_process(directory) if request.param == "in_process" else over_a_socket(directory)


@pytest.fixture
def database(client: MongoClient[Any]) -> Database[Any]:
    """A database that no other test uses."""
    return client[f"test_{os.getpid()}_{next(_DATABASE_NUMBERS)}"]
