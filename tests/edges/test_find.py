"""`find`, `count` and `distinct` (manual: find, count, distinct)."""

from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import OperationFailure

ITEMS = [
    {"_id": 1, "name": "oar", "qty": 5, "tags": ["wood", "long"], "size": {"h": 14, "w": 21}},
    {"_id": 2, "name": "rope", "qty": 12, "tags": ["hemp"], "size": {"h": 1, "w": 400}},
    {"_id": 3, "name": "sail", "qty": 1, "tags": [], "size": {"h": 300, "w": 200}},
    {"_id": 4, "name": "anchor", "qty": 12, "tags": ["iron", "heavy"]},
]


@pytest.fixture
def items(database: Database[Any]) -> Any:
    database.items.insert_many(ITEMS)
    return database.items


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ({}, [1, 2, 3, 4]),
        ({"_id": 2}, [2]),
        ({"_id": 2.0}, [2]),
        ({"_id": Int64(2)}, [2]),
        ({"_id": Decimal128("2")}, [2]),
        ({"_id": ObjectId()}, []),
        ({"_id": {"$in": [4, 1, 9]}}, [1, 4]),
        ({"qty": {"$gte": 5}}, [1, 2, 4]),
        ({"qty": {"$gt": 1, "$lt": 12}}, [1]),
        ({"tags": "hemp"}, [2]),
        ({"tags": {"$all": ["iron", "heavy"]}}, [4]),
        ({"tags": {"$size": 0}}, [3]),
        ({"size.h": {"$lt": 20}}, [1, 2]),
        ({"size": {"$exists": False}}, [4]),
        ({"size": None}, [4]),
        ({"name": {"$regex": "^[or]"}}, [1, 2]),
        ({"$or": [{"name": "oar"}, {"qty": 1}]}, [1, 3]),
        ({"$nor": [{"qty": 12}]}, [1, 3]),
        ({"qty": {"$not": {"$gt": 5}}}, [1, 3]),
        ({"$expr": {"$gt": ["$size.h", "$size.w"]}}, [3]),
        ({"nothing": 1}, []),
    ],
)
def test_filters_select(items: Any, filter: dict[str, Any], ids: list[int]) -> None:
    assert sorted(each["_id"] for each in items.find(filter)) == ids
    assert items.count_documents(filter) == len(ids)


def test_a_collection_that_does_not_exist_is_empty(database: Database[Any]) -> None:
    assert list(database.nowhere.find()) == []
    assert database.nowhere.find_one({"_id": 1}) is None
    assert database.nowhere.estimated_document_count() == 0
    assert database.nowhere.distinct("a") == []


def test_sort_skip_and_limit_work_together(items: Any) -> None:
    found = items.find().sort([("qty", DESCENDING), ("_id", ASCENDING)]).skip(1).limit(2)
    assert [each["_id"] for each in found] == [4, 1]


def test_a_negative_limit_takes_one_batch(items: Any) -> None:
    cursor = items.find(limit=-2)
    assert [each["_id"] for each in cursor] == [1, 2]
    assert cursor.cursor_id == 0


def test_a_sort_by_natural_order_reverses_the_scan(items: Any) -> None:
    assert [each["_id"] for each in items.find().sort("$natural", -1)] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"name": 1}, {"_id": 1, "name": "oar"}),
        ({"name": 1, "_id": 0}, {"name": "oar"}),
        ({"tags": 0, "size": 0}, {"_id": 1, "name": "oar", "qty": 5}),
        ({"size.h": 1}, {"_id": 1, "size": {"h": 14}}),
        ({"tags": {"$slice": 1}, "name": 1}, {"_id": 1, "name": "oar", "tags": ["wood"]}),
        ({"twice": {"$multiply": ["$qty", 2]}}, {"_id": 1, "twice": 10}),
        ({"tags.$": 1}, {"_id": 1, "tags": ["long"]}),
    ],
)
def test_projections_shape(items: Any, projection: dict[str, Any], expected: dict[str, Any]) -> None:
    filter = {"tags": "long"} if "tags.$" in projection else {"_id": 1}
    assert items.find_one(filter, projection) == expected


def test_let_variables_reach_expressions(items: Any) -> None:
    found = items.find({"$expr": {"$eq": ["$qty", "$$wanted"]}}, let={"wanted": {"$add": [6, 6]}})
    assert sorted(each["_id"] for each in found) == [2, 4]


def test_hints_choose_an_index_or_are_refused(items: Any) -> None:
    items.create_index("qty")
    assert [each["_id"] for each in items.find({"name": {"$gt": ""}}, hint="qty_1")] == [3, 1, 2, 4]
    with pytest.raises(OperationFailure) as caught:
        list(items.find({}, hint="nonsense_1"))
    assert caught.value.code == 2


def test_distinct_takes_a_hint(items: Any) -> None:
    items.create_index("qty")
    for hint in ("qty_1", {"qty": 1}):
        reply = items.database.command("distinct", items.name, key="qty", query={"qty": {"$gt": 1}}, hint=hint)
        assert reply["values"] == [5, 12]
    with pytest.raises(OperationFailure) as caught:
        items.database.command("distinct", items.name, key="qty", query={}, hint="nothing_1")
    assert caught.value.code == 2


def test_distinct_is_no_part_of_the_stable_api(items: Any) -> None:
    with pytest.raises(OperationFailure) as caught:
        items.database.command("distinct", items.name, key="qty", apiVersion="1", apiStrict=True)
    assert caught.value.code == 323


def test_count_takes_skip_limit_and_a_query(items: Any) -> None:
    count = items.database.command
    assert count("count", "items")["n"] == 4
    assert count("count", "items", query={"qty": 12})["n"] == 2
    assert count("count", "items", skip=1, limit=2)["n"] == 2
    assert count("count", "items", limit=-3)["n"] == 3


def test_distinct_values_come_sorted_with_array_elements_apart(items: Any) -> None:
    assert items.distinct("qty") == [1, 5, 12]
    assert items.distinct("tags") == ["heavy", "hemp", "iron", "long", "wood"]
    assert items.distinct("tags", {"_id": 1}) == ["long", "wood"]
    assert items.distinct("size.w") == [21, 200, 400]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"filter": 5}, 14),
        ({"filter": {"a": {"$nonsense": 1}}}, 2),
        ({"filter": {"$nonsense": 1}}, 2),
        ({"limit": "many"}, 14),
        ({"limit": -1}, 51024),
        ({"skip": -1}, 51024),
        ({"batchSize": -1}, 51024),
        ({"sort": {"a": 5}}, 15975),
        ({"sort": "a"}, 14),
        ({"projection": {"a": 1, "b": 0}}, 31254),
        ({"nonsense": 1}, 40415),
        ({"tailable": True}, 2),
        ({"awaitData": True}, 9),
        ({"collation": {"locale": "de"}}, 238),
        ({"maxTimeMS": -1}, 51024),
        ({"maxTimeMS": "soon"}, 14),
        ({"readConcern": {"level": "nonsense"}}, 9),
        ({"readConcern": {"level": "snapshot"}}, 238),
        ({"filter": {"$where": "true"}}, 238),
        ({"let": {"Bad": 1}}, 9),
        ({"filter": {"_id": 1}, "showRecordId": True}, 238),
        ({"returnKey": True}, 238),
        ({"min": {"a": 1}}, 238),
        ({"max": {"a": 1}}, 238),
    ],
)
def test_wrong_fields_are_refused_with_the_servers_codes(
    database: Database[Any], fields: dict[str, Any], code: int
) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("find", "items", **fields)
    assert caught.value.code == code, caught.value


def test_read_concerns_are_met_by_the_one_node(items: Any) -> None:
    for level in ("local", "available", "majority", "linearizable"):
        reply = items.database.command("find", "items", readConcern={"level": level})
        assert len(reply["cursor"]["firstBatch"]) == 4


def test_a_query_that_takes_too_long_is_ended(items: Any) -> None:
    items.insert_many([{"a": list(range(50))} for _ in range(3000)])
    with pytest.raises(OperationFailure) as caught:
        list(items.find({"a": {"$elemMatch": {"$gt": 10**6}}}).max_time_ms(1))
    assert caught.value.code == 50


def test_a_causally_consistent_session_reads_its_own_writes(items: Any) -> None:
    with items.database.client.start_session(causal_consistency=True) as session:
        items.insert_one({"_id": 77}, session=session)
        assert items.find_one({"_id": 77}, session=session) == {"_id": 77}
