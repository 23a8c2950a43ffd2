"""Deciding conflicts and dead letters over the API."""

import json
from typing import Any

import pytest
from admin_answers import data


def test_a_conflict_is_listed_without_and_shown_with_its_documents(site: Any) -> None:
    number = site.make_conflict()
    listed = data(site.viewer.get("/api/sync/bidirectional/conflicts"))
    assert listed["total"] == 1
    summary = listed["conflicts"][0]
    assert (summary["id"], summary["namespace"], summary["document_id"]) == (number, "shop.orders", "a")
    assert summary["paths"] == ["qty"]
    assert "versions" not in summary
    assert site.viewer.get(f"/api/sync/conflicts/{number}").status_code == 403
    versions = data(site.operator.get(f"/api/sync/conflicts/{number}"))["versions"]
    assert (versions["base"]["qty"], versions["local"]["qty"], versions["remote"]["qty"]) == (1, 2, 3)
    assert versions["result"] == {"_id": "a", "qty": 3, "there": True, "here": True}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"choice": "result"}, {"qty": 3, "here": True, "there": True}),
        ({"choice": "local"}, {"qty": 2, "here": True}),
        ({"choice": "base"}, {"qty": 1}),
        ({"choice": "document", "document": {"qty": {"$numberLong": "9"}}}, {"qty": 9}),
        ({"choice": "document"}, None),
    ],
)
def test_the_chosen_version_stands_on_both_sides(site: Any, order: dict[str, Any], expected: Any) -> None:
    number = site.make_conflict()
    path = f"/api/sync/conflicts/{number}/resolve"
    assert data(site.operator.post(path, json=order))["resolved"] is True
    site.settle()
    wanted = None if expected is None else {"_id": "a", **expected}
    assert site.edge_client.shop.orders.find_one({"_id": "a"}) == wanted
    assert site.hub_client.shop.orders.find_one({"_id": "a"}) == wanted
    assert data(site.viewer.get("/api/sync/conflicts", params={"resolved": "false"}))["conflicts"] == []
    assert len(data(site.viewer.get("/api/sync/conflicts", params={"resolved": "true"}))["conflicts"]) == 1


def test_a_document_that_was_changed_since_is_not_overwritten_unawares(site: Any) -> None:
    number = site.make_conflict()
    site.edge_client.shop.orders.update_one({"_id": "a"}, {"$set": {"later": 1}})
    path = f"/api/sync/conflicts/{number}/resolve"
    refused = site.operator.post(path, json={"choice": "local"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "changed_since")
    assert data(site.viewer.get("/api/sync/conflicts"))["conflicts"][0]["resolved"] is False
    data(site.operator.post(path, json={"choice": "local", "force": True}))
    assert site.edge_client.shop.orders.find_one({"_id": "a"}) == {"_id": "a", "qty": 2, "here": True}


def test_an_impossible_decision_changes_nothing(site: Any) -> None:
    number = site.make_conflict()
    for order in (
        {"choice": "mine"},
        {"choice": "local", "document": {"qty": 1}},
        {"choice": "document", "document": {"_id": "other"}},
        {"choice": "document", "document": {"n": {"$oid": "short"}}},
    ):
        assert site.operator.post(f"/api/sync/conflicts/{number}/resolve", json=order).status_code == 400
    assert data(site.viewer.get("/api/sync/conflicts"))["conflicts"][0]["resolved"] is False


def test_conflicts_come_in_pages_and_are_exported_whole(site: Any) -> None:
    first, second = site.make_conflict("a"), site.make_conflict("b")
    page = data(site.viewer.get("/api/sync/conflicts", params={"limit": 1}))
    assert ([each["id"] for each in page["conflicts"]], page["next"]) == ([first], first)
    rest = data(site.viewer.get("/api/sync/conflicts", params={"after": first}))
    assert ([each["id"] for each in rest["conflicts"]], rest["next"]) == ([second], None)
    assert data(site.viewer.get("/api/sync/conflicts", params={"namespace": "shop.other"}))["conflicts"] == []
    exported = site.operator.get("/api/sync/conflicts/export").text.splitlines()
    assert [json.loads(line)["versions"]["base"]["_id"] for line in exported] == ["a", "b"]


def test_a_decision_passes_the_validator_as_any_write_does(site: Any) -> None:
    number = site.make_conflict()
    site.settle()
    strict = {"qty": {"$gte": 3}}
    site.edge_client.shop.command("collMod", "orders", validator=strict)
    before = site.edge_client.shop.orders.find_one({"_id": "a"})
    for order in ({"choice": "local"}, {"choice": "base"}, {"choice": "document", "document": {"qty": "many"}}):
        refused = site.operator.post(f"/api/sync/conflicts/{number}/resolve", json=order)
        assert (refused.status_code, refused.json()["error"]["details"]["code"]) == (400, 121), refused.text
        assert refused.json()["error"]["details"]["codeName"] == "DocumentValidationFailure"
    assert site.edge_client.shop.orders.find_one({"_id": "a"}) == before
    assert data(site.viewer.get("/api/sync/conflicts"))["conflicts"][0]["resolved"] is False
    order = {"choice": "document", "document": {"qty": 4}}
    data(site.operator.post(f"/api/sync/conflicts/{number}/resolve", json=order))
    site.settle()
    assert site.hub_client.shop.orders.find_one({"_id": "a"}) == {"_id": "a", "qty": 4}


def test_a_decision_that_a_unique_index_refuses_changes_nothing(site: Any) -> None:
    number = site.make_conflict()
    site.edge_client.shop.orders.insert_one({"_id": "b", "qty": 2})
    site.edge_client.shop.orders.create_index("qty", unique=True)
    refused = site.operator.post(f"/api/sync/conflicts/{number}/resolve", json={"choice": "local"})
    assert (refused.status_code, refused.json()["error"]["details"]["code"]) == (400, 11000)
    assert site.edge_client.shop.orders.find_one({"_id": "a"})["qty"] == 3
    assert data(site.viewer.get("/api/sync/conflicts"))["conflicts"][0]["resolved"] is False
