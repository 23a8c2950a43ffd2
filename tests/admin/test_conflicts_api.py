"""Deciding conflicts and dead letters over the API."""

import json
from typing import Any

import pytest
from admin_answers import data, wait_until


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


def test_a_dead_letter_is_listed_retried_and_discarded(site: Any) -> None:
    site.edge_client.shop.people.create_index("email", unique=True)
    site.settle()
    site.edge_client.shop.people.insert_one({"_id": "here", "email": "x"})
    site.hub_client.shop.people.insert_one({"_id": "there", "email": "x"})
    wait_until(lambda: data(site.operator.get("/api/sync/dead-letters"))["total"] == 1)
    assert site.viewer.get("/api/sync/dead-letters").status_code == 403
    letter = data(site.operator.get("/api/sync/dead-letters"))["dead_letters"][0]
    assert (letter["namespace"], letter["document_id"], letter["code"]) == ("shop.people", "there", 11000)
    data(site.operator.post(f"/api/sync/dead-letters/{letter['id']}/retry"), 202)
    site.edge_client.shop.people.delete_one({"_id": "here"})
    wait_until(lambda: site.operator.post("/api/sync/dead-letters/retry") and _is_empty(site))
    assert site.edge_client.shop.people.find_one({"_id": "there"}) is not None


def test_a_discarded_dead_letter_is_gone(site: Any) -> None:
    site.edge_client.shop.people.create_index("email", unique=True)
    site.settle()
    site.edge_client.shop.people.insert_one({"_id": "here", "email": "x"})
    site.hub_client.shop.people.insert_one({"_id": "there", "email": "x"})
    wait_until(lambda: not _is_empty(site))
    number = data(site.operator.get("/api/sync/dead-letters"))["dead_letters"][0]["id"]
    assert data(site.operator.delete(f"/api/sync/dead-letters/{number}"))["document_id"] == "there"
    assert _is_empty(site)
    assert site.operator.delete(f"/api/sync/dead-letters/{number}").status_code == 404


def _is_empty(site: Any) -> bool:
    return data(site.operator.get("/api/sync/dead-letters"))["total"] == 0
