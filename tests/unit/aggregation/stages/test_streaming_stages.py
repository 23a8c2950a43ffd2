"""`$match`, `$project`, `$addFields`, `$unset`, `$skip`, `$limit`, `$count`, `$replaceRoot`, `$sample`, `$sortByCount`, …"""

import pytest

DOCUMENTS = [{"_id": number, "a": number % 2, "b": {"c": number}} for number in range(4)]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([{"$match": {"a": 1}}, {"$project": {"_id": 1}}], [{"_id": 1}, {"_id": 3}]),
        ([{"$match": {"$expr": {"$eq": ["$_id", 2]}}}, {"$project": {"_id": 1}}], [{"_id": 2}]),
        ([{"$limit": 1}, {"$project": {"c": "$b.c", "_id": 0}}], [{"c": 0}]),
        ([{"$limit": 1}, {"$addFields": {"b.d": "$a"}}], [{"_id": 0, "a": 0, "b": {"c": 0, "d": 0}}]),
        ([{"$limit": 1}, {"$set": {"a": "$$REMOVE"}}], [{"_id": 0, "b": {"c": 0}}]),
        ([{"$limit": 1}, {"$unset": ["a", "b.c"]}], [{"_id": 0, "b": {}}]),
        ([{"$limit": 1}, {"$unset": "b"}], [{"_id": 0, "a": 0}]),
        ([{"$skip": 2}, {"$limit": 1.0}, {"$replaceRoot": {"newRoot": "$b"}}], [{"c": 2}]),
        ([{"$replaceWith": {"x": "$b.c"}}, {"$skip": 3}], [{"x": 3}]),
        ([{"$count": "n"}], [{"n": 4}]),
        ([{"$match": {"a": 9}}, {"$count": "n"}], []),
        ([{"$sortByCount": {"$gt": ["$_id", 0]}}], [{"_id": True, "count": 3}, {"_id": False, "count": 1}]),
        ([{"$match": {"_id": {"$gt": 0}}}, {"$sortByCount": "$a"}], [{"_id": 1, "count": 2}, {"_id": 0, "count": 1}]),
        ([{"$documents": [{"a": 1}, {"a": {"$add": [1, 1]}}]}], [{"a": 1}, {"a": 2}]),
        (
            [{"$facet": {"n": [{"$count": "n"}], "first": [{"$limit": 1}, {"$project": {"_id": 1}}], "none": []}}],
            [{"n": [{"n": 4}], "first": [{"_id": 0}], "none": DOCUMENTS}],
        ),
    ],
)
def test_stages_give(run, stages, expected):
    assert run(stages, DOCUMENTS) == expected


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ({"$match": 1}, 15959),
        ({"$project": 1}, 15969),
        ({"$project": {}}, 51272),
        ({"$unset": 1}, 31002),
        ({"$unset": []}, 31119),
        ({"$unset": [1]}, 31120),
        ({"$unset": ["a", "a"]}, 31250),
        ({"$skip": -1}, 5107200),
        ({"$skip": "x"}, 5107200),
        ({"$limit": 0}, 15958),
        ({"$limit": -1}, 5107201),
        ({"$count": 1}, 40156),
        ({"$count": ""}, 40157),
        ({"$count": "$a"}, 40158),
        ({"$count": "a.b"}, 40160),
        ({"$replaceRoot": 1}, 40229),
        ({"$replaceRoot": {"x": 1}}, 40230),
        ({"$replaceRoot": {}}, 40231),
        ({"$replaceWith": "$a"}, 40228),
        ({"$sample": 1}, 28745),
        ({"$sample": {"size": "x"}}, 28746),
        ({"$sample": {"size": 0}}, 28747),
        ({"$sample": {"x": 1}}, 28748),
        ({"$sample": {}}, 28749),
        ({"$sortByCount": {"a": 1}}, 40147),
        ({"$sortByCount": "a"}, 40148),
        ({"$sortByCount": 1}, 40149),
        ({"$facet": {}}, 40169),
        ({"$facet": {"a": 1}}, 40170),
        ({"$documents": 1}, 5858203),
        ({"$unwind": 1}, 15981),
        ({"$unwind": "a"}, 28818),
        ({"$unwind": {}}, 28812),
        ({"$unwind": {"path": 1}}, 28808),
        ({"$unwind": {"path": "$a", "x": 1}}, 28811),
        ({"$unwind": {"path": "$a", "preserveNullAndEmptyArrays": 1}}, 28809),
        ({"$unwind": {"path": "$a", "includeArrayIndex": ""}}, 28810),
        ({"$unwind": {"path": "$a", "includeArrayIndex": "$x"}}, 28822),
    ],
)
def test_malformed_stages_have_the_servers_codes(code_of, stage, code):
    assert code_of([stage], [{"_id": 1, "a": 1}]) == code


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [{"_id": 1, "a": 7}, {"_id": 1, "a": None}, {"_id": 5, "a": 3}]),
        (
            {"preserveNullAndEmptyArrays": True},
            [
                {"_id": 1, "a": 7},
                {"_id": 1, "a": None},
                {"_id": 2},
                {"_id": 3, "a": None},
                {"_id": 4},
                {"_id": 5, "a": 3},
            ],
        ),
        (
            {"includeArrayIndex": "i"},
            [{"_id": 1, "a": 7, "i": 0}, {"_id": 1, "a": None, "i": 1}, {"_id": 5, "a": 3, "i": None}],
        ),
    ],
)
def test_unwind_of_arrays_scalars_and_nothing(run, options, expected):
    documents = [{"_id": 1, "a": [7, None]}, {"_id": 2, "a": []}, {"_id": 3, "a": None}, {"_id": 4}, {"_id": 5, "a": 3}]
    assert run([{"$unwind": {"path": "$a", **options}}], documents) == expected


def test_unwind_of_a_path_keeps_its_surroundings(run):
    found = run([{"$unwind": {"path": "$a.b", "includeArrayIndex": "x.i"}}], [{"a": {"b": [1, 2], "c": 3}}])
    assert found == [{"a": {"b": 1, "c": 3}, "x": {"i": 0}}, {"a": {"b": 2, "c": 3}, "x": {"i": 1}}]


def test_sample_gives_so_many_different_documents(run):
    found = run([{"$sample": {"size": 3}}], DOCUMENTS)
    assert len({document["_id"] for document in found}) == 3
    assert len(run([{"$sample": {"size": 30}}], DOCUMENTS)) == 4


def test_redact_keeps_prunes_and_descends(run):
    document = {
        "_id": 1,
        "level": 1,
        "open": {"level": 1, "x": 1, "deep": {"level": 9}},
        "secret": {"level": 5, "x": 2},
        "list": [{"level": 1}, {"level": 5}, 7, [{"level": 5}, {"level": 1}]],
        "max": 3,
    }
    stage = {"$redact": {"$cond": [{"$gt": ["$level", "$$ROOT.max"]}, "$$PRUNE", "$$DESCEND"]}}
    assert run([stage], [document, {"level": 9, "max": 1}]) == [
        {
            "_id": 1,
            "level": 1,
            "open": {"level": 1, "x": 1},
            "list": [{"level": 1}, 7, [{"level": 1}]],
            "max": 3,
        }
    ]
    assert run([{"$redact": "$$KEEP"}], [document]) == [document]


def test_redact_refuses_any_other_answer(code_of):
    assert code_of([{"$redact": "keep"}], [{}]) == 17053
