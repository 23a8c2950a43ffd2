import pytest
from bson.int64 import Int64
from bson.regex import Regex

from skerry.aggregation.pipeline import compile_pipeline


def joined(run, local, foreign, **more):
    """Return for each local value the `_id`s of what it is joined with; ABSENT leaves the field out."""
    locals_ = [{"_id": n} if value is ABSENT else {"_id": n, "l": value} for n, value in enumerate(local)]
    others = [{"_id": n} if value is ABSENT else {"_id": n, "f": value} for n, value in enumerate(foreign)]
    stage = {"$lookup": {"from": "other", "localField": "l", "foreignField": "f", "as": "j", **more}}
    return [[each["_id"] for each in document["j"]] for document in run([stage], locals_, other=others)]


ABSENT = object()


@pytest.mark.parametrize(
    ("local", "foreign", "expected"),
    [
        ([1, 2, 3], [2, 1, 1], [[1, 2], [0], []]),
        ([1, True, "1"], [1.0, Int64(1), True, "1"], [[0, 1], [2], [3]]),
        ([None, ABSENT, []], [None, ABSENT, 1, [None, 1], []], [[0, 1, 3], [0, 1, 3], [0, 1, 3]]),
        ([[1, 2]], [1, 2, 3, [1, 2]], [[0, 1, 3]]),
        ([[1, 1]], [1], [[0]]),
        ([[[1, 2]]], [[1, 2], [[1, 2]], 1], [[0, 1]]),
        ([{"a": 1}], [{"a": 1}, {"a": 2}], [[0]]),
        ([Regex("a")], ["a", Regex("a")], [[1]]),
        (["a"], [Regex("a"), "a"], [[1]]),
    ],
)
def test_equality_follows_the_rules_of_filters(run, local, foreign, expected):
    assert joined(run, local, foreign) == expected


def test_paths_go_through_arrays(run):
    stage = {"$lookup": {"from": "other", "localField": "a.b", "foreignField": "c.d", "as": "x.j"}}
    (found,) = run(
        [stage],
        [{"a": [{"b": 1}, {"b": [2, 3]}, {}], "x": {"y": 0}}],
        other=[{"_id": 1, "c": [{"d": 1}]}, {"_id": 2, "c": {"d": [3]}}, {"_id": 3, "c": {"d": 4}}, {"_id": 4}],
    )
    assert [each["_id"] for each in found["x"]["j"]] == [1, 2]
    assert found["x"]["y"] == 0


def test_many_documents_take_few_queries(run, context):
    local = list(range(2000))
    assert joined(run, local, local) == [[n] for n in local]
    assert len(context.finds) <= 5


def test_unknown_collection_joins_nothing(run):
    stage = {"$lookup": {"from": "nowhere", "localField": "a", "foreignField": "b", "as": "j"}}
    assert run([stage], [{"a": 1}]) == [{"a": 1, "j": []}]


def test_pipeline_runs_over_the_joined_documents(run):
    pipeline = [{"$match": {"_id": {"$gt": 0}}}, {"$limit": 1}]
    assert joined(run, [1], [1, 1, 1], pipeline=pipeline) == [[1]]


ITEMS = [{"_id": 1, "sku": "a", "stock": 5}, {"_id": 2, "sku": "b", "stock": 1}, {"_id": 3, "sku": "a", "stock": 0}]
ORDERS = [{"_id": 1, "item": "a", "n": 2}, {"_id": 2, "item": "b", "n": 2}, {"_id": 3, "n": 0}]
ENOUGH = {"$expr": {"$and": [{"$eq": ["$sku", "$$item"]}, {"$gte": ["$stock", "$$n"]}]}}


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("prefix", [[], [{"$match": {"stock": {"$gte": 0}}}]])
def test_correlated_pipeline_sees_the_variables_of_each_document(run, context, indexed, prefix):
    if indexed:
        context.indexed.add("sku")
    pipeline = [*prefix, {"$match": ENOUGH}, {"$project": {"_id": 1}}]
    stage = {"$lookup": {"from": "items", "let": {"item": "$item", "n": "$n"}, "pipeline": pipeline, "as": "j"}}
    found = run([stage], ORDERS, items=ITEMS)
    assert [document["j"] for document in found] == [[{"_id": 1}], [], []]


def test_index_narrows_what_a_correlated_pipeline_reads(run, context):
    context.indexed.add("sku")
    stage = {
        "$lookup": {"from": "items", "let": {"item": "$item", "n": "$n"}, "pipeline": [{"$match": ENOUGH}], "as": "j"}
    }
    run([stage], ORDERS[:1], items=ITEMS)
    assert context.finds == [{"sku": {"$eq": "a"}}]


def test_collection_is_read_once_where_no_index_helps(run, context):
    stage = {
        "$lookup": {
            "from": "items",
            "let": {"n": "$n"},
            "pipeline": [{"$match": {"stock": 5}}, {"$addFields": {"n": "$$n"}}],
            "as": "j",
        }
    }
    found = run([stage], ORDERS, items=ITEMS)
    assert [document["j"][0]["n"] for document in found] == [2, 2, 0]
    assert context.finds == [{"stock": 5}]


def test_nested_lookup_sees_outer_variables(run):
    inner = {"$lookup": {"from": "items", "pipeline": [{"$match": {"$expr": {"$eq": ["$stock", "$$n"]}}}], "as": "k"}}
    stage = {"$lookup": {"from": "one", "let": {"n": "$n"}, "pipeline": [inner], "as": "j"}}
    found = run([stage], [{"n": 5}, {"n": 0}], items=ITEMS, one=[{"_id": 1}])
    assert [[each["_id"] for each in document["j"][0]["k"]] for document in found] == [[1], [3]]


def test_documents_may_lead_a_pipeline_without_collection(run):
    pipeline = [{"$documents": [{"x": 1}, {"x": 2}]}, {"$match": {"$expr": {"$eq": ["$x", "$$n"]}}}]
    stage = {"$lookup": {"let": {"n": "$n"}, "pipeline": pipeline, "as": "j"}}
    assert run([stage], [{"n": 2}, {"n": 3}]) == [{"n": 2, "j": [{"x": 2}]}, {"n": 3, "j": []}]


@pytest.mark.parametrize(
    "spec",
    [
        1,
        {"from": "x", "localField": "a", "foreignField": "b"},
        {"from": "x", "localField": "a", "as": "j"},
        {"from": "x", "as": "j"},
        {"from": 1, "localField": "a", "foreignField": "b", "as": "j"},
        {"from": "x", "localField": "a", "foreignField": "b", "as": "j", "foo": 1},
        {"from": "x", "localField": "a", "foreignField": "b", "as": "j", "let": {}},
        {"from": "x", "pipeline": 1, "as": "j"},
        {"from": "x", "pipeline": [], "let": {"A": 1}, "as": "j"},
        {"pipeline": [], "as": "j"},
    ],
)
def test_malformed_lookups_fail_to_parse(code_of, spec):
    assert code_of([{"$lookup": spec}]) == 9


PEOPLE = [
    {"_id": "Dev"},
    {"_id": "Eliot", "boss": "Dev"},
    {"_id": "Ron", "boss": "Eliot"},
    {"_id": "Andrew", "boss": ["Eliot", "Ron"]},
]


def reached(run, people, **more):
    stage = {
        "$graphLookup": {
            "from": "people",
            "startWith": "$boss",
            "connectFromField": "boss",
            "connectToField": "_id",
            "as": "chain",
            **more,
        }
    }
    return {
        document["_id"]: {each["_id"]: each.get("depth") for each in document["chain"]}
        for document in run([stage], people, people=people)
    }


def test_graph_lookup_follows_references(run):
    assert reached(run, PEOPLE, depthField="depth") == {
        "Dev": {},
        "Eliot": {"Dev": 0},
        "Ron": {"Eliot": 0, "Dev": 1},
        "Andrew": {"Eliot": 0, "Ron": 0, "Dev": 1},
    }


def test_graph_lookup_ends_at_the_depth_and_at_cycles(run):
    assert reached(run, PEOPLE, maxDepth=0)["Ron"] == {"Eliot": None}
    ring = [{"_id": 1, "boss": 2}, {"_id": 2, "boss": 1}]
    assert reached(run, ring) == {1: {2: None, 1: None}, 2: {1: None, 2: None}}


def test_graph_lookup_searches_only_documents_that_match(run):
    assert reached(run, PEOPLE, restrictSearchWithMatch={"_id": {"$ne": "Eliot"}})["Andrew"] == {"Ron": None}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"maxDepth": "x"}, 40100),
        ({"maxDepth": -1}, 40101),
        ({"maxDepth": 1.5}, 40102),
        ({"as": 1}, 40103),
        ({"foo": 1}, 40104),
        ({"restrictSearchWithMatch": 1}, 40185),
    ],
)
def test_graph_lookup_refuses(code_of, change, code):
    spec = {"from": "x", "startWith": "$a", "connectFromField": "a", "connectToField": "b", "as": "c", **change}
    assert code_of([{"$graphLookup": spec}]) == code
    assert code_of([{"$graphLookup": {"from": "x"}}]) == 40105


def test_union_with_appends_another_collection(run, context):
    other = [{"_id": n} for n in (3, 1, 2)]
    assert run([{"$unionWith": "other"}], [{"_id": 0}], other=other) == [{"_id": 0}, *other]
    spec = {"coll": "other", "pipeline": [{"$match": {"_id": {"$lt": 3}}}, {"$sort": {"_id": 1}}, {"$limit": 1}]}
    assert run([{"$unionWith": spec}], [{"_id": 0}]) == [{"_id": 0}, {"_id": 1}]
    assert context.finds[-1] == {"_id": {"$lt": 3}}
    assert run([{"$unionWith": {"pipeline": [{"$documents": [{"a": 1}]}]}}], []) == [{"a": 1}]


@pytest.mark.parametrize("spec", [1, "", {}, {"coll": 1}, {"coll": "x", "foo": 1}, {"coll": "x", "pipeline": 1}])
def test_union_with_refuses(code_of, spec):
    assert code_of([{"$unionWith": spec}]) == 9


def test_what_does_not_fit_into_memory_is_read_again(context):
    context.collections["items"] = [{"_id": n, "text": "x" * 200} for n in range(100)]
    pipeline = [{"$match": {"$expr": {"$lt": ["$_id", "$$n"]}}}, {"$project": {"_id": 1}}]
    stage = {"$lookup": {"from": "items", "let": {"n": "$n"}, "pipeline": pipeline, "as": "j"}}
    compiled = compile_pipeline([stage], variables={}, context=context, memory_limit_bytes=1000)
    found = list(compiled.run(iter([{"n": 1}, {"n": 2}])))
    assert [len(document["j"]) for document in found] == [1, 2]
    assert len(context.finds) == 3
