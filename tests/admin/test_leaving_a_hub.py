"""Resetting the link and forgetting old ones over the API: who may, when it is refused, and that the node goes on well."""

import os
import socket
from typing import Any

from admin_answers import data, wait_until
from admin_site import Site
from bson.int64 import Int64
from fastapi.testclient import TestClient

from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.config import ServerConfig, SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.node import Node
from skerry.sync import link_records
from skerry.sync.link import Link
from skerry.sync.outbox import attach


def register(engine: Engine, name: str) -> None:
    """Leave a link in the store that somebody ran once."""
    attach(engine)
    rules = (parse_rule("shop.*=both"),)
    Link(engine, SyncConfig(hub_uri="mongodb://127.0.0.1:9", rules=rules, link_name=name)).register()


def refusal(answer: Any, status: int) -> tuple[str, dict[str, Any]]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["code"], error["details"]


def test_a_link_that_is_refused_because_of_another_hub_is_reset_and_goes_on(site: Site) -> None:
    site.edge_client.shop.orders.insert_many([{"_id": "here"}, {"_id": "both", "by": "edge"}])
    site.settle()
    port = int(site.hub.address.rpartition(":")[2])
    site.hub.stop()
    site.hub = Node(":memory:", server=ServerConfig(bind_port=port))
    site.hub.start()
    site.hub_client.shop.orders.insert_one({"_id": "both", "by": "hub"})
    wait_until(lambda: data(site.viewer.get("/api/sync/status"))["state"] == "refused")
    found = data(site.admin.post("/api/sync/reset"))
    assert found == {"link": "hub", "state": found["state"], "unpushed": 0, "untracked": []}
    site.settle()
    assert sorted(each["_id"] for each in site.hub_client.shop.orders.find()) == ["both", "here"]
    assert site.edge_client.shop.orders.find_one("both") == {"_id": "both", "by": "hub"}
    (conflict,) = data(site.viewer.get("/api/sync/conflicts"))["conflicts"]
    shown = data(site.operator.get(f"/api/sync/conflicts/{conflict['id']}"))
    assert shown["versions"]["local"] == {"_id": "both", "by": "edge"}


def test_a_reset_is_refused_while_documents_wait_and_then_the_link_was_not_even_stopped(site: Site) -> None:
    site.settle()
    data(site.operator.post("/api/sync/pause"))
    site.edge_client.shop.orders.insert_many([{"_id": n} for n in range(3)])
    running = site.edge.replicator
    assert refusal(site.admin.post("/api/sync/reset"), 409) == ("unpushed", {"unpushed": 3, "untracked": []})
    assert refusal(site.admin.post("/api/sync/reset", json={"force": "yes"}), 400)[0] == "bad_request"
    assert site.edge.replicator is running
    assert data(site.admin.post("/api/sync/reset", json={"force": True})) == {
        "link": "hub",
        "state": "paused",
        "unpushed": 3,
        "untracked": [],
    }
    data(site.operator.post("/api/sync/resume"))
    site.settle()
    assert site.hub_client.shop.orders.count_documents({}) == 3
    entries = data(site.admin.get("/api/admin/audit"))["entries"]
    orders = [(each["status"], each["details"].get("force")) for each in entries if each["action"].endswith("/reset")]
    assert orders == [(200, True), (400, None), (409, False)]


def test_a_stopped_link_that_is_reset_stays_stopped_until_it_is_started(site: Site) -> None:
    site.settle()
    data(site.operator.post("/api/sync/stop"))
    site.edge_client.shop.orders.insert_one({"_id": 1})
    assert data(site.admin.post("/api/sync/reset", json={"force": True}))["state"] == "stopped"
    site.edge_client.shop.orders.insert_one({"_id": 2})
    assert data(site.viewer.get("/api/sync/status"))["dirty"] == 1  # the first is found by comparing
    assert data(site.operator.post("/api/sync/start"))["changed"] is True
    site.settle()
    assert site.hub_client.shop.orders.count_documents({}) == 2


def test_a_link_that_another_process_runs_is_not_reset(site: Site) -> None:
    site.settle()
    data(site.operator.post("/api/sync/stop"))
    lease = {"owner": "another", "until": Int64(1 << 60), "host": socket.gethostname(), "pid": os.getpid()}
    storage = site.edge.engine.storage.store
    storage.write(lambda view: link_records.save(view, "hub", link_records.LEASE, lease), durable=False)
    assert refusal(site.admin.post("/api/sync/reset", json={"force": True}), 409)[0] == "link_runs"
    assert data(site.viewer.get("/api/sync/status"))["state"] == "stopped"
    storage.write(lambda view: link_records.remove(view, "hub", link_records.LEASE), durable=False)
    data(site.operator.post("/api/sync/start"))
    site.settle()


def test_an_old_link_is_listed_and_forgotten(site: Site) -> None:
    site.settle()
    register(site.edge.engine, "cloud")
    site.edge_client.shop.orders.insert_one({"_id": 1})
    site.settle()
    own, old = data(site.viewer.get("/api/sync/links"))
    assert (own["link"], own["state"]) == ("hub", "streaming")
    assert old == {"link": "cloud", "state": "unattended", "run_by": None, "unpushed": 1, "untracked": []}
    path = "/api/sync/links/cloud"
    assert refusal(site.admin.delete(path), 409) == ("unpushed", {"unpushed": 1, "untracked": []})
    assert data(site.admin.delete(path, params={"force": True})) == {"link": "cloud", "unpushed": 1, "untracked": []}
    assert [each["link"] for each in data(site.viewer.get("/api/sync/links"))] == ["hub"]
    assert refusal(site.admin.delete(path), 404)[0] == "not_found"
    assert refusal(site.admin.delete("/api/sync/links/hub", params={"force": True}), 409)[0] == "link_runs"
    site.edge_client.shop.orders.insert_one({"_id": 2})
    site.settle()
    assert site.hub_client.shop.orders.count_documents({}) == 2


def test_a_node_without_a_hub_forgets_the_link_that_it_had() -> None:
    node = Node(":memory:")
    node.start()
    register(node.engine, "hub")
    api = Api(node)
    with TestClient(create_app(api), headers={"Authorization": f"Bearer {api.tokens.run_token}"}) as client:
        assert [each["link"] for each in data(client.get("/api/sync/links"))] == ["hub"]
        assert refusal(client.post("/api/sync/reset"), 409)[0] == "sync_not_configured"
        assert data(client.delete("/api/sync/links/hub"))["unpushed"] == 0
        assert data(client.get("/api/sync/links")) == []
    node.stop()
