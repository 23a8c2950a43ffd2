"""What an operator has switched off stays off when the node starts again, and everybody sees who did it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from admin_answers import data, wait_until
from admin_site import Site


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Site]:
    site = Site("shop.*=both", tmp_path / "edge")
    site.settle()
    yield site
    site.close()


def status(site: Site) -> Any:
    return data(site.viewer.get("/api/sync/status"))


def reasons(site: Site, expected: int) -> str:
    return str(data(site.viewer.get("/api/sync/health"), expected)["reasons"])


def test_a_paused_link_stays_paused_and_what_is_written_meanwhile_is_kept(kept: Site) -> None:
    assert status(kept)["switched"] is None
    data(kept.operator.post("/api/sync/pause"))
    assert (status(kept)["switched"]["state"], status(kept)["switched"]["by"]) == ("paused", "operator")
    kept.restart()
    found = status(kept)
    assert (found["state"], found["switched"]["by"]) == ("paused", "operator")
    assert found["switched"]["at_ms"] > 1_600_000_000_000
    assert "the link is paused by operator" in reasons(kept, 200)
    kept.edge_client.shop.orders.insert_one({"_id": 1})
    assert status(kept)["dirty"] == 1
    data(kept.operator.post("/api/sync/resume"))
    kept.settle()
    assert kept.hub_client.shop.orders.count_documents({}) == 1
    kept.restart()
    kept.settle()
    assert status(kept)["switched"] is None


def test_a_stopped_link_stays_stopped_and_what_is_written_meanwhile_is_kept(kept: Site) -> None:
    data(kept.admin.post("/api/sync/stop"))
    kept.restart()
    found = status(kept)
    assert (found["state"], found["switched"]["state"], found["switched"]["by"]) == ("stopped", "stopped", "admin")
    assert "replication is stopped by admin" in reasons(kept, 503)
    kept.edge_client.shop.orders.insert_one({"_id": 1})
    assert status(kept)["dirty"] == 1
    assert data(kept.operator.post("/api/sync/stop"))["changed"] is False
    assert data(kept.operator.post("/api/sync/start"))["changed"] is True
    kept.settle()
    assert kept.hub_client.shop.orders.count_documents({}) == 1
    kept.restart()
    kept.settle()


def test_a_stopped_link_that_was_paused_before_runs_once_it_is_started(kept: Site) -> None:
    data(kept.operator.post("/api/sync/pause"))
    data(kept.operator.post("/api/sync/stop"))
    data(kept.operator.post("/api/sync/start"))
    kept.settle()
    assert status(kept)["switched"] is None


def test_one_way_stays_one_way(kept: Site) -> None:
    data(kept.operator.post("/api/sync/bidirectional/toggle", json={"enabled": False}))
    kept.restart()
    assert data(kept.viewer.get("/api/sync/bidirectional/metrics"))["enabled"] is False
    kept.hub_client.shop.orders.insert_one({"_id": "there"})
    kept.edge_client.shop.orders.insert_one({"_id": "here"})
    wait_until(lambda: kept.hub_client.shop.orders.count_documents({}) == 2)
    kept.settle()
    assert kept.edge_client.shop.orders.count_documents({}) == 1
    data(kept.operator.post("/api/sync/bidirectional/toggle", json={"enabled": True}))
    wait_until(lambda: kept.edge_client.shop.orders.count_documents({}) == 2)


def test_excluded_collections_and_filters_stay(kept: Site) -> None:
    excluded = {"collections": ["secret"], "bidirectional": False}
    data(kept.admin.put("/api/sync/bidirectional/excluded-collections", json=excluded))
    order = {"direction": "push", "filter": {"done": True}}
    data(kept.admin.put("/api/sync/collections/shop.orders/direction", json=order))
    before = data(kept.viewer.get("/api/sync/selection"))
    kept.restart()
    after = data(kept.viewer.get("/api/sync/selection"))
    assert after == before
    assert after["override"]["excluded"] == ["secret"]
    assert {"pattern": "shop.orders", **order} in after["effective"]
