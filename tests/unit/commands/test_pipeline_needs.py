"""A pipeline needs a right on every collection that it names, wherever it names it."""

from typing import Any

import pytest

from skerry.aggregation.stage_registry import STAGES
from skerry.auth.privileges import ANY_DATABASE, Need
from skerry.commands.pipeline_needs import pipeline_needs

FIND_A = Need("find", "shop", "a")
FIND_B = Need("find", "shop", "b")
SOURCE = Need("find", "shop", "items")


@pytest.mark.parametrize(
    ("stages", "needs"),
    [
        ([], {SOURCE}),
        ([{"$match": {"x": 1}}], {SOURCE}),
        ([{"$lookup": {"from": "a", "as": "x"}}], {SOURCE, FIND_A}),
        ([{"$lookup": {"from": {"db": "other", "coll": "a"}, "as": "x"}}], {SOURCE, Need("find", "other", "a")}),
        ([{"$lookup": {"from": "a", "pipeline": [{"$unionWith": "b"}], "as": "x"}}], {SOURCE, FIND_A, FIND_B}),
        ([{"$lookup": {"pipeline": [{"$documents": []}, {"$lookup": {"from": "b"}}], "as": "x"}}], {SOURCE, FIND_B}),
        ([{"$graphLookup": {"from": "a"}}], {SOURCE, FIND_A}),
        ([{"$unionWith": "a"}], {SOURCE, FIND_A}),
        ([{"$unionWith": {"coll": "a", "pipeline": [{"$lookup": {"from": "b"}}]}}], {SOURCE, FIND_A, FIND_B}),
        ([{"$unionWith": {"pipeline": [{"$documents": []}]}}], {SOURCE}),
        ([{"$facet": {"x": [{"$lookup": {"from": "a"}}], "y": [{"$unionWith": "b"}]}}], {SOURCE, FIND_A, FIND_B}),
        ([{"$out": "a"}], {SOURCE, Need("insert", "shop", "a"), Need("remove", "shop", "a")}),
        ([{"$out": {"db": "o", "coll": "a"}}], {SOURCE, Need("insert", "o", "a"), Need("remove", "o", "a")}),
        ([{"$merge": "a"}], {SOURCE, Need("insert", "shop", "a"), Need("update", "shop", "a")}),
        (
            [{"$merge": {"into": {"db": "o", "coll": "a"}, "whenNotMatched": "discard"}}],
            {SOURCE, Need("update", "o", "a")},
        ),
        ([{"$merge": {"into": "a", "whenMatched": "fail"}}], {SOURCE, Need("insert", "shop", "a")}),
        (
            [{"$merge": {"into": "a", "whenMatched": [{"$lookup": {"from": "b"}}], "whenNotMatched": "fail"}}],
            {SOURCE, Need("update", "shop", "a"), FIND_B},
        ),
        ([{"$changeStream": {}}], {SOURCE, Need("changeStream", "shop", "items")}),
        (
            [{"$changeStream": {"allChangesForCluster": True}}],
            {Need("find", ANY_DATABASE), Need("changeStream", ANY_DATABASE)},
        ),
        ([{"$collStats": {}}], {Need("collStats", "shop", "items")}),
        ([{"$indexStats": {}}, {"$unionWith": "a"}], {Need("indexStats", "shop", "items"), FIND_A}),
    ],
)
def test_every_named_collection_is_needed(stages: list[Any], needs: set[Need]) -> None:
    assert set(pipeline_needs("shop", "items", stages)) == needs


def test_a_pipeline_on_a_database_reads_no_collection_by_itself() -> None:
    assert list(pipeline_needs("shop", "", [{"$documents": []}])) == []
    assert list(pipeline_needs("admin", "", [{"$currentOp": {}}])) == [Need("inprog")]
    assert list(pipeline_needs("admin", "", [{"$listLocalSessions": {}}])) == []
    assert list(pipeline_needs("admin", "", [{"$listLocalSessions": {"allUsers": True}}])) == [Need("listSessions")]
    assert set(pipeline_needs("shop", "", [{"$changeStream": {}}])) == {
        Need("find", "shop"),
        Need("changeStream", "shop"),
    }


def test_every_stage_is_known_to_name_other_collections_or_not() -> None:
    naming = {"$facet", "$graphLookup", "$lookup", "$merge", "$out", "$unionWith"}
    alone = {
        *[
            "$addFields",
            "$bucket",
            "$bucketAuto",
            "$count",
            "$densify",
            "$documents",
            "$fill",
            "$group",
            "$limit",
            "$match",
        ],
        *[
            "$project",
            "$redact",
            "$replaceRoot",
            "$replaceWith",
            "$sample",
            "$set",
            "$setWindowFields",
            "$skip",
            "$sort",
        ],
        *["$sortByCount", "$unset", "$unwind"],
    }
    assert set(STAGES) == naming | alone, (
        "a new stage: does it name collections? Then it belongs into the table of needs"
    )


@pytest.mark.parametrize(
    "stages",
    [
        None,
        7,
        "x",
        [None],
        [[]],
        [{}],
        [{"$lookup": 7}],
        [{"$lookup": {"from": 7, "pipeline": 7}}],
        [{"$facet": [1]}],
        [{"$facet": {"x": "y"}}],
        [{"$out": 7}],
        [{"$merge": None}],
        [{"$merge": {"into": 7}}],
        [{"$unionWith": None}],
        [{"$unionWith": {"coll": "a", "db": 7}}],
    ],
)
def test_a_pipeline_of_a_wrong_form_needs_its_source_and_fails_elsewhere(stages: Any) -> None:
    assert list(pipeline_needs("shop", "items", stages)) == [SOURCE]
