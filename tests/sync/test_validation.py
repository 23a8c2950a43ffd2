"""Documents of the hub that the validator of the collection here refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for

from skerry.config.sync_config import OnInvalid

SCHEMA = {"$jsonSchema": {"required": ["name"], "properties": {"name": {"bsonType": "string"}, "age": {"minimum": 0}}}}
INVALID = [{"_id": 1}, {"_id": 2, "name": 5}, {"_id": 3, "name": "Cy", "age": -1}]


@pytest.fixture
def make_strict(make_edge: Callable[..., EdgeNode]) -> Callable[[OnInvalid], EdgeNode]:
    def make(on_invalid: OnInvalid) -> EdgeNode:
        edge = make_edge(on_invalid=on_invalid)
        edge.shop.create_collection("people", validator=SCHEMA)
        edge.settle()
        return edge

    return make


def test_what_is_invalid_here_is_stored_and_counted(hub: HubNode, make_strict: Callable[[OnInvalid], EdgeNode]) -> None:
    edge = make_strict(OnInvalid.ACCEPT)
    hub.shop.people.insert_many([*INVALID, {"_id": 4, "name": "Di"}])
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.counters()["pulled_invalid"] == 3


def test_what_is_invalid_here_is_put_aside_until_it_is_valid(
    hub: HubNode, make_strict: Callable[[OnInvalid], EdgeNode]
) -> None:
    edge = make_strict(OnInvalid.QUARANTINE)
    hub.shop.people.insert_one({"_id": 5, "name": "Ed"})
    edge.settle()
    hub.shop.people.insert_many([*INVALID, {"_id": 4, "name": "Di"}])
    hub.shop.people.update_one({"_id": 5}, {"$set": {"age": "old", "name": 7}})
    edge.settle()
    assert names(edge) == {4: "Di", 5: "Ed"}
    status = edge.replicator.status()
    assert status.dead_letters == 4
    assert any("could not be applied" in problem for problem in status.problems)
    hub.shop.people.update_many({}, {"$set": {"name": "Flo", "age": 3}})
    wait_for(lambda: edge.replicator.status().dead_letters == 0)
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert names(edge) == dict.fromkeys(range(1, 6), "Flo")


def test_an_invalid_document_and_an_edit_here_are_kept_apart(
    hub: HubNode, make_strict: Callable[[OnInvalid], EdgeNode]
) -> None:
    edge = make_strict(OnInvalid.QUARANTINE)
    edge.shop.people.insert_one({"_id": 1, "name": "Al", "age": 1})
    edge.settle()
    edge.replicator.pause()
    edge.shop.people.update_one({"_id": 1}, {"$set": {"age": 2}})
    hub.shop.people.update_one({"_id": 1}, {"$unset": {"name": ""}})
    edge.replicator.resume()
    wait_for(lambda: edge.replicator.status().dead_letters == 1)
    assert edge.shop.people.find_one({"_id": 1}) == {"_id": 1, "name": "Al", "age": 2}
    hub.shop.people.update_one({"_id": 1}, {"$set": {"name": "Al B."}})
    edge.settle()
    wait_for(lambda: edge.replicator.status().dead_letters == 0)
    assert contents(edge.shop) == contents(hub.shop) == {"people": [{"_id": 1, "age": 2, "name": "Al B."}]}


def names(edge: EdgeNode) -> dict[Any, Any]:
    return {each["_id"]: each.get("name") for each in edge.shop.people.find()}
