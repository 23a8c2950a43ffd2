from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from skerry.indexes.index_descriptor import ID_INDEX, IndexDescriptor, default_name
from skerry.matcher.filter_parser import parse_filter
from skerry.planner.query_planner import PlannerIndex, plan_query
from skerry.planner.query_solution import CollectionScan, IndexScan, QuerySolution
from skerry.values.key_range import KeyRange
from skerry.values.key_string import encode, successor, type_bracket


def index(*key: str, arrays: Sequence[str] = ()) -> PlannerIndex:
    """Describe an index; a path that starts with `-` descends."""
    pairs = tuple((path.removeprefix("-"), -1 if path.startswith("-") else 1) for path in key)
    return PlannerIndex(IndexDescriptor(default_name(pairs), pairs), frozenset(arrays))


def plan(filter: Mapping[str, Any], *indexes: PlannerIndex, sort: Mapping[str, int]) -> QuerySolution:
    return plan_query(parse_filter(filter), sort=list(sort.items()), indexes=indexes)


def scan(filter: Mapping[str, Any], *indexes: PlannerIndex, sort: Mapping[str, int]) -> IndexScan:
    solution = plan(filter, *indexes, sort=sort)
    assert isinstance(solution, IndexScan), solution
    return solution


@pytest.mark.parametrize(
    ("filter", "sort", "key", "reverse"),
    [
        ({}, {"a": 1}, ["a"], False),
        ({}, {"a": -1}, ["a"], True),
        ({}, {"a": 1}, ["-a"], True),
        ({}, {"a": 1, "b": -1}, ["a", "-b"], False),
        ({}, {"a": -1, "b": 1}, ["a", "-b"], True),
        ({}, {"a": 1}, ["a", "b"], False),
        ({"a": 5}, {"b": 1}, ["a", "b"], False),
        ({"a": 5}, {"a": -1, "b": 1}, ["a", "b"], False),
        ({"a": 5}, {"b": -1, "a": 1}, ["a", "b"], True),
        ({"a": 5}, {"a": 1}, ["a"], False),
        ({"a": {"$gt": 5}}, {"a": -1, "b": -1}, ["a", "b"], True),
        ({"a": {"$in": [1, 2]}}, {"a": 1, "b": 1}, ["a", "b"], False),
        ({"a": 5, "b": {"$gt": 1}}, {"b": 1, "c": 1}, ["a", "b", "c"], False),
    ],
)
def test_an_index_gives_the_order_of_its_fields(
    filter: dict[str, Any], sort: dict[str, int], key: list[str], reverse: bool
) -> None:
    found = scan(filter, index(*key), sort=sort)
    assert found.provides_sort
    assert found.reverse is reverse


@pytest.mark.parametrize(
    ("filter", "sort", "key"),
    [
        ({"a": 1}, {"b": 1}, ["a"]),
        ({"a": {"$gt": 1, "$lt": 3}}, {"b": 1}, ["a", "b"]),
        ({"a": {"$in": [1, 2]}}, {"b": 1}, ["a", "b"]),
        ({"a": {"$gt": 1, "$lt": 3}}, {"a": 1, "b": -1}, ["a", "b"]),
        ({"a": {"$gt": 1, "$lt": 3}}, {"a": 1, "c": 1}, ["a", "b", "c"]),
    ],
)
def test_an_index_with_another_order_does_not_provide_it(
    filter: dict[str, Any], sort: dict[str, int], key: list[str]
) -> None:
    assert not scan(filter, index(*key), sort=sort).provides_sort


def test_arrays_give_no_order() -> None:
    assert plan({}, index("a", arrays=["a"]), sort={"a": 1}) == CollectionScan()
    assert not scan({"a": 5}, index("a", "b", arrays=["a"]), sort={"a": 1, "b": 1}).provides_sort
    assert scan({"a": 5}, index("a", "b", arrays=["a"]), sort={"b": 1}).provides_sort
    assert scan({"a": 5}, index("a", "b", arrays=["b"]), sort={"a": 1}).provides_sort


def test_an_equality_beats_an_order() -> None:
    found = scan({"a": 5}, index("a"), index("b"), sort={"b": 1})
    assert found.index.name == "a_1"


def test_id_orders_everything_and_nothing_after_it_matters() -> None:
    assert scan({}, sort={"_id": -1, "a": 1}) == IndexScan(
        ID_INDEX, (KeyRange(b"\x00", b"\xff"),), reverse=True, provides_sort=True, exact=True
    )
    above = KeyRange(successor(encode(5)), type_bracket(5)[1])
    assert scan({"_id": {"$gt": 5}}, sort={"_id": 1}).ranges == (above,)


def test_natural_order_is_a_scan_of_the_collection() -> None:
    assert plan({"a": 1}, index("a"), sort={"$natural": -1}) == CollectionScan(reverse=True)
    assert plan_query(parse_filter({}), indexes=[index("a")]) == CollectionScan()
