from datetime import datetime

import pytest

from skerry.errors import CommandError, InvalidPipelineOperatorError, NotImplementedYetError
from skerry.expressions.expression_parser import compile_expression
from skerry.expressions.operator_registry import OPERATORS, UNSUPPORTED_OPERATORS
from skerry.values.missing import MISSING

DOCUMENT = {"a": {"b": {"c": 1}}, "list": [{"x": 1}, {"x": 2}, 3, {"y": 0}], "n": None}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (5, 5),
        ("text", "text"),
        (None, None),
        ("$a.b", {"c": 1}),
        ("$a.b.c", 1),
        ("$a.b.c.d", MISSING),
        ("$missing", MISSING),
        ("$list.x", [1, 2]),
        ("$list.0", []),
        ("$n", None),
        ("$$ROOT.a.b.c", 1),
        ("$$CURRENT.n", None),
        ("$$REMOVE", MISSING),
        (["$a.b.c", "$missing", "z"], [1, None, "z"]),
        ({"p": "$a.b.c", "q": "$missing", "r": {"s": "$n"}}, {"p": 1, "r": {"s": None}}),
        ({}, {}),
    ],
)
def test_literals_paths_and_variables(check, spec, expected):
    check(spec, expected, DOCUMENT)


def test_root_is_the_document(evaluate):
    assert evaluate("$$ROOT", DOCUMENT) == DOCUMENT


def test_variables_come_from_the_caller(check):
    now = datetime(2024, 5, 6)
    check({"$year": "$$NOW"}, 2024, NOW=now)
    check("$$limit.high", 9, limit={"high": 9})


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$nonsense": 1}, 168),
        ({"$add": [1], "$subtract": [1]}, 15983),
        ({"a": 1, "$add": [1]}, 16410),
        ({"a.b": 1}, 16412),
        ({"": 1}, 15998),
        ("$", 16872),
        ("$a..b", 15998),
        ("$a.", 40353),
        ("$a.$b", 16410),
        ("$$", 9),
        ("$$no-name", 9),
        ("$$unknown", 17276),
        ("$$NOW", 51144),
    ],
)
def test_malformed_expressions_have_the_servers_codes(fails, spec, code):
    fails(spec, code)


def test_an_unknown_operator_is_named():
    with pytest.raises(InvalidPipelineOperatorError, match=r"Unrecognized expression '\$foo'"):
        compile_expression({"$foo": 1})


@pytest.mark.parametrize("name", sorted(UNSUPPORTED_OPERATORS))
def test_an_operator_of_mongodb_that_is_missing_is_named(name):
    with pytest.raises(NotImplementedYetError, match=rf"\{name} "):
        compile_expression({name: {}})


def test_user_roles_are_refused_by_name():
    with pytest.raises(NotImplementedYetError, match="USER_ROLES"):
        compile_expression("$$USER_ROLES")


def test_operators_are_listed_in_alphabetical_order():
    assert list(OPERATORS) == sorted(OPERATORS)
    assert not UNSUPPORTED_OPERATORS & OPERATORS.keys()


def test_constant_operands_are_computed_once():
    expression = compile_expression({"$add": [1, {"$multiply": [2, 3]}]})
    assert expression.is_constant
    assert expression.constant == 7
    assert not compile_expression({"$rand": {}}).is_constant
    assert not compile_expression("$$NOW").is_constant


def test_a_failing_constant_fails_when_it_is_evaluated():
    expression = compile_expression({"$divide": [1, 0]})
    assert not expression.is_constant
    with pytest.raises(CommandError, match="divide by zero"):
        expression.evaluate({}, {})


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"$add": ["$a", "$b.c", 1]}, {"a", "b.c"}),
        ({"x": "$a", "y": ["$b"]}, {"a", "b"}),
        ({"$let": {"vars": {"x": "$a"}, "in": {"$add": ["$$x", "$b"]}}}, {"a", "b"}),
        ({"$map": {"input": "$list", "in": "$$this.x"}}, {"list"}),
        ("$$ROOT.a", {"a"}),
        ({"$getField": "a"}, {"a"}),
        (5, set()),
        ("$$ROOT", None),
        ({"$getField": "a.b"}, None),
        ({"$mergeObjects": ["$$ROOT", "$a"]}, None),
    ],
)
def test_paths_are_what_must_be_read(spec, paths):
    assert compile_expression(spec).paths == (None if paths is None else frozenset(paths))
