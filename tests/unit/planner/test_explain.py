from typing import Any

import pytest

from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.planner.explain import explain_solution
from skerry.planner.query_solution import CollectionScan, EmptyScan, IdLookup, IndexScan, UnionScan
from skerry.values.key_range import KeyRange

A = IndexScan(IndexDescriptor("a_1", (("a", 1),)), (KeyRange(b"1", b"2"),), reverse=True)


@pytest.mark.parametrize(
    ("solution", "stages"),
    [
        (EmptyScan(), ["EOF"]),
        (CollectionScan(), ["COLLSCAN"]),
        (IdLookup((b"1",), exact=True), ["IDHACK"]),
        (IdLookup((b"1", b"2"), exact=True), ["FETCH", "IXSCAN"]),
        (A, ["FETCH", "IXSCAN"]),
        (UnionScan((A, A)), ["FETCH", "OR"]),
    ],
)
def test_each_solution_has_the_servers_stages(solution: Any, stages: list[str]) -> None:
    plan: dict[str, Any] = explain_solution(solution, filter={"a": 1})
    found = []
    while plan:
        found.append(plan["stage"])
        plan = plan.get("inputStage", {})
    assert found == stages


def test_an_index_scan_names_its_index() -> None:
    plan = explain_solution(A, filter={"a": 1}, multikey_paths={"a_1": frozenset({"a"})})
    assert plan["filter"] == {"a": 1}
    inner = plan["inputStage"]
    assert (inner["indexName"], inner["keyPattern"], inner["direction"]) == ("a_1", {"a": 1}, "backward")
    assert inner["isMultiKey"]
    assert inner["multiKeyPaths"] == {"a": ["a"]}


def test_an_exact_scan_has_no_filter() -> None:
    exact = IndexScan(A.index, A.ranges, exact=True)
    assert "filter" not in explain_solution(exact, filter={"a": 1})


def test_sort_skip_limit_and_projection_stand_around_the_scan() -> None:
    plan: dict[str, Any] = explain_solution(
        A, filter={}, sort=[("b", 1)], is_sorted=False, skip=2, limit=3, projection={"a": 1}
    )
    found = []
    while plan:
        found.append(plan["stage"])
        if plan["stage"] == "SORT":
            assert plan["limitAmount"] == 5
        plan = plan.get("inputStage", {})
    assert found == ["PROJECTION_DEFAULT", "LIMIT", "SKIP", "SORT", "FETCH", "IXSCAN"]
