"""`aggregate` (manual: aggregate, Aggregation Stages)."""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure


@pytest.fixture
def sales(database: Database[Any]) -> Any:
    database.sales.insert_many(
        [
            {"_id": 1, "item": "oar", "qty": 2, "price": 10.0, "tags": ["a", "b"]},
            {"_id": 2, "item": "oar", "qty": 1, "price": 11.0, "tags": ["a"]},
            {"_id": 3, "item": "rope", "qty": 5, "price": 2.5, "tags": []},
        ]
    )
    database.items.insert_many([{"_id": "oar", "wood": True}, {"_id": "rope", "wood": False}])
    return database.sales


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ([{"$match": {"qty": {"$gt": 1}}}, {"$project": {"qty": 1}}], [{"_id": 1, "qty": 2}, {"_id": 3, "qty": 5}]),
        (
            [{"$group": {"_id": "$item", "n": {"$sum": "$qty"}}}, {"$sort": {"_id": 1}}],
            [{"_id": "oar", "n": 3}, {"_id": "rope", "n": 5}],
        ),
        ([{"$count": "n"}], [{"n": 3}]),
        ([{"$match": {"qty": 99}}, {"$count": "n"}], []),
        (
            [{"$sort": {"price": -1}}, {"$limit": 1}, {"$unset": ["tags", "qty"]}],
            [{"_id": 2, "item": "oar", "price": 11.0}],
        ),
        ([{"$unwind": "$tags"}, {"$sortByCount": "$tags"}], [{"_id": "a", "count": 2}, {"_id": "b", "count": 1}]),
        (
            [
                {"$match": {"_id": 3}},
                {"$lookup": {"from": "items", "localField": "item", "foreignField": "_id", "as": "i"}},
                {"$project": {"i": 1}},
            ],
            [{"_id": 3, "i": [{"_id": "rope", "wood": False}]}],
        ),
        (
            [{"$facet": {"n": [{"$count": "c"}], "first": [{"$limit": 1}, {"$project": {"_id": 1}}]}}],
            [{"n": [{"c": 3}], "first": [{"_id": 1}]}],
        ),
        ([{"$replaceWith": {"t": {"$multiply": ["$qty", "$price"]}}}], [{"t": 20.0}, {"t": 11.0}, {"t": 12.5}]),
        (
            [{"$skip": 2}, {"$set": {"x": "$$REMOVE", "tags": "$$REMOVE"}}],
            [{"_id": 3, "item": "rope", "qty": 5, "price": 2.5}],
        ),
    ],
)
def test_pipelines_compute(sales: Any, pipeline: list[Any], expected: list[Any]) -> None:
    assert list(sales.aggregate(pipeline)) == expected


def test_a_pipeline_comes_in_batches(database: Database[Any]) -> None:
    database.numbers.insert_many([{"_id": number} for number in range(300)])
    found = database.numbers.aggregate([{"$set": {"n": {"$add": ["$_id", 1]}}}], batchSize=50)
    assert [each["n"] for each in found] == list(range(1, 301))


def test_let_variables_reach_the_pipeline(sales: Any) -> None:
    found = sales.aggregate([{"$match": {"$expr": {"$eq": ["$qty", "$$q"]}}}, {"$project": {"_id": 1}}], let={"q": 5})
    assert list(found) == [{"_id": 3}]


def test_out_replaces_a_collection(sales: Any) -> None:
    sales.database.totals.insert_one({"_id": "old"})
    sales.aggregate([{"$group": {"_id": "$item", "n": {"$sum": 1}}}, {"$out": "totals"}])
    assert sorted(sales.database.totals.find(), key=lambda each: each["_id"]) == [
        {"_id": "oar", "n": 2},
        {"_id": "rope", "n": 1},
    ]


def test_merge_updates_a_collection(sales: Any) -> None:
    sales.database.totals.insert_many([{"_id": "oar", "kept": True}, {"_id": "old"}])
    sales.aggregate([{"$group": {"_id": "$item", "n": {"$sum": 1}}}, {"$merge": {"into": "totals"}}])
    assert sorted(sales.database.totals.find(), key=lambda each: each["_id"]) == [
        {"_id": "oar", "kept": True, "n": 2},
        {"_id": "old"},
        {"_id": "rope", "n": 1},
    ]


def test_documents_need_no_collection(database: Database[Any]) -> None:
    found = database.aggregate([{"$documents": [{"a": 1}, {"a": 2}]}, {"$match": {"a": 2}}])
    assert list(found) == [{"a": 2}]


def test_a_view_is_its_pipeline(sales: Any) -> None:
    database = sales.database
    database.create_collection("oars", viewOn="sales", pipeline=[{"$match": {"item": "oar"}}])
    assert database.oars.count_documents({}) == 2
    assert list(database.oars.find({"qty": 1}, {"_id": 1})) == [{"_id": 2}]
    assert database.oars.distinct("qty") == [1, 2]
    with pytest.raises(OperationFailure) as caught:
        database.oars.insert_one({})
    assert caught.value.code == 166


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"pipeline": []}, 9),
        ({"pipeline": {}, "cursor": {}}, 14),
        ({"pipeline": [5], "cursor": {}}, 14),
        ({"cursor": {}}, 40414),
        ({"pipeline": [], "cursor": 5}, 14),
        ({"pipeline": [], "cursor": {"batchSize": -1}}, 51024),
        ({"pipeline": [{"$nonsense": 1}], "cursor": {}}, 40324),
        ({"pipeline": [{"$match": {}, "$limit": 1}], "cursor": {}}, 40323),
        ({"pipeline": [{"$limit": 0}], "cursor": {}}, 15958),
        ({"pipeline": [{"$group": {"n": 1}}], "cursor": {}}, 15955),
        ({"pipeline": [{"$set": {"a": {"$nonsense": 1}}}], "cursor": {}}, 168),
        ({"pipeline": [], "cursor": {}, "nonsense": 1}, 40415),
    ],
)
def test_wrong_pipelines_are_refused_with_the_servers_codes(sales: Any, fields: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        sales.database.command({"aggregate": "sales", **fields})
    assert caught.value.code == code, caught.value


def test_a_pipeline_of_a_database_needs_a_stage_that_reads_none(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        list(database.aggregate([{"$match": {}}]))
    assert caught.value.code == 73


@pytest.mark.parametrize("stage", [{"$out": "copies"}, {"$merge": "copies"}])
def test_a_linearizable_read_cannot_write(database: Database[Any], stage: dict[str, Any]) -> None:
    database.oars.insert_one({})
    with pytest.raises(OperationFailure) as caught:
        database.command("aggregate", "oars", pipeline=[stage], cursor={}, readConcern={"level": "linearizable"})
    assert caught.value.code == 72
    assert "copies" not in database.list_collection_names()


def test_the_sessions_of_this_server_are_listed_with_the_one_that_asks(database: Database[Any]) -> None:
    with database.client.start_session() as session:
        listed = list(database.aggregate([{"$listLocalSessions": {}}], session=session))
        assert any(each["_id"]["id"] == session.session_id["id"] for each in listed)
    assert list(
        database.aggregate([{"$listLocalSessions": {}}, {"$limit": 1}, {"$project": {"_id": 0, "n": {"$literal": 1}}}])
    ) == [{"n": 1}]
    with pytest.raises(OperationFailure) as caught:
        list(database.oars.aggregate([{"$listLocalSessions": {}}]))
    assert caught.value.code == 73


@pytest.mark.parametrize("stage", ["$listLocalSessions", "$currentOp"])
def test_the_stable_api_has_no_diagnostic_stages(database: Database[Any], stage: str) -> None:
    command = {"aggregate": 1, "cursor": {}, "apiVersion": "1", "apiStrict": True}
    with pytest.raises(OperationFailure) as caught:
        database.command({**command, "pipeline": [{stage: {}}]})
    assert caught.value.code == 323
    assert database.command({**command, "pipeline": [{"$documents": [{"a": 1}]}]})["cursor"]["firstBatch"] == [{"a": 1}]


@pytest.mark.parametrize(
    "stages",
    [
        [
            {"$set": {"n": {"$range": [0, 3000]}}},
            {"$unwind": "$n"},
            {"$set": {"m": {"$range": [0, 3000]}}},
            {"$unwind": "$m"},
        ],
        [
            {
                "$lookup": {
                    "from": "many",
                    "pipeline": [{"$match": {"$expr": {"$eq": ["$_id", "$$n"]}}}],
                    "let": {"n": "$_id"},
                    "as": "x",
                }
            },
            {"$match": {"x.0.none": 1}},
        ],
    ],
    ids=["unwinding", "joining"],
)
def test_what_is_computed_in_memory_keeps_to_its_time_as_well(database: Database[Any], stages: list[Any]) -> None:
    database.many.insert_many({"_id": number} for number in range(2500))
    with pytest.raises(OperationFailure) as caught:
        list(database.many.aggregate([*stages, {"$match": {"none": 1}}], maxTimeMS=30))
    assert caught.value.code == 50
