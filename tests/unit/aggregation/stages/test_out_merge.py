import pytest

STORED = [{"_id": 1, "k": "a", "n": 1}, {"_id": 2, "k": "b", "n": 2}]


def test_out_replaces_the_collection_and_gives_nothing(run, context):
    assert run([{"$match": {"_id": 1}}, {"$out": "target"}], [{"_id": 1}, {"_id": 2}], target=STORED) == []
    assert context.collections["target"] == [{"_id": 1}]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 16990),
        ({"coll": "x"}, 16994),
        ({"db": "d", "coll": "c", "timeseries": {}}, 238),
        ("a$b", 73),
        ("system.users", 17385),
    ],
)
def test_out_refuses(code_of, spec, code):
    assert code_of([{"$out": spec}]) == code


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [{"_id": 1, "k": "a", "n": 9}, STORED[1], {"_id": 3, "n": 7}]),
        ({"whenMatched": "replace"}, [{"_id": 1, "n": 9}, STORED[1], {"_id": 3, "n": 7}]),
        ({"whenMatched": "keepExisting"}, [*STORED, {"_id": 3, "n": 7}]),
        ({"whenNotMatched": "discard"}, [{"_id": 1, "k": "a", "n": 9}, STORED[1]]),
        (
            {"whenMatched": [{"$set": {"n": {"$add": ["$n", "$$new.n"]}}}]},
            [{"_id": 1, "k": "a", "n": 10}, STORED[1], {"_id": 3, "n": 7}],
        ),
        (
            {"whenMatched": [{"$set": {"n": "$$m"}}], "let": {"m": {"$multiply": ["$n", 2]}}},
            [{"_id": 1, "k": "a", "n": 18}, STORED[1], {"_id": 3, "n": 7}],
        ),
    ],
)
def test_merge_writes_as_its_modes_say(run, context, options, expected):
    stage = {"$merge": {"into": "target", **options}}
    assert run([stage], [{"_id": 1, "n": 9}, {"_id": 3, "n": 7}], target=[dict(each) for each in STORED]) == []
    assert context.collections["target"] == expected


def test_merge_on_other_unique_fields_keeps_the_stored_id(run, context):
    context.unique.add(frozenset(("k",)))
    stage = {"$merge": {"into": {"db": "db", "coll": "target"}, "on": "k", "whenMatched": "replace"}}
    run([{"$unset": "_id"}, stage], [{"_id": 9, "k": "b", "n": 5}], target=[dict(each) for each in STORED])
    assert context.collections["target"][1] == {"_id": 2, "k": "b", "n": 5}


def test_merge_gives_new_documents_an_id(run, context):
    run([{"$unset": "_id"}, {"$merge": "target"}], [{"_id": 9, "k": "b"}])
    (stored,) = context.collections["target"]
    assert list(stored) == ["_id", "k"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"whenMatched": "fail"}, 11000),
        ({"whenNotMatched": "fail"}, 13113),
        ({"on": "k"}, 51183),
        ({"on": "u"}, 51132),
        ({"on": "u", "whenMatched": "x"}, 51191),
        ({"on": 1}, 51186),
        ({"on": []}, 51187),
        ({"on": [1]}, 51134),
        ({"on": ["u", "u"]}, 31465),
        ({"whenNotMatched": "x"}, 2),
        ({"whenMatched": "fail", "whenNotMatched": "discard"}, 51189),
        ({"let": {}}, 51199),
        ({"whenMatched": [{"$match": {}}]}, 72),
        ({"whenMatched": [{"$set": {"_id": 5}}]}, 66),
        ({"foo": 1}, 40415),
        ({"into": 1}, 51178),
    ],
)
def test_merge_refuses(code_of, context, options, code):
    context.unique.add(frozenset(("u",)))
    stage = {"$merge": {"into": "target", **options}}
    assert code_of([stage], [{"_id": 1}, {"_id": 3}], target=[dict(each) for each in STORED]) == code


def test_merge_argument_must_be_a_name_or_options(code_of):
    assert code_of([{"$merge": 1}]) == 51182
