"""The hubs that the tests of sync are run with: a skerry in this process, SecantusDB in one of its own, a MongoDB deployment.

SecantusDB is another implementation of MongoDB's protocol: a second witness of what hubs do. What SKERRY_TEST_MONGODB_URI names
has to be a replica set, and may have other databases: a test has names of its own there, and removes what it made.
"""

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks import peers
from benchmarks.processes import foreign_server, free_port
from benchmarks.subjects import PEERS_ENVIRONMENT
from skerry.engine import oplog
from skerry.engine.engine import Engine
from skerry.server.listener import Listener

Document = dict[str, Any]
PREFIX = "skerry_test_"


class HubNode:
    """A hub and a client of it. Its databases are called `prefix` and the name that a test uses."""

    def __init__(self, uri: str, prefix: str = "") -> None:
        self.uri, self.prefix = uri, prefix
        self.client: MongoClient[Document] = MongoClient(uri)
        self.shop = self.database("shop")

    def database(self, name: str) -> Database[Document]:
        return self.client[self.prefix + name]

    def close(self) -> None:
        self.client.close()


class SharedHub(HubNode):
    """A hub that others use too: what the test made is removed in the end, collection by collection, as `readWrite` allows."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, f"{PREFIX}{uuid.uuid4().hex[:12]}_")

    def close(self) -> None:
        for name in self.client.list_database_names():
            if name.startswith(self.prefix):
                for collection in self.client[name].list_collection_names():
                    self.client[name].drop_collection(collection)
        super().close()


class LocalHub(HubNode):
    """A hub on this machine, which can be stopped, started again at the same address, and lose its history."""

    port: int

    def stop(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    def lose_history(self) -> None:
        """Forget all but the newest entries of the oplog."""
        raise NotImplementedError


class OwnHub(LocalHub):
    """A skerry in this process; `engine` is its inside."""

    def __init__(self, path: Path) -> None:
        self.path, self.port = path, 0
        self.start()
        super().__init__(f"mongodb://127.0.0.1:{self.port}/?directConnection=true")

    def start(self) -> None:
        self.engine = Engine(self.path)
        self.listener = Listener(("127.0.0.1", self.port), self.engine)
        self.listener.start()
        self.port = self.listener.address[1]  # type: ignore[index]

    def stop(self) -> None:
        self.listener.close()
        self.engine.close()

    def lose_history(self) -> None:
        self.engine.storage.store.write(lambda view: oplog.trim(view, bytes_max=1, keep_from=None), durable=True)

    def close(self) -> None:
        super().close()
        self.stop()


class SecantusServer:
    """SecantusDB in a process of its own, which serves all tests of a run."""

    PRUNED_EVERY = 1000  # entries of its oplog

    def __init__(self, path: Path) -> None:
        if reason := _install():
            pytest.skip(f"SecantusDB cannot be installed: {reason}")
        self._path, self.port = path, free_port()
        self._running = ExitStack()
        self.is_running = False

    def start(self, *arguments: str) -> None:
        command = [str(PEERS_ENVIRONMENT / "bin" / "secantusd-py"), "--port", str(self.port)]
        command += ["--storage-path", str(self._path), *arguments]
        self._running.enter_context(foreign_server(command, self.port))
        self.is_running = True

    def stop(self) -> None:
        self._running.close()
        self.is_running = False


class SecantusHub(SharedHub, LocalHub):
    """The databases of one test on the server."""

    def __init__(self, server: SecantusServer) -> None:
        self._server, self.port = server, server.port
        if not server.is_running:
            server.start()
        super().__init__(f"mongodb://127.0.0.1:{server.port}/?directConnection=true")

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def lose_history(self) -> None:
        self.stop()
        self._server.start("--oplog-max-entries", "1")
        noise = self.database("noise").noise
        noise.insert_many([{} for _ in range(self._server.PRUNED_EVERY + 1)])
        self.stop()
        self.start()


def _install() -> str | None:
    """Install SecantusDB beside our own environment; return the reason if it cannot be had."""
    PEERS_ENVIRONMENT.parent.mkdir(exist_ok=True)
    with PEERS_ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of this run want it too
        return peers.install({"secantusdb"}).get("secantusdb")


@contextmanager
def secantus_server(path: Path) -> Iterator[SecantusServer]:
    server = SecantusServer(path)
    yield server
    server.stop()
