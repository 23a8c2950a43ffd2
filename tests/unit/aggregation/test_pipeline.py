import pytest

from skerry.aggregation.pipeline import compile_pipeline
from skerry.errors import CommandError, NotImplementedYetError


def test_unknown_stage_is_named_with_code_40324(run):
    with pytest.raises(CommandError, match=r"Unrecognized pipeline stage name: '\$foo'") as caught:
        run([{"$foo": 1}], [])
    assert caught.value.code == 40324


@pytest.mark.parametrize("name", ["$geoNear", "$search", "$planCacheStats"])
def test_missing_stage_of_mongodb_is_refused_by_name(run, name):
    with pytest.raises(NotImplementedYetError, match=name.replace("$", r"\$")):
        run([{name: {}}], [])


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ([{}], 40323),
        ([{"$match": {}, "$limit": 1}], 40323),
        ([1], 14),
        ([{"$out": "x"}, {"$limit": 1}], 40601),
        ([{"$merge": "x"}, {"$limit": 1}], 40601),
        ([{"$limit": 1}, {"$documents": []}], 40602),
        ([{"$limit": 1}, {"$collStats": {}}], 40602),
        ([{"$facet": {"a": [{"$out": "x"}]}}], 40600),
        ([{"$facet": {"a": [{"$facet": {"b": []}}]}}], 40600),
        ([{"$facet": {"a": [{"$documents": []}]}}], 40600),
        ([{"$lookup": {"from": "x", "pipeline": [{"$out": "y"}], "as": "z"}}], 51047),
        ([{"$unionWith": {"coll": "x", "pipeline": [{"$merge": "y"}]}}], 31441),
    ],
)
def test_misplaced_and_malformed_stages_have_the_servers_codes(code_of, stages, code):
    assert code_of(stages) == code


def test_pipeline_longer_than_a_thousand_stages_is_refused(code_of):
    assert code_of([{"$skip": 0}] * 1001) == 7749501


def test_limit_stops_the_source():
    taken = []

    def source():
        for number in range(10):
            taken.append(number)
            yield {"_id": number}

    pipeline = compile_pipeline([{"$match": {}}, {"$limit": 2}], variables={}, context=None)
    assert len(list(pipeline.run(source()))) == 2
    assert taken == [0, 1]


def test_pipeline_runs_again_from_the_start():
    pipeline = compile_pipeline([{"$group": {"_id": "$a", "n": {"$sum": 1}}}, {"$skip": 1}], variables={}, context=None)
    documents = [{"a": 1}, {"a": 2}]
    assert list(pipeline.run(iter(documents))) == list(pipeline.run(iter(documents))) == [{"_id": 2, "n": 1}]


def test_input_documents_are_not_changed(run):
    document = {"_id": 1, "a": {"b": [1, 2]}}
    run([{"$addFields": {"a.c": 1}}, {"$unwind": "$a.b"}, {"$unset": "a.c"}, {"$project": {"a": 1}}], [document])
    assert document == {"_id": 1, "a": {"b": [1, 2]}}
