import pytest
from bson.int64 import Int64

from skerry.aggregation.pipeline_optimizer import split_pushdown

A, B = {"a": 1}, {"b": {"$gt": 2}}
PROJECT = {"$project": {"a": 1}}


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([], ({}, None, 0, None, 0)),
        ([{"$match": A}], (A, None, 0, None, 0)),
        ([{"$match": {}}, {"$match": A}], (A, None, 0, None, 0)),
        ([{"$match": A}, {"$match": B}, PROJECT], ({"$and": [A, B]}, None, 0, None, 1)),
        ([{"$sort": {"x": -1}}, {"$match": A}], (A, [("x", -1)], 0, None, 0)),
        ([{"$sort": {"x": 1}}, {"$sort": {"y": 1}}], ({}, [("x", 1)], 0, None, 1)),
        ([{"$limit": 5}, {"$match": A}], ({}, None, 0, 5, 1)),
        ([{"$skip": 2}, {"$sort": {"x": 1}}], ({}, None, 2, None, 1)),
        ([{"$skip": 2}, {"$limit": 5}, {"$skip": 1}, {"$limit": 9}], ({}, None, 3, 4, 0)),
        ([{"$limit": 5}, {"$skip": 5}], ({}, None, 0, 5, 1)),
        ([{"$limit": 0}], ({}, None, 0, None, 1)),
        ([{"$sort": {}}], ({}, None, 0, None, 1)),
        ([{"$match": 1}], ({}, None, 0, None, 1)),
        ([{"$match": A}, {"$documents": []}], ({}, None, 0, None, 2)),
    ],
)
def test_leading_stages_go_to_the_planner(stages, expected):
    push = split_pushdown(stages)
    assert (push.filter, push.sort, push.skip, push.limit, len(push.rest)) == expected


@pytest.mark.parametrize(
    ("stage", "count", "documents"),
    [
        ({"$count": "n"}, 3, [{"n": 3}]),
        ({"$count": "n"}, 0, []),
        ({"$group": {"_id": None, "n": {"$sum": 1}}}, 3, [{"_id": None, "n": 3}]),
        ({"$group": {"_id": 7, "n": {"$sum": 2.5}, "m": {"$count": {}}}}, 4, [{"_id": 7, "n": 10.0, "m": 4}]),
        ({"$group": {"_id": None, "n": {"$sum": Int64(1)}}}, 0, []),
    ],
)
def test_pipelines_that_only_count_are_answered_from_the_number(stage, count, documents):
    push = split_pushdown([{"$match": A}, {"$sort": {"x": 1}}, stage, PROJECT])
    assert push.count_only is not None
    assert push.count_only.documents(count) == documents
    assert push.sort is None
    assert push.rest == [PROJECT]


@pytest.mark.parametrize(
    "stage",
    [
        {"$count": "a.b"},
        {"$group": {"_id": "$a", "n": {"$sum": 1}}},
        {"$group": {"_id": None, "n": {"$sum": "$a"}}},
        {"$group": {"_id": None, "n": {"$avg": 1}}},
        PROJECT,
    ],
)
def test_other_pipelines_are_not_counted(stage):
    assert split_pushdown([stage]).count_only is None


@pytest.mark.parametrize(
    ("stages", "fields"),
    [
        ([{"$group": {"_id": "$a.b", "n": {"$sum": {"$add": ["$c", 1]}}}}], {"a", "c"}),
        ([{"$unwind": "$tags"}, {"$sortByCount": "$tags"}], {"tags"}),
        ([{"$group": {"_id": None, "n": {"$push": "$$ROOT"}}}], None),
        ([{"$group": {"_id": "$a", "n": {"$top": {"sortBy": {"x.y": 1}, "output": "$$ROOT.z"}}}}], {"a", "x", "z"}),
        ([PROJECT], None),
    ],
)
def test_needed_fields_are_those_that_a_group_reads(stages, fields):
    assert split_pushdown(stages).needed_fields == fields
