"""A hub and an edge in this process, and the edge's admin API."""

import time
from pathlib import Path
from typing import Any

from admin_answers import wait_until
from fastapi.testclient import TestClient
from pymongo import MongoClient

from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.admin.tokens import Role
from skerry.config import ServerConfig, SyncConfig, parse_rule
from skerry.node import Node


class Site:
    """A hub, an edge linked to it, and a client of the edge's admin API for each role. `data`: where the edge is kept."""

    def __init__(self, rules: str, data: str | Path = ":memory:") -> None:
        self.hub = Node(":memory:", server=ServerConfig(bind_port=0))
        self.hub.start()
        parsed = tuple(parse_rule(rule) for rule in rules.split(","))
        self._sync = SyncConfig(hub_uri=uri(self.hub), rules=parsed, backoff_ms_min=20, backoff_ms_max=100)
        self._data = data
        self.hub_client: MongoClient[dict[str, Any]] = MongoClient(uri(self.hub))
        self._open()

    def _open(self) -> None:
        self.edge = Node(self._data, server=ServerConfig(bind_port=0), sync=self._sync)
        self.edge.start()
        self.api = Api(self.edge)
        self.app = create_app(self.api)
        for role in Role:
            self.api.tokens.remove(role.label)
        self.tokens = {role: self.api.tokens.create(role.label, role) for role in Role}
        self.viewer, self.operator, self.admin = (self.client(self.tokens[role]) for role in Role)
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

    def restart(self) -> None:
        """Stop the edge and open it anew."""
        self._close()
        self._open()

    def close(self) -> None:
        self._close()
        self.hub_client.close()
        self.hub.stop()

    def _close(self) -> None:
        for client in (self.viewer, self.operator, self.admin):
            client.close()
        self.api.close()
        self.edge_client.close()
        self.edge.stop()


def uri(node: Node) -> str:
    return f"mongodb://{node.address}/?directConnection=true"
