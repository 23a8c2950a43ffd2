"""The log of slow operations (manual: Log Messages, Slow Operations): what took long, by which plan, without values."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

import skerry
from skerry.config import EngineConfig
from skerry.local_client.open_engines import open_engine, release_engine

SECRET = "hunter-two-and-a-half"

Lines = Callable[[], list[Any]]


@pytest.fixture
def client(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[MongoClient[Any]]:
    """A database in which every operation counts as slow."""
    caplog.set_level(logging.INFO, logger="skerry.slow")
    with skerry.connect(tmp_path / "data", config=EngineConfig(slow_ms=0)) as client:
        yield client


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """The records of the slow log since the last call."""

    def take() -> list[Any]:
        found = [record for record in caplog.records if record.name == "skerry.slow"]
        caplog.clear()
        return found

    return take


def test_a_line_has_shape_plan_and_numbers(client: MongoClient[Any], lines: Lines) -> None:
    orders = client.shop.orders
    orders.insert_many({"_id": n, "item": f"item {n}", "qty": n % 10} for n in range(500))
    orders.create_index([("qty", 1), ("item", -1)])
    (insert,) = (line for line in lines() if line.command == "insert")
    assert (insert.namespace, insert.returned, insert.shape["documents"]) == ("shop.orders", 500, "?500 documents")
    list(orders.find({"qty": 3, "note": {"$ne": SECRET}}, {"item": 1}).sort("item", 1).limit(7))
    (found,) = (line for line in lines() if line.command == "find")
    assert found.plan_summary == "IXSCAN { qty: 1, item: -1 }"
    assert found.shape["filter"] == {"qty": "?int", "note": {"$ne": "?string"}}
    assert found.shape["projection"] == {"item": 1}
    assert found.returned == 7
    assert 7 <= found.docs_examined == found.keys_examined <= 50
    list(orders.aggregate([{"$match": {"note": None}}, {"$group": {"_id": "$item"}}]))
    (grouped,) = (line for line in lines() if line.command == "aggregate")
    assert (grouped.plan_summary, grouped.docs_examined, grouped.keys_examined) == ("COLLSCAN", 500, 0)


def test_neither_line_nor_record_has_a_value_of_a_document(client: MongoClient[Any], lines: Lines) -> None:
    orders = client.shop.orders
    orders.insert_one({"_id": SECRET, "text": SECRET})
    orders.update_one({"text": SECRET}, {"$set": {"other": SECRET, "list": [SECRET]}})
    orders.find_one_and_update({"text": SECRET}, [{"$set": {"third": {"$concat": ["$text", SECRET]}}}])
    list(orders.find({"$or": [{"text": SECRET}, {"other": {"$in": [SECRET]}}]}).sort("text").comment(SECRET))
    orders.distinct("text", {"text": SECRET})
    orders.delete_one({"text": {"$regex": SECRET}})
    with pytest.raises(OperationFailure):
        client.shop.command("createUser", "me", pwd=SECRET, roles=[{"role": "none", "db": SECRET}])
    found = lines()
    assert {"insert", "update", "findAndModify", "find", "distinct", "delete", "createUser"} <= {
        each.command for each in found
    }
    for each in found:
        assert SECRET not in each.getMessage()
        assert SECRET not in repr(vars(each))


def test_a_failed_operation_is_noted_with_its_code(client: MongoClient[Any], lines: Lines) -> None:
    with pytest.raises(OperationFailure):
        list(client.shop.orders.aggregate([{"$none": 1}]))
    assert [(line.command, line.error_code) for line in lines() if line.command == "aggregate"] == [
        ("aggregate", 40324)
    ]


def test_waiting_for_an_event_is_not_slow(tmp_path: Path, lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="skerry.slow")
    with skerry.connect(tmp_path / "other", config=EngineConfig(slow_ms=100)) as client:
        with client.shop.watch(max_await_time_ms=300) as stream:
            assert stream.try_next() is None
        assert [line.command for line in lines() if line.command == "getMore"] == []


def test_the_newest_are_kept(client: MongoClient[Any], tmp_path: Path) -> None:
    for _ in range(120):
        client.shop.command("ping")
    client.shop.orders.find_one({"a": 1})
    engine = open_engine(tmp_path / "data")
    try:
        newest = engine.slow_operations.newest()
    finally:
        release_engine(engine)
    assert len(newest) == 100
    assert (newest[0].command, newest[1].command) == ("find", "ping")
