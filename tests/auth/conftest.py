"""A node with users behind a socket, and clients that log in to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from skerry.commands.client_access import AccessControl
from skerry.config import EngineConfig
from skerry.engine.engine import Engine
from skerry.server.listener import Listener

ROOT = {"username": "root", "password": "root's secret"}


class Clock:
    """Time for the throttle of log-ins."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Guarded:
    """An engine in memory, its listener, and clients of it; `add_root` makes its first user."""

    def __init__(self, *, requires_login: bool = False, config: EngineConfig | None = None, **options: Any) -> None:
        self.engine = Engine(":memory:", config)
        self.clock = Clock()
        self.access = AccessControl(self.engine.users, requires_login=requires_login, clock=self.clock)
        self.listener = Listener(("127.0.0.1", 0), self.engine, access=self.access, **options)
        self.listener.start()
        self.clients: list[MongoClient[Any]] = []

    @property
    def host(self) -> str:
        host, port = self.listener.address  # type: ignore[misc]
        return f"{host}:{port}"

    def client(self, **options: Any) -> MongoClient[Any]:
        client: MongoClient[Any] = MongoClient(
            self.host, **{"serverSelectionTimeoutMS": 5000, "retryReads": False, "retryWrites": False, **options}
        )
        self.clients.append(client)
        return client

    def add_root(self) -> MongoClient[Any]:
        """Make the first user and return his client."""
        self.client().admin.command("createUser", ROOT["username"], pwd=ROOT["password"], roles=["root"])
        return self.client(**ROOT)

    def client_of(self, name: str, roles: list[Any], db: str = "shop") -> MongoClient[Any]:
        """Make a user, with his name as his password, and return his client."""
        self.clients[1][db].command("createUser", name, pwd=name, roles=roles)
        return self.client(username=name, password=name, authSource=db)

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.listener.close(1.0)
        self.engine.close()


def code_of(call: Callable[[], Any]) -> int | None:
    """The code of the error by which a call fails, None when it does not."""
    try:
        call()
    except OperationFailure as error:
        return error.code
    return None


@pytest.fixture
def open_node() -> Iterator[Callable[..., Guarded]]:
    """Start nodes; they end with the test."""
    nodes: list[Guarded] = []

    def start(**options: Any) -> Guarded:
        nodes.append(Guarded(**options))
        return nodes[-1]

    yield start
    for node in nodes:
        node.close()


@pytest.fixture
def node(open_node: Callable[..., Guarded]) -> Guarded:
    """A node whose only user is root."""
    started = open_node()
    started.add_root()
    return started


@pytest.fixture
def root(node: Guarded) -> MongoClient[Any]:
    return node.clients[1]


@pytest.fixture
def failure() -> Callable[[Callable[[], Any]], int | None]:
    """`code_of`, for tests that import nothing from here."""
    return code_of
