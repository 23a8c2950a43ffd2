"""Which solution is chosen. Ranges are shown as (values, …) by their key strings; soundness has a test of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from bson.objectid import ObjectId

from skerry.errors import BadValueError, CommandError
from skerry.indexes.index_descriptor import ID_INDEX, IndexDescriptor, default_name
from skerry.matcher.filter_parser import parse_filter
from skerry.planner.query_planner import PlannerIndex, plan_query
from skerry.planner.query_solution import CollectionScan, EmptyScan, IdLookup, IndexScan, QuerySolution, UnionScan
from skerry.values.key_range import KeyRange
from skerry.values.key_string import encode, encode_compound, successor, type_bracket


def index(*key: str, arrays: Sequence[str] = (), **options: Any) -> PlannerIndex:
    """Describe an index; a path that starts with `-` descends."""
    pairs = tuple((path.removeprefix("-"), -1 if path.startswith("-") else 1) for path in key)
    return PlannerIndex(IndexDescriptor(default_name(pairs), pairs, **options), frozenset(arrays))


def plan(
    filter: Mapping[str, Any],
    *indexes: PlannerIndex,
    sort: Mapping[str, int] | None = None,
    hint: str | Mapping[str, Any] | None = None,
) -> QuerySolution:
    pairs = list(sort.items()) if sort else None
    return plan_query(parse_filter(filter), sort=pairs, indexes=indexes, hint=hint)


def scan(
    filter: Mapping[str, Any], *indexes: PlannerIndex, sort: Mapping[str, int] | None = None, hint: Any = None
) -> IndexScan:
    solution = plan(filter, *indexes, sort=sort, hint=hint)
    assert isinstance(solution, IndexScan), solution
    return solution


def point(*values: Any, directions: Sequence[int] | None = None) -> KeyRange:
    key = encode_compound(values, directions or [1] * len(values))
    return KeyRange(key, successor(key))


def above(value: Any) -> KeyRange:
    return KeyRange(successor(encode(value)), type_bracket(value)[1])


@pytest.mark.parametrize(
    ("filter", "values", "exact"),
    [
        ({"_id": 5}, [5], True),
        ({"_id": {"$eq": "x"}}, ["x"], True),
        ({"_id": {"a": 1}}, [{"a": 1}], True),
        ({"_id": {"$in": [3, 1, 1.0]}}, [1, 3], True),
        ({"_id": 5, "a": 1}, [5], False),
        ({"_id": None}, [None], False),
        ({"$or": [{"_id": 1}, {"_id": 2, "a": 1}]}, [1, 2], False),
        ({"_id": {"$in": [1, 2, 3], "$gt": 1}}, [2, 3], True),
    ],
)
def test_equality_of_id_is_a_lookup(filter: dict[str, Any], values: list[Any], exact: bool) -> None:
    assert plan(filter, index("a")) == IdLookup(tuple(map(encode, values)), exact)


def test_ids_that_follow_each_other_stay_single_lookups() -> None:
    ids = [ObjectId(f"65a0000000000000000000{n:02x}") for n in (1, 2, 0xFF)]
    assert plan({"_id": {"$in": ids}}) == IdLookup(tuple(map(encode, ids)), exact=True)


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ({"$gt": 5}, [above(5)]),
        ({"$gte": 5}, [KeyRange(encode(5), above(5).upper)]),
        ({"$lt": 5}, [KeyRange(successor(encode(float("nan"))), encode(5))]),
        ({"$lt": "m"}, [KeyRange(type_bracket("")[0], encode("m"))]),
        ({"$gt": 1, "$lt": 9}, [KeyRange(above(1).lower, encode(9))]),
        ({"$lt": True}, [point(False)]),
        ({"$in": [1, "a"]}, [point(1), point("a")]),
        ({"$gte": float("nan")}, [point(float("nan"))]),
        ({"$type": "string"}, [KeyRange(*type_bracket(""))]),
        ({"$type": "number"}, [KeyRange(*type_bracket(0))]),
        ({"$type": ["objectId", "bool"]}, [KeyRange(*type_bracket(ObjectId())), KeyRange(*type_bracket(True))]),
    ],
)
def test_predicates_become_ranges_within_their_type(operand: Any, expected: list[KeyRange]) -> None:
    found = scan({"a": operand}, index("a"))
    assert list(found.ranges) == expected
    assert found.exact


@pytest.mark.parametrize(
    ("filter", "exact"),
    [
        ({"a": 5}, True),
        ({"a": {"$gt": 5}}, True),
        ({"a": {"$ne": 5}}, True),
        ({"a": {"$nin": [5, "x"]}}, True),
        ({"a": {"$regex": "^abc"}}, True),
        ({"a": {"$type": "string"}}, True),
        ({"a": 5, "b": {"$lt": 3}}, True),
        ({"a": None}, False),
        ({"a": {"$in": [1, None]}}, False),
        ({"a": {"$exists": False}}, False),
        ({"a": {"$type": "int"}}, False),
        ({"a": {"$type": "null"}}, False),
        ({"a": [1, 2]}, False),
        ({"a": {"$regex": "^abc$"}}, False),
        ({"a": {"$regex": "abc"}}, False),
        ({"a": {"$elemMatch": {"$gt": 1}}}, False),
        ({"a": 5, "c": 1}, False),
        ({"a": {"$gt": 5}, "b": 1}, False),
        ({"a": 5, "$expr": {"$eq": ["$b", 1]}}, False),
    ],
)
def test_exactness_is_claimed_only_where_keys_decide(filter: dict[str, Any], exact: bool) -> None:
    assert scan(filter, index("a", "b")).exact is exact


def test_a_multikey_index_is_never_exact() -> None:
    assert not scan({"a": 5}, index("a", arrays=["a"])).exact
    assert not scan({"a": 5}, index("a", "b", arrays=["b"])).exact


def test_compound_indexes_bind_equalities_and_then_one_range() -> None:
    a_b = index("a", "-b")
    assert scan({"a": 1, "b": 2}, a_b).ranges == (point(1, 2, directions=[1, -1]),)
    (range_of_b,) = scan({"a": 1, "b": {"$gt": 2}}, a_b).ranges
    for b, is_inside in ((2, False), (2.5, True), (float("inf"), True), ("x", False), (None, False)):
        assert (encode_compound([1, b], [1, -1]) in range_of_b) is is_inside
    assert scan({"a": {"$gt": 1}, "b": 2}, a_b).ranges == (above(1),)
    assert len(scan({"a": {"$in": [1, 2]}, "b": {"$in": [3, 4]}}, a_b).ranges) == 4


def test_a_field_after_an_unbound_one_does_not_bind() -> None:
    assert plan({"b": 2}, index("a", "b")) == CollectionScan()


def test_an_index_with_more_equalities_is_preferred() -> None:
    assert scan({"a": 1, "b": 2}, index("a"), index("a", "b"), index("b")).index.name == "a_1_b_1"
    assert scan({"a": 1}, index("a", "b"), index("a")).index.name == "a_1"
    assert scan({"a": {"$gt": 1}, "b": 2}, index("a"), index("b")).index.name == "b_1"
    assert scan({"a": 1, "b": 2}, index("a"), index("b", unique=True)).index.name == "b_1"


def test_contradictions_need_no_scan_where_there_are_no_arrays() -> None:
    filter = {"a": {"$gt": 5, "$lt": 3}}
    assert plan(filter, index("a")) == EmptyScan()
    assert plan({"a": {"$in": []}}) == EmptyScan()
    assert isinstance(plan(filter, index("a", arrays=["a"])), IndexScan)
    assert plan(filter, index("a", partial_filter={"b": 1})) == CollectionScan()


# Multikey rules.


def test_two_predicates_on_an_array_are_not_intersected() -> None:
    found = scan({"a": {"$gt": 1, "$lt": 5}}, index("a", arrays=["a"]))
    assert found.ranges in ((above(1),), (KeyRange(successor(encode(float("nan"))), encode(5)),))


def test_elem_match_intersects_on_an_array() -> None:
    found = scan({"a": {"$elemMatch": {"$gt": 1, "$lt": 5}}}, index("a", arrays=["a"]))
    assert found.ranges == (KeyRange(above(1).lower, encode(5)),)


def test_elem_match_on_documents_intersects_and_combines_fields_of_one_element() -> None:
    filter = {"a": {"$elemMatch": {"b": {"$gt": 1, "$lt": 5}, "c": 2}}}
    assert scan(filter, index("a.b", arrays=["a"])).ranges == (KeyRange(above(1).lower, encode(5)),)
    combined = scan(filter, index("a.c", "a.b", arrays=["a"]))
    assert combined.ranges == (KeyRange(encode(2) + above(1).lower, encode(2) + encode(5)),)


def test_elem_match_does_not_intersect_below_another_array() -> None:
    filter = {"a": {"$elemMatch": {"b": {"$gt": 1, "$lt": 5}}}}
    assert scan(filter, index("a.b", arrays=["a", "a.b"])).ranges != (KeyRange(above(1).lower, encode(5)),)


def test_fields_of_one_array_are_combined_only_within_an_elem_match() -> None:
    both = index("a.b", "a.c", arrays=["a"])
    assert scan({"a.b": 1, "a.c": 2}, both).ranges == (point(1),)
    assert scan({"a.b": 1, "a": {"$elemMatch": {"c": 2}}}, both).ranges == (point(1),)
    assert scan({"a": {"$elemMatch": {"b": 1}}, "$and": [{"a": {"$elemMatch": {"c": 2}}}]}, both).ranges == (point(1),)
    assert scan({"a": {"$elemMatch": {"b": 1, "c": 2}}}, both).ranges == (point(1, 2),)


def test_different_arrays_and_plain_fields_are_combined() -> None:
    assert scan({"a": 1, "b": 2}, index("a", "b", arrays=["a"])).ranges == (point(1, 2),)
    assert scan({"a": 1, "b": 2}, index("a", "b", arrays=["a", "b"])).ranges == (point(1, 2),)


def test_negations_bound_no_array() -> None:
    assert plan({"a": {"$ne": 1}}, index("a", arrays=["a"])) == CollectionScan()


def test_a_whole_array_is_found_by_its_first_element_or_as_an_element() -> None:
    assert scan({"a": [5, 6]}, index("a", arrays=["a"])).ranges == (point(5), point([5, 6]))


def test_null_at_a_position_of_an_array_has_no_bounds() -> None:
    assert plan({"a.0": None}, index("a.0", arrays=["a"])) == CollectionScan()
    assert isinstance(plan({"a.0": None}, index("a.0")), IndexScan)


# Sparse, partial and hidden indexes.


@pytest.mark.parametrize(
    ("filter", "used"),
    [
        ({"a": 5}, True),
        ({"a": {"$gt": 5}}, True),
        ({"a": {"$exists": True}}, True),
        ({"a": {"$ne": None}}, True),
        ({"a": None}, False),
        ({"a": {"$exists": False}}, False),
        ({"a": {"$in": [1, None]}}, False),
        ({"a": {"$ne": 5}}, False),
        ({}, False),
    ],
)
def test_a_sparse_index_serves_only_what_it_holds_completely(filter: dict[str, Any], used: bool) -> None:
    assert isinstance(plan(filter, index("a", sparse=True), sort={"a": 1}), IndexScan) is used


def test_existence_is_counted_on_a_sparse_index() -> None:
    assert scan({"a": {"$exists": True}}, index("a", sparse=True)).exact
    assert not scan({"a": {"$exists": True}}, index("a", "b", sparse=True)).exact


@pytest.mark.parametrize(
    ("partial", "filter", "used"),
    [
        ({"b": {"$gt": 5}}, {"a": 1, "b": {"$gt": 7}}, True),
        ({"b": {"$gt": 5}}, {"a": 1, "b": {"$gt": 5}}, True),
        ({"b": {"$gt": 5}}, {"a": 1, "b": 6}, True),
        ({"b": {"$gt": 5}}, {"a": 1, "b": {"$in": [6, 7]}}, True),
        ({"b": {"$gt": 5}}, {"a": 1, "b": {"$gte": 5}}, False),
        ({"b": {"$gt": 5}}, {"a": 1, "b": {"$in": [4, 7]}}, False),
        ({"b": {"$gt": 5}}, {"a": 1, "b": "x"}, False),
        ({"b": {"$gt": 5}}, {"a": 1}, False),
        ({"b": {"$gt": 5}}, {"a": 1, "b": {"$ne": 6}}, False),
        ({"b": True}, {"a": 1, "b": True}, True),
        ({"b": True}, {"a": 1, "b": 1}, False),
        ({"b": 1}, {"a": 1, "b": 1.0}, True),
        ({"b": {"$exists": True}}, {"a": 1, "b": {"$lt": 0}}, True),
        ({"b": {"$exists": True}}, {"a": 1, "b": {"$exists": True}}, True),
        ({"b": {"$exists": True}}, {"a": 1, "b": None}, False),
        ({"b": {"$exists": True}}, {"a": 1, "b": {"$ne": None}}, False),
        ({"b": {"$type": "string"}}, {"a": 1, "b": "x"}, True),
        ({"b": {"$type": "int"}}, {"a": 1, "b": 1}, False),
        ({"b": 1, "c": 2}, {"a": 1, "b": 1, "c": 2}, True),
        ({"b": 1, "c": 2}, {"a": 1, "b": 1}, False),
        ({"$or": [{"b": 1}, {"c": 2}]}, {"a": 1, "c": 2}, True),
        ({"$or": [{"b": 1}, {"c": 2}]}, {"a": 1, "$or": [{"c": 2}, {"b": 1, "c": 4}]}, True),
        ({"$or": [{"b": 1}, {"c": 2}]}, {"a": 1, "$or": [{"c": 2}, {"b": 3}]}, False),
        ({}, {"a": 1}, True),
    ],
)
def test_a_partial_index_serves_queries_that_imply_its_filter(
    partial: dict[str, Any], filter: dict[str, Any], used: bool
) -> None:
    assert isinstance(plan(filter, index("a", partial_filter=partial)), IndexScan) is used


def test_what_a_partial_filter_already_says_need_not_be_checked() -> None:
    partial = index("a", partial_filter={"b": 1})
    assert scan({"a": 1, "b": 1}, partial).exact
    assert not scan({"a": 1, "b": {"$in": [1]}, "c": 1}, partial).exact
    assert not scan({"a": 1, "b": 1}, index("a", partial_filter={"b": {"$gt": 0}})).exact


def test_hidden_indexes_are_ignored_and_cannot_be_hinted() -> None:
    hidden = index("a", hidden=True)
    assert plan({"a": 1}, hidden) == CollectionScan()
    with pytest.raises(BadValueError):
        plan({"a": 1}, hidden, hint="a_1")


# `$or`.


def test_a_disjunction_is_a_union_when_each_branch_has_an_index() -> None:
    solution = plan({"$or": [{"a": 1}, {"b": 2}]}, index("a"), index("b"))
    assert isinstance(solution, UnionScan)
    assert [each.index.name for each in solution.scans if isinstance(each, IndexScan)] == ["a_1", "b_1"]
    assert plan({"$or": [{"a": 1}, {"c": 2}]}, index("a"), index("b")) == CollectionScan()


def test_a_disjunction_takes_in_the_other_clauses() -> None:
    solution = plan({"c": 3, "$or": [{"a": 1}, {"b": 2}]}, index("a", "c"), index("b", "c"))
    assert isinstance(solution, UnionScan)
    assert [each.ranges for each in solution.scans if isinstance(each, IndexScan)] == [(point(1, 3),), (point(2, 3),)]


def test_branches_on_one_index_are_one_scan() -> None:
    solution = scan({"$or": [{"a": {"$lt": 1}}, {"a": {"$gt": 5}}]}, index("a"), sort={"a": 1})
    assert len(solution.ranges) == 2
    assert solution.exact
    assert solution.provides_sort


def test_an_impossible_branch_is_left_out() -> None:
    assert scan({"$or": [{"a": {"$gt": 5, "$lt": 3}}, {"a": 7, "b": 1}]}, index("a")).ranges == (point(7),)


def test_ids_and_indexes_are_united() -> None:
    solution = plan({"$or": [{"_id": 1}, {"a": 2}, {"_id": 3}]}, index("a"))
    assert isinstance(solution, UnionScan)
    assert solution.scans[0] == IdLookup((encode(1), encode(3)), exact=True)


# Hints.


def test_a_hint_names_an_index_or_its_key() -> None:
    indexes = (index("a"), index("-b"))
    assert scan({"a": 1}, *indexes, hint="b_-1").index.name == "b_-1"
    assert scan({"a": 1}, *indexes, hint={"b": -1.0}).index.name == "b_-1"
    assert scan({"a": 1}, *indexes, hint={"_id": 1}).index == ID_INDEX
    assert plan({"_id": 1}, *indexes, hint="_id_") == IdLookup((encode(1),), exact=True)
    assert scan({"_id": 1}, *indexes, hint="a_1").index.name == "a_1"
    assert plan({"a": 1}, *indexes, hint={"$natural": -1}) == CollectionScan(reverse=True)
    assert plan({"a": 1}, *indexes, hint={}) == plan({"a": 1}, *indexes)


def test_a_hinted_sparse_index_is_used_even_if_it_lacks_matches() -> None:
    found = scan({}, index("a", sparse=True), hint="a_1")
    assert found.exact
    assert found.ranges == (KeyRange(b"\x00", b"\xff"),)


@pytest.mark.parametrize("hint", ["c_1", {"a": -1}, {"a": 1, "b": 1}, {"a": "text"}])
def test_a_hint_of_no_index_is_refused(hint: Any) -> None:
    with pytest.raises(BadValueError, match="hint provided does not correspond to an existing index"):
        plan({"a": 1}, index("a"), hint=hint)


def test_impossible_hints_are_refused() -> None:
    with pytest.raises(BadValueError):
        plan({}, hint={"$natural": 2})
    with pytest.raises(BadValueError):
        plan({}, index("a"), hint="a_1", sort={"$natural": 1})
    twin = PlannerIndex(IndexDescriptor("other", (("a", 1),), partial_filter={"b": 1}), frozenset())
    with pytest.raises(CommandError) as refusal:
        plan({}, index("a"), twin, hint={"a": 1})
    assert refusal.value.code == 181


def test_very_many_alternatives_bind_the_leading_field_only() -> None:
    many = list(range(100))
    found = scan({"a": {"$in": many}, "b": {"$in": many}, "c": 1}, index("a", "b"))
    assert len(found.ranges) == 100
    assert not found.exact
