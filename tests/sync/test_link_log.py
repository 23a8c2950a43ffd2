"""What a link logs: events with their fields, and never a document, a value of one, or a password."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from guarded_hub import GuardedServer
from hubs import HubNode, LocalHub, SharedHub
from nodes import EdgeNode, wait_for

from skerry.values.namespace import Namespace

Make = Callable[..., EdgeNode]
BODY = "a value that is nobody's business"
OF_EVERY_LINE = set(vars(logging.makeLogRecord({}))) | {"message"}


@pytest.fixture(autouse=True)
def _in_full(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="skerry.sync")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in OF_EVERY_LINE}


def lines(caplog: pytest.LogCaptureFixture, words: str) -> list[dict[str, Any]]:
    """The level and fields of each line that has the words in its message."""
    found = [each for each in caplog.records if words in each.getMessage()]
    return [{"level": each.levelname, **fields(each)} for each in found]


def assert_says_nothing(caplog: pytest.LogCaptureFixture, secret: str) -> None:
    shown = json.dumps([{"message": each.getMessage(), **fields(each)} for each in caplog.records], default=str)
    assert caplog.records
    assert secret not in shown


def test_a_connection_and_batches_of_both_directions(
    hub: HubNode, make_edge: Make, caplog: pytest.LogCaptureFixture
) -> None:
    edge = make_edge()
    edge.settle()
    (connected,) = lines(caplog, "connected to")
    assert (connected["level"], connected["link"]) == ("INFO", "hub")
    assert connected["tier"] == edge.replicator.status().tier
    assert connected["hub_identity"] == edge.replicator.link.identity.hub
    edge.shop.orders.insert_many([{"_id": n, "body": BODY} for n in range(3)])
    edge.settle()
    hub.shop.parts.insert_one({"_id": 1, "body": BODY})
    edge.settle()
    pushed = lines(caplog, "pushed")
    assert {each["level"] for each in pushed} == {"DEBUG"}
    assert sum(each["done"] for each in pushed) == 3
    assert {each["database"] for each in pushed} == {edge.shop.name}
    assert all(each["batch"] >= 1 and each["link"] == "hub" for each in pushed)
    (applied,) = [each for each in lines(caplog, "applied") if f"{edge.shop.name}.parts" in each["namespaces"]]
    assert (applied["level"], applied["pulled_applied"]) == ("DEBUG", 1)
    assert applied["events"] >= 1
    assert_says_nothing(caplog, BODY)


def test_a_document_that_the_hub_refuses_is_named_but_not_shown(
    hub: HubNode, make_edge: Make, caplog: pytest.LogCaptureFixture
) -> None:
    hub.shop.people.create_index("email", unique=True)
    hub.shop.people.insert_one({"_id": "there", "email": BODY})
    edge = make_edge(rules="shop.*=push")
    edge.settle()
    edge.shop.people.insert_one({"_id": "here", "email": BODY})
    wait_for(lambda: lines(caplog, "the hub refuses a document"))
    refused = lines(caplog, "the hub refuses a document")[0]
    assert refused == {
        "level": "WARNING",
        "link": "hub",
        "namespace": f"{edge.shop.name}.people",
        "id": '"here"',
        "tries": 1,
    }
    assert_says_nothing(caplog, BODY)


def test_a_change_that_cannot_be_applied_is_named_once(
    hub: HubNode, make_edge: Make, caplog: pytest.LogCaptureFixture
) -> None:
    edge = make_edge()
    edge.shop.people.create_index("email", unique=True)
    edge.shop.people.insert_one({"_id": "here", "email": BODY})
    edge.settle()
    hub.shop.people.insert_one({"_id": "there", "email": BODY})
    wait_for(lambda: edge.replicator.status().dead_letters)
    before = edge.counters()["dead_letters"]
    edge.replicator.retry_dead_letters()
    wait_for(lambda: edge.counters()["dead_letters"] > before)
    (put_aside,) = lines(caplog, "could not be applied")
    assert (put_aside["level"], put_aside["id"], put_aside["code"]) == ("WARNING", '"there"', 11000)
    assert put_aside["namespace"] == f"{edge.shop.name}.people"
    assert_says_nothing(caplog, BODY)


def test_freezing_and_thawing(hub: HubNode, make_edge: Make, caplog: pytest.LogCaptureFixture) -> None:
    edge = make_edge()
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    hub.shop.drop_collection("orders")
    wait_for(lambda: edge.replicator.status().frozen)
    namespace = f"{edge.shop.name}.orders"
    (frozen,) = lines(caplog, "is frozen")
    assert (frozen["level"], frozen["namespace"], frozen["reason"]) == ("WARNING", namespace, "the hub reported drop")
    edge.replicator.thaw(Namespace.parse(namespace))
    (thawed,) = lines(caplog, "travels again")
    assert thawed == {"level": "INFO", "link": "hub", "namespace": namespace}
    edge.settle()
    assert {"level": "DEBUG", "link": "hub", "namespace": namespace} in lines(caplog, "has been compared")


def test_lost_history_names_what_is_compared(
    local_hub: LocalHub, make_edge: Make, caplog: pytest.LogCaptureFixture
) -> None:
    edge = make_edge()
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    edge.unlink()
    for number in range(2, 6):
        local_hub.shop.orders.insert_one({"_id": number})
    local_hub.lose_history()
    assert lines(caplog, "are compared with the hub") == []
    edge.relink()
    edge.settle()
    (lost,) = lines(caplog, "are compared with the hub")
    assert (lost["level"], lost["namespaces"], lost["collections"]) == ("INFO", [f"{edge.shop.name}.orders"], 1)
    assert "history lost" in lost["reason"]


def test_a_copy_of_a_store_is_told(
    hub: HubNode, make_edge: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edge = make_edge()
    edge.settle()
    edge.close()
    shutil.copytree(tmp_path / "edge", tmp_path / "copy")
    edge.open()
    edge.link()
    edge.settle()
    assert lines(caplog, "a copy of this store") == []
    copy = make_edge("copy")
    copy.settle()
    (told,) = lines(caplog, "it has taken another")
    assert (told["level"], told["edge"]) == ("INFO", copy.replicator.link.identity.edge)
    assert told["edge"] != edge.replicator.link.identity.edge


@pytest.mark.slow
def test_the_password_of_the_hub_is_in_no_line(
    guarded: GuardedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = guarded.user_with([("readWriteAnyDatabase", "admin")])
    hub = SharedHub(uri)
    edge = EdgeNode(tmp_path / "edge", uri, "shop.*=both", prefix=hub.prefix)
    edge.settle()
    edge.close()
    hub.close()
    assert "mongodb://…@127.0.0.1" in lines(caplog, "connected to")[0]["hub"]
    assert_says_nothing(caplog, "secret")
