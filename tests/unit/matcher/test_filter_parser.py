from typing import Any

import pytest

from skerry.errors import BadValueError, CommandError, FailedToParseError, NotImplementedYetError
from skerry.matcher.filter_parser import parse_filter
from skerry.matcher.match_expression import AlwaysFalse, AlwaysTrue, And, Comparison, Exists, In, Nor, Not, Or, TypeIs


@pytest.mark.parametrize(
    ("filter", "expression"),
    [
        ({}, AlwaysTrue()),
        ({"a": 1}, Comparison("a", "$eq", 1)),
        ({"a": {"b": 1}}, Comparison("a", "$eq", {"b": 1})),
        ({"a": {}}, Comparison("a", "$eq", {})),
        ({"a": {"b": 1, "$gt": 2}}, Comparison("a", "$eq", {"b": 1, "$gt": 2})),
        ({"a": {"$ne": 1}}, Not(Comparison("a", "$eq", 1))),
        ({"a": {"$nin": [1, 2]}}, Not(In("a", (1, 2), ()))),
        ({"a": {"$in": [1]}}, Comparison("a", "$eq", 1)),
        ({"a": {"$in": []}}, AlwaysFalse()),
        ({"a": {"$nin": []}}, AlwaysTrue()),
        ({"a": {"$exists": False}}, Not(Exists("a"))),
        ({"a": {"$type": "number"}}, TypeIs("a", frozenset((1, 16, 18, 19)))),
        ({"a": 1, "b": 2}, And((Comparison("a", "$eq", 1), Comparison("b", "$eq", 2)))),
        (
            {"$and": [{"a": 1}, {"$and": [{"b": 2}, {"c": {"$gt": 3, "$lt": 4}}]}]},
            And(
                (
                    Comparison("a", "$eq", 1),
                    Comparison("b", "$eq", 2),
                    Comparison("c", "$gt", 3),
                    Comparison("c", "$lt", 4),
                )
            ),
        ),
        ({"$or": [{"a": 1}]}, Comparison("a", "$eq", 1)),
        ({"$or": [{"a": 1}, {"a": 2}]}, In("a", (1, 2), ())),
        ({"$or": [{"a": 1}, {"b": 2}]}, Or((Comparison("a", "$eq", 1), Comparison("b", "$eq", 2)))),
        ({"$nor": [{"a": 1}, {"b": 2}]}, Nor((Comparison("a", "$eq", 1), Comparison("b", "$eq", 2)))),
        ({"$nor": [{"a": 1}]}, Not(Comparison("a", "$eq", 1))),
        ({"$id": 5}, Comparison("$id", "$eq", 5)),
        ({"$or": [{"$alwaysFalse": 1}, {"$alwaysFalse": 1}]}, AlwaysFalse()),
        ({"$or": [{"a": 1}, {"$alwaysTrue": 1}]}, AlwaysTrue()),
        ({"$and": [{"a": 1}, {"$alwaysFalse": 1}]}, AlwaysFalse()),
    ],
)
def test_filter_becomes_a_normal_tree(filter: dict[str, Any], expression: Any) -> None:
    assert parse_filter(filter) == expression


@pytest.mark.parametrize(
    ("filter", "name"),
    [
        ({"$where": "this.a"}, "$where"),
        ({"$text": {"$search": "x"}}, "$text"),
        ({"a": {"$near": [0, 0]}}, "$near"),
        ({"a": {"$nearSphere": [0, 0]}}, "$nearSphere"),
        ({"a": {"$geoWithin": {}}}, "$geoWithin"),
        ({"a": {"$geoIntersects": {}}}, "$geoIntersects"),
        ({"a": {"$maxDistance": 1}}, "$maxDistance"),
        ({"$or": [{"b": {"$elemMatch": {"$where": "x"}}}]}, "$where"),
    ],
)
def test_missing_operator_is_refused_by_name(filter: dict[str, Any], name: str) -> None:
    with pytest.raises(NotImplementedYetError) as caught:
        parse_filter(filter)
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        ({"$nosuch": 1}, "unknown top level operator: $nosuch"),
        ({"a": {"$nosuch": 1}}, "unknown operator: $nosuch"),
        ({"a": {"$gt": 1, "b": 2}}, "unknown operator: b"),
        ({"$gt": 5}, "unknown top level operator: $gt"),
    ],
)
def test_unknown_operator_is_refused_by_name(filter: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValueError) as caught:
        parse_filter(filter)
    assert message in caught.value.message


def test_constant_clauses_take_only_one() -> None:
    with pytest.raises(FailedToParseError):
        parse_filter({"$alwaysTrue": 2})


def test_expr_with_an_unknown_variable_is_refused() -> None:
    with pytest.raises(CommandError) as caught:
        parse_filter({"$expr": "$$nosuch"})
    assert caught.value.code == 17276


@pytest.mark.parametrize(
    "wrap", [lambda inner: {"$and": [inner]}, lambda inner: {"a": {"$not": inner.get("a", {"$gt": 1})}}]
)
def test_deep_nesting_is_refused_rather_than_exhausting_the_stack(wrap: Any) -> None:
    filter: dict[str, Any] = {"a": {"$gt": 1}}
    for _ in range(150):
        filter = wrap(filter)
    with pytest.raises(BadValueError, match="maximum query tree depth"):
        parse_filter(filter)
