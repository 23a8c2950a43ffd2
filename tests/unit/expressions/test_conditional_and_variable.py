import pytest

BRANCHES = {"branches": [{"case": {"$gt": ["$a", 5]}, "then": "big"}, {"case": {"$gt": ["$a", 0]}, "then": "small"}]}


@pytest.mark.parametrize(
    ("spec", "document", "expected"),
    [
        ({"$cond": ["$a", 1, 2]}, {"a": True}, 1),
        ({"$cond": ["$a", 1, 2]}, {}, 2),
        ({"$cond": {"if": {"$gt": ["$a", 1]}, "then": "$b", "else": None}}, {"a": 2, "b": 3}, 3),
        ({"$ifNull": ["$a", 7]}, {}, 7),
        ({"$ifNull": ["$a", "$b", 7]}, {"a": None, "b": 0}, 0),
        ({"$ifNull": ["$a", None]}, {}, None),
        ({"$switch": {**BRANCHES, "default": "none"}}, {"a": 9}, "big"),
        ({"$switch": {**BRANCHES, "default": "none"}}, {"a": 1}, "small"),
        ({"$switch": {**BRANCHES, "default": "none"}}, {"a": 0}, "none"),
        ({"$let": {"vars": {"x": "$a"}, "in": {"$add": ["$$x", 1]}}}, {"a": 1}, 2),
        (
            {"$let": {"vars": {"x": 2}, "in": {"$let": {"vars": {"x": 3, "y": "$$x"}, "in": ["$$x", "$$y"]}}}},
            {},
            [3, 2],
        ),
        ({"$let": {"vars": {"x": "$a"}, "in": "$$x.b"}}, {"a": {"b": 5}}, 5),
        ({"$let": {"vars": {"x": "$a"}, "in": "$$x.b"}}, {"a": [{"b": 5}, {"c": 1}]}, [5]),
        ({"$let": {"vars": {"CURRENT": "$a"}, "in": "$b"}}, {"a": {"b": 5}, "b": 1}, 5),
        ({"$let": {"vars": {"CURRENT": "$a"}, "in": "$$ROOT.b"}}, {"a": {"b": 5}, "b": 1}, 1),
        ({"$literal": "$a"}, {"a": 1}, "$a"),
        ({"$literal": {"$add": [1, 2]}}, {}, {"$add": [1, 2]}),
    ],
)
def test_the_taken_branch_is_the_value(check, spec, document, expected):
    check(spec, expected, document)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$cond": [1, 2]}, 16020),
        ({"$cond": {"then": 1, "else": 2}}, 17080),
        ({"$cond": {"if": 1, "else": 2}}, 17081),
        ({"$cond": {"if": 1, "then": 2}}, 17082),
        ({"$cond": {"if": 1, "then": 2, "else": 3, "what": 4}}, 17083),
        ({"$ifNull": ["$a"]}, 1257300),
        ({"$switch": 5}, 40060),
        ({"$switch": {"branches": 5}}, 40061),
        ({"$switch": {"branches": [5]}}, 40062),
        ({"$switch": {"branches": [{"case": 1, "then": 2, "what": 3}]}}, 40063),
        ({"$switch": {"branches": [{"then": 1}]}}, 40064),
        ({"$switch": {"branches": [{"case": 1}]}}, 40065),
        ({"$switch": {"branches": [{"case": False, "then": 1}]}}, 40066),
        ({"$switch": {"branches": [], "what": 1}}, 40067),
        ({"$switch": {"branches": []}}, 40068),
        ({"$let": 1}, 16874),
        ({"$let": {"vars": {}, "in": 1, "what": 2}}, 16875),
        ({"$let": {"in": 1}}, 16876),
        ({"$let": {"vars": {}}}, 16877),
        ({"$let": {"vars": {"Upper": 1}, "in": 1}}, 9),
        ({"$let": {"vars": {"x": 1}, "in": "$$y"}}, 17276),
        ({"$rand": {"a": 1}}, 3040501),
    ],
)
def test_malformed_conditions_have_the_servers_codes(fails, spec, code):
    fails(spec, code)


def test_a_branch_that_is_not_taken_may_be_undefined(check):
    check({"$cond": [True, 1, {"$divide": [1, 0]}]}, 1)
    check({"$switch": {"branches": [{"case": True, "then": 1}], "default": {"$divide": [1, 0]}}}, 1)


def test_rand_is_drawn_anew_for_each_document(evaluate):
    drawn = {evaluate({"$rand": {}}) for _ in range(10)}
    assert len(drawn) > 1
    assert all(0 <= number < 1 for number in drawn)
