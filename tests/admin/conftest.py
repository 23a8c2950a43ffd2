"""A hub and an edge in this process, and the edge's admin API."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from admin_answers import wait_until
from fastapi.testclient import TestClient
from pymongo import MongoClient

from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.admin.tokens import Role
from skerry.config import ServerConfig, SyncConfig, parse_rule
from skerry.node import Node


class Site:
    """A hub, an edge linked to it, and a client of the edge's admin API for each role."""

    def __init__(self, rules: str) -> None:
        self.hub = Node(":memory:", server=ServerConfig(bind_port=0))
        self.hub.start()
        parsed = tuple(parse_rule(rule) for rule in rules.split(","))
        sync = SyncConfig(hub_uri=uri(self.hub), rules=parsed, backoff_ms_min=20, backoff_ms_max=100)
        self.edge = Node(":memory:", server=ServerConfig(bind_port=0), sync=sync)
        self.edge.start()
        self.api = Api(self.edge)
        self.app = create_app(self.api)
        self.tokens = {role: self.api.tokens.create(role.label, role) for role in Role}
        self.viewer, self.operator, self.admin = (self.client(self.tokens[role]) for role in Role)
        self.hub_client: MongoClient[dict[str, Any]] = MongoClient(uri(self.hub))
        self.edge_client: MongoClient[dict[str, Any]] = MongoClient(uri(self.edge))

    def client(self, token: str | None) -> TestClient:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)

    def settle(self) -> None:
        replicator = self.edge.replicator
        assert replicator is not None
        assert replicator.wait_until_in_step(10), replicator.status()

    def make_conflict(self, id: str = "a") -> int:
        """Have both sides change the same field; the hub wins. Return the conflict's number."""
        self.edge_client.shop.orders.insert_one({"_id": id, "qty": 1})
        self.settle()
        assert self.operator.post("/api/sync/pause").json()["data"]["state"] == "paused"
        wait_until(lambda: self.edge.replicator and not self.edge.replicator._connected.is_set())
        self.edge_client.shop.orders.update_one({"_id": id}, {"$set": {"qty": 2, "here": True}})
        time.sleep(0.005)
        self.hub_client.shop.orders.update_one({"_id": id}, {"$set": {"qty": 3, "there": True}})
        self.operator.post("/api/sync/resume")
        self.settle()
        return int(self.viewer.get("/api/sync/conflicts").json()["data"]["conflicts"][-1]["id"])

    def close(self) -> None:
        for client in (self.viewer, self.operator, self.admin):
            client.close()
        self.api.close()
        self.hub_client.close()
        self.edge_client.close()
        self.edge.stop()
        self.hub.stop()


def uri(node: Node) -> str:
    return f"mongodb://{node.address}/?directConnection=true"


@pytest.fixture(autouse=True, scope="session")
def _quick_streams() -> Iterator[None]:
    """The hub's stream is asked more often, so that stopping and settling take less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skerry.sync.pull_worker.AWAIT_MS", 30)
        yield


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site("shop.*=both,logs.*=push,news.*=pull")
    yield site
    site.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Site]:
    """For tests that change nothing."""
    site = Site("shop.*=both")
    yield site
    site.close()


@pytest.fixture(scope="module")
def alone() -> Iterator[TestClient]:
    """The admin API of a node without a hub."""
    node = Node(":memory:")
    node.start()
    api = Api(node)
    headers = {"Authorization": f"Bearer {api.tokens.run_token}"}
    with TestClient(create_app(api), headers=headers) as client:
        yield client
    node.stop()
