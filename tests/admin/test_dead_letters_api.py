"""Dead letters over the API: listing them, trying one or all again, giving one up."""

from collections.abc import Iterator
from typing import Any

import pytest
from admin_answers import data, wait_until


@pytest.fixture
def refused(site: Any) -> Iterator[Any]:
    """A site whose edge has no room for two documents of the hub."""
    site.edge_client.shop.people.create_index("email", unique=True)
    site.settle()
    site.edge_client.shop.people.insert_many([{"_id": f"{name} here", "email": name} for name in ("ann", "bob")])
    site.hub_client.shop.people.insert_many([{"_id": f"{name} there", "email": name} for name in ("ann", "bob")])
    wait_until(lambda: len(letters(site)) == 2)
    return site


def letters(site: Any) -> dict[str, Any]:
    """Return the dead letters by the `_id` of their document."""
    found = data(site.operator.get("/api/sync/dead-letters", params={"limit": 500}))
    assert found["total"] == len(found["dead_letters"])
    return {each["document_id"]: each for each in found["dead_letters"]}


def make_room(site: Any) -> None:
    """Delete what is in the way, behind the link's back: else the hub would be told, and everything be tried again."""
    storage = site.edge.engine.storage
    observers, storage.observers = storage.observers, ()
    site.edge_client.shop.people.delete_many({"_id": {"$in": ["ann here", "bob here"]}})
    storage.observers = observers


def test_they_are_listed_for_operators_with_the_reason(refused: Any) -> None:
    assert refused.viewer.get("/api/sync/dead-letters").status_code == 403
    letter = letters(refused)["ann there"]
    assert (letter["namespace"], letter["code"], letter["document"]["email"]) == ("shop.people", 11000, "ann")
    assert "email" in letter["error"]


def test_retrying_one_leaves_the_others_alone(refused: Any) -> None:
    make_room(refused)
    before = letters(refused)
    data(refused.operator.post(f"/api/sync/dead-letters/{before['ann there']['id']}/retry"), 202)
    wait_until(lambda: "ann there" not in letters(refused))
    assert refused.edge_client.shop.people.find_one({"_id": "ann there"}) is not None
    assert letters(refused) == {"bob there": before["bob there"]}
    assert refused.edge_client.shop.people.find_one({"_id": "bob there"}) is None
    audit = data(refused.admin.get("/api/admin/audit"))["entries"][0]
    assert (audit["details"]["namespace"], audit["details"]["document_id"]) == ("shop.people", "ann there")


def test_one_that_still_does_not_fit_keeps_its_number(refused: Any) -> None:
    before = letters(refused)
    tried = refused.edge.replicator.link.metrics.snapshot()["dead_letters"]
    data(refused.operator.post(f"/api/sync/dead-letters/{before['ann there']['id']}/retry"), 202)
    wait_until(lambda: refused.edge.replicator.link.metrics.snapshot()["dead_letters"] == tried + 1)
    assert letters(refused) == before


def test_all_are_retried_together_however_many_there_are(site: Any) -> None:
    site.edge_client.shop.people.create_index("email", unique=True)
    site.settle()
    site.edge_client.shop.people.insert_many([{"_id": f"{n} here", "email": n} for n in range(150)])
    site.hub_client.shop.people.insert_many([{"_id": f"{n} there", "email": n} for n in range(150)])
    wait_until(lambda: len(letters(site)) == 150)
    page = data(site.operator.get("/api/sync/dead-letters", params={"limit": 100}))
    rest = data(site.operator.get("/api/sync/dead-letters", params={"after": page["next"]}))
    assert (len(rest["dead_letters"]), rest["next"]) == (50, None)
    storage = site.edge.engine.storage
    observers, storage.observers = storage.observers, ()
    site.edge_client.shop.people.delete_many({})
    storage.observers = observers
    data(site.operator.post("/api/sync/dead-letters/retry"), 202)
    wait_until(lambda: not letters(site))
    assert site.edge_client.shop.people.count_documents({}) == 150


def test_one_that_is_given_up_is_gone_and_the_others_are_not(refused: Any) -> None:
    before = letters(refused)
    number = before["ann there"]["id"]
    assert data(refused.operator.delete(f"/api/sync/dead-letters/{number}")) == before["ann there"]
    assert letters(refused) == {"bob there": before["bob there"]}
    for request in (refused.operator.delete, lambda path: refused.operator.post(f"{path}/retry")):
        assert request(f"/api/sync/dead-letters/{number}").status_code == 404
