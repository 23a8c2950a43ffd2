"""Query filters of the selection over the API: documents move in and out of scope while the node runs."""

from typing import Any

import pytest
from admin_answers import data, wait_until

PATH = "/api/sync/collections/shop.orders/direction"


def ids(site: Any) -> list[Any]:
    return sorted(each["_id"] for each in site.edge_client.shop.orders.find())


def test_a_filter_set_while_running_lets_documents_in_and_out(site: Any) -> None:
    regions = ["north", "south", "east"]
    site.hub_client.shop.orders.insert_many([{"_id": n, "region": regions[n % 3]} for n in range(6)])
    wait_until(lambda: len(ids(site)) == 6)
    site.settle()
    before = data(site.viewer.get("/api/sync/selection"))["version"]
    order = {"direction": "both", "filter": {"region": "north"}}
    assert data(site.admin.put(PATH, json=order)) == {"namespace": "shop.orders", **order}
    wait_until(lambda: ids(site) == [0, 3])
    shown = data(site.viewer.get("/api/sync/selection"))
    assert shown["version"] > before
    assert shown["effective"][0] == {"pattern": "shop.orders", **order}
    assert shown["override"]["directions"] == [{"pattern": "shop.orders", **order}]
    collection = next(
        each for each in data(site.viewer.get("/api/sync/collections")) if each["namespace"] == "shop.orders"
    )
    assert collection["filter"] == {"region": "north"}
    site.settle()
    site.hub_client.shop.orders.update_one({"_id": 1}, {"$set": {"region": "north"}})
    site.hub_client.shop.orders.update_one({"_id": 0}, {"$set": {"region": "south"}})
    wait_until(lambda: ids(site) == [1, 3])
    site.edge_client.shop.orders.insert_many([{"_id": 10, "region": "north"}, {"_id": 11, "region": "south"}])
    site.settle()
    assert site.hub_client.shop.orders.find_one({"_id": 10}) is not None
    assert site.hub_client.shop.orders.find_one({"_id": 11}) is None
    data(site.admin.put(PATH, json={"direction": "both", "filter": {"region": {"$in": ["north", "south"]}}}))
    wait_until(lambda: site.hub_client.shop.orders.find_one({"_id": 11}) is not None)
    wait_until(lambda: ids(site) == [0, 1, 3, 4, 10, 11])
    data(site.admin.delete(PATH))
    wait_until(lambda: ids(site) == [0, 1, 2, 3, 4, 5, 10, 11])
    assert site.hub_client.shop.orders.count_documents({}) == 8


def test_a_filter_takes_values_of_extended_json(site: Any) -> None:
    site.hub_client.shop.orders.insert_many([{"_id": 1, "n": 5}, {"_id": 2, "n": 6}])
    wait_until(lambda: ids(site) == [1, 2])
    site.settle()
    data(site.admin.put(PATH, json={"direction": "both", "filter": {"n": {"$gte": {"$numberLong": "6"}}}}))
    wait_until(lambda: ids(site) == [2])
    assert data(site.viewer.get("/api/sync/selection"))["effective"][0]["filter"] == {"n": {"$gte": 6}}


@pytest.mark.parametrize(
    ("query", "code", "name", "message"),
    [
        ({"region": {"$nowhere": 1}}, 2, "BadValue", "unknown operator: $nowhere"),
        ({"$nonsense": 1}, 2, "BadValue", "unknown top level operator: $nonsense"),
        ({"$and": "north"}, 2, "BadValue", "$and"),
        ({"a": {"$in": 5}}, 2, "BadValue", "$in needs an array"),
    ],
)
def test_a_filter_that_is_no_query_is_refused_with_mongodbs_error(
    shared: Any, query: Any, code: int, name: str, message: str
) -> None:
    before = data(shared.viewer.get("/api/sync/selection"))
    refused = shared.admin.put(PATH, json={"direction": "both", "filter": query})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "command_failed")
    assert error["details"] == {"code": code, "codeName": name}
    assert message in error["message"]
    assert data(shared.viewer.get("/api/sync/selection")) == before


@pytest.mark.parametrize("order", [{"direction": "none", "filter": {"a": 1}}, {"direction": "both", "filter": [1]}])
def test_a_filter_that_says_nothing_is_refused(shared: Any, order: Any) -> None:
    assert shared.admin.put(PATH, json=order).status_code == 400


def test_only_an_admin_sets_a_filter(shared: Any) -> None:
    assert shared.operator.put(PATH, json={"direction": "both", "filter": {"a": 1}}).status_code == 403
