"""Seeing and steering the link over the API."""

import json
from typing import Any

import pytest
from admin_answers import data, wait_until
from fastapi.testclient import TestClient

from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.errors import ConfigurationError
from skerry.node import Node


def test_numbers_by_direction_are_those_of_what_travelled(site: Any) -> None:
    site.settle()
    site.edge_client.shop.orders.insert_many([{"_id": n} for n in range(20)])
    site.hub_client.news.items.insert_many([{"_id": n} for n in range(15)])
    wait_until(lambda: site.edge_client.news.items.count_documents({}) == 15)
    site.settle()
    both = data(site.viewer.get("/api/sync/bidirectional/metrics"))
    assert both["localToHub"]["successful"] == 20
    assert both["hubToLocal"]["successful"] == 15
    assert both["changeStream"]["status"] == "connected"
    assert both["conflicts"]["total"] == 0
    totals = data(site.viewer.get("/api/sync/metrics"))
    assert (totals["totalOperations"], totals["failedSyncs"], totals["queueSize"]) == (35, 0, 0)
    assert totals["avgSyncTime"] > 0
    assert totals["startTime"] > 1_600_000_000_000
    assert (totals["uptime"] >= 0, totals["queueUtilization"]) == (True, 0)
    assert totals["lastSyncTimestamp"] > 1_600_000_000_000
    report = data(site.viewer.get("/api/sync/report"))
    assert report["summary"]["status"] == "healthy"
    assert report["recommendations"] == []


def test_a_lost_hub_is_degraded_and_without_the_stream_unhealthy(site: Any) -> None:
    site.settle()
    assert data(site.viewer.get("/api/sync/health"))["status"] == "healthy"
    site.hub.stop()
    wait_until(lambda: data(site.viewer.get("/api/sync/status"))["state"] == "offline")
    health = data(site.viewer.get("/api/sync/health"))
    assert health["status"] == "degraded"
    assert health["reasons"][0]["kind"] == "state_offline"
    strict = site.viewer.get("/api/sync/bidirectional/health")
    assert data(strict, 503)["status"] == "unhealthy"
    assert data(site.viewer.get("/api/sync/report"))["recommendations"][0]["kind"] == "state_offline"
    refused = site.operator.post("/api/sync/full")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "hub_away")


def test_pause_resume_stop_and_start(site: Any) -> None:
    site.settle()
    assert data(site.operator.post("/api/sync/pause"))["state"] == "paused"
    site.edge_client.shop.orders.insert_one({"_id": 1})
    assert data(site.viewer.get("/api/sync/status"))["dirty"] == 1
    waiting = data(site.viewer.get("/api/sync/report"))["queue"]
    assert (waiting["byCollection"], waiting["size"], waiting["maxSize"]) == ({"shop.orders": 1}, 1, None)
    data(site.operator.post("/api/sync/resume"))
    site.settle()
    assert data(site.operator.post("/api/sync/stop"))["changed"] is True
    assert data(site.operator.post("/api/sync/stop"))["changed"] is False
    assert site.operator.post("/api/sync/pause").json()["error"]["code"] == "sync_stopped"
    assert data(site.viewer.get("/api/sync/health"), 503)["status"] == "unhealthy"
    site.edge_client.shop.orders.insert_one({"_id": 2})
    assert data(site.operator.post("/api/sync/start"))["changed"] is True
    assert data(site.operator.post("/api/sync/start"))["changed"] is False
    site.settle()
    assert site.hub_client.shop.orders.count_documents({}) == 2


def test_switching_to_one_way_takes_effect_at_once_and_back_again_brings_what_was_missed(site: Any) -> None:
    site.settle()
    assert data(site.operator.post("/api/sync/bidirectional/toggle", json={"enabled": False})) == {"enabled": False}
    assert data(site.viewer.get("/api/sync/bidirectional/metrics"))["enabled"] is False
    assert data(site.viewer.get("/api/sync/bidirectional/health")) == {"enabled": False}
    site.hub_client.shop.orders.insert_one({"_id": "there"})
    site.edge_client.shop.orders.insert_one({"_id": "here"})
    wait_until(lambda: site.hub_client.shop.orders.count_documents({}) == 2)
    site.settle()
    assert site.edge_client.shop.orders.count_documents({}) == 1
    data(site.operator.post("/api/sync/bidirectional/toggle", json={"enabled": True}))
    wait_until(lambda: site.edge_client.shop.orders.count_documents({}) == 2)
    site.settle()
    assert data(site.viewer.get("/api/sync/status"))["conflicts"] == 0


def test_an_excluded_collection_takes_nothing_but_still_sends(site: Any) -> None:
    site.settle()
    order = {"collections": ["secret"], "bidirectional": True}
    assert data(site.admin.put("/api/sync/bidirectional/excluded-collections", json=order))["bidirectional"] == [
        "secret"
    ]
    site.hub_client.shop.secret.insert_one({"_id": "there"})
    site.hub_client.shop.orders.insert_one({"_id": "there"})
    site.edge_client.shop.secret.insert_one({"_id": "here"})
    wait_until(lambda: site.edge_client.shop.orders.count_documents({}) == 1)
    wait_until(lambda: site.hub_client.shop.secret.count_documents({}) == 2)
    assert [each["_id"] for each in site.edge_client.shop.secret.find()] == ["here"]
    path = "/api/sync/bidirectional/excluded-collections"
    assert data(site.viewer.get(path)) == {"bidirectional": ["secret"], "excluded": [], "warnings": []}
    both = data(site.admin.put(path, json={"collections": ["secret"], "bidirectional": False}))
    assert both["excluded"] == ["secret"]
    assert both["warnings"] == ["secret is in both lists: it does not travel at all"]


def test_a_direction_set_while_running_lasts_over_a_restart_of_the_link(site: Any) -> None:
    site.settle()
    path = "/api/sync/collections/shop.drafts/direction"
    data(site.admin.put(path, json={"direction": "none"}))
    data(site.operator.post("/api/sync/stop"))
    data(site.operator.post("/api/sync/start"))
    site.edge_client.shop.drafts.insert_one({"_id": 1})
    site.edge_client.shop.orders.insert_one({"_id": 1})
    site.settle()
    shown = {each["namespace"]: each for each in data(site.viewer.get("/api/sync/collections"))}
    assert (shown["shop.drafts"]["direction"], shown["shop.drafts"]["state"]) == ("none", "local")
    assert (shown["shop.orders"]["direction"], shown["shop.orders"]["state"]) == ("both", "following")
    assert "drafts" not in site.hub_client.shop.list_collection_names()
    data(site.admin.delete(path))
    wait_until(lambda: site.hub_client.shop.drafts.count_documents({}) == 1)
    selection = data(site.viewer.get("/api/sync/selection"))
    assert selection["effective"] == selection["configured"]


def test_verify_finds_and_full_sync_repairs(site: Any) -> None:
    site.edge_client.shop.orders.insert_many([{"_id": n} for n in range(5)])
    site.settle()
    storage = site.edge.engine.storage
    observers, storage.observers = storage.observers, ()
    site.edge_client.shop.orders.delete_many({})
    storage.observers = observers
    assert data(site.operator.post("/api/sync/verify"), 202)["state"] == "running"
    assert site.operator.post("/api/sync/verify").json()["error"]["code"] == "verify_running"
    site.api.verifies.cancel()
    wait_until(lambda: data(site.viewer.get("/api/sync/verify"))["state"] == "cancelled")
    data(site.operator.post("/api/sync/full"), 202)
    wait_until(lambda: data(site.viewer.get("/api/sync/full"))["state"] == "done")
    assert data(site.viewer.get("/api/sync/full"))["changes"]["pulled_applied"] == 5
    assert site.edge_client.shop.orders.count_documents({}) == 5
    data(site.operator.post("/api/sync/verify", json={"collections": ["shop.orders"]}), 202)
    wait_until(lambda: data(site.viewer.get("/api/sync/verify"))["state"] == "done")
    outcome = data(site.viewer.get("/api/sync/verify"))
    assert (outcome["collections_done"], outcome["differences"]) == (1, 0)


def test_one_document_can_be_looked_up_on_both_sides(site: Any) -> None:
    site.edge_client.shop.orders.insert_one({"_id": 7, "qty": 1})
    site.settle()
    query = {"namespace": "shop.orders", "id": "7"}
    assert site.viewer.get("/api/sync/documents", params=query).status_code == 403
    found = data(site.operator.get("/api/sync/documents", params=query))
    assert (found["state"], found["direction"], found["is_same"]) == ("clean", "both", True)
    assert found["hub"] == {"_id": 7, "qty": 1}
    nothing = data(site.operator.get("/api/sync/documents", params={**query, "id": "8", "hub": "false"}))
    assert (nothing["state"], nothing["local"]) == ("untracked", None)


def test_events_begin_with_the_status(site: Any) -> None:
    site.settle()
    answer = site.viewer.get("/api/sync/events", params={"once": "true"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    name, body = answer.text.strip().split("\n")
    assert name == "event: status"
    assert json.loads(body.removeprefix("data: "))["state"] == "streaming"


@pytest.mark.parametrize(
    "path",
    [
        "metrics",
        "health",
        "report",
        "status",
        "bidirectional/metrics",
        "bidirectional/health",
        "bidirectional/conflicts",
        "bidirectional/excluded-collections",
    ],
)
def test_a_node_without_a_hub_says_so(alone: TestClient, path: str) -> None:
    assert data(alone.get(f"/api/sync/{path}"))["enabled"] is False


def test_a_node_without_a_hub_refuses_orders_for_its_link(alone: TestClient) -> None:
    for path in ("pause", "full", "start", "stop"):
        answer = alone.post(f"/api/sync/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "sync_not_configured")
    assert data(alone.get("/api/sync/links")) == []
    assert data(alone.get("/api/status"))["sync"] is None


def test_a_wrong_sync_setting_is_told_wherever_the_link_is_missed() -> None:
    fault = ConfigurationError("sync.rules shop.*", "sideways", "one of both, pull, push, none")
    node = Node(":memory:", sync_fault=fault)
    node.start()
    api = Api(node)
    headers = {"Authorization": f"Bearer {api.tokens.run_token}"}
    with TestClient(create_app(api), headers=headers) as client:
        health = data(client.get("/api/sync/health"))
        assert (health["enabled"], health["status"]) == (False, "degraded")
        assert [each["kind"] for each in health["reasons"]] == ["wrong_setting"]
        assert str(fault) in health["reasons"][0]["message"]
        assert data(client.get("/api/sync/status")) == {"enabled": False, "error": str(fault)}
        assert data(client.get("/api/status"))["sync_fault"] == health["reasons"][0]
        for path in ("pause", "start", "stop"):
            answer = client.post(f"/api/sync/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "sync_not_configured")
            assert str(fault) in answer.json()["error"]["message"]
    node.stop()
