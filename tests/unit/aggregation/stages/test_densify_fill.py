from datetime import datetime

import pytest


def row(run, range_, documents, **more):
    return run([{"$densify": {"field": "v", "range": range_, **more}}], documents)


def values(documents):
    return [document["v"] for document in documents]


def test_full_range_fills_between_least_and_greatest(run):
    found = row(run, {"step": 1, "bounds": "full"}, [{"v": 3, "x": 1}, {"v": 0}, {"v": 1.5}])
    assert found == [{"v": 0}, {"v": 1}, {"v": 1.5}, {"v": 2}, {"v": 3, "x": 1}]


def test_explicit_range_excludes_its_upper_bound_and_passes_others_through(run):
    found = row(run, {"step": 2, "bounds": [0, 6]}, [{"v": -1}, {"v": 2}, {"v": 9}, {"x": 1}])
    assert found == [{"x": 1}, {"v": -1}, {"v": 0}, {"v": 2}, {"v": 4}, {"v": 9}]
    assert values(row(run, {"step": 2, "bounds": [0, 6]}, [])) == [0, 2, 4]


def test_each_partition_has_its_own_row(run):
    documents = [{"p": "a", "v": 0}, {"p": "a", "v": 2}, {"p": "b", "v": 1}, {"p": "b", "v": 3}]
    own = row(run, {"step": 1, "bounds": "partition"}, documents, partitionByFields=["p"])
    assert [(each["p"], each["v"]) for each in own] == [
        (p, v) for p, first in (("a", 0), ("b", 1)) for v in range(first, first + 3)
    ]
    full = row(run, {"step": 1, "bounds": "full"}, documents, partitionByFields=["p"])
    assert [(each["p"], each["v"]) for each in full] == [(p, v) for p in "ab" for v in range(4)]


def test_dates_step_by_calendar_units(run):
    found = row(
        run, {"step": 1, "unit": "month", "bounds": "full"}, [{"v": datetime(2024, 1, 31)}, {"v": datetime(2024, 4, 1)}]
    )
    assert values(found) == [datetime(2024, 1, 31), datetime(2024, 2, 29), datetime(2024, 3, 31), datetime(2024, 4, 1)]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 9),
        ({"field": "v"}, 40414),
        ({"field": "v", "range": {"step": 1}}, 40414),
        ({"field": "v", "range": {"step": 0, "bounds": "full"}}, 5733401),
        ({"field": "v", "range": {"step": 1, "bounds": "all"}}, 5946802),
        ({"field": "v", "range": {"step": 1, "bounds": [1]}}, 5733403),
        ({"field": "v", "range": {"step": 1, "bounds": [2, 1]}}, 5733402),
        ({"field": "v", "range": {"step": 1, "bounds": ["a", "b"]}}, 5733402),
        ({"field": "v", "range": {"step": 1, "bounds": "partition"}}, 5733408),
        ({"field": "v", "partitionByFields": ["v"], "range": {"step": 1, "bounds": "full"}}, 8993000),
        ({"field": "v", "range": {"step": 1, "unit": "day", "bounds": [1, 2]}}, 5733409),
        ({"field": "v", "range": {"step": 1, "bounds": [1, 2.5]}}, 5876900),
        ({"field": "v", "range": {"step": 1.5, "unit": "day", "bounds": "full"}}, 6586400),
        ({"field": "v", "range": {"step": 1, "unit": "day", "bounds": "full"}}, 6053600),
        ({"field": "s", "range": {"step": 1, "bounds": "full"}}, 5733201),
        ({"field": "v", "range": {"step": 1, "bounds": "full"}, "x": 1}, 40415),
        ({"field": "v", "range": {"step": 0.000001, "bounds": [0.0, 10.0]}}, 5897900),
    ],
)
def test_densify_refuses(code_of, spec, code, monkeypatch):
    monkeypatch.setattr("skerry.aggregation.stages.densify.GENERATED_DOCUMENTS_MAX", 100)
    assert code_of([{"$densify": spec}], [{"v": 1, "s": "x"}]) == code


def test_fill_with_values_and_methods(run):
    documents = [{"t": 0, "a": 1, "b": 0}, {"t": 1, "a": None}, {"t": 2, "b": 4, "c": 5}]
    spec = {
        "sortBy": {"t": 1},
        "output": {"a": {"method": "locf"}, "b": {"method": "linear"}, "c": {"value": {"$add": ["$t", 1]}}},
    }
    assert run([{"$fill": spec}], documents) == [
        {"t": 0, "a": 1, "b": 0, "c": 1},
        {"t": 1, "a": 1, "b": 2.0, "c": 2},
        {"t": 2, "b": 4, "c": 5, "a": 1},
    ]


@pytest.mark.parametrize(
    "partition", [{"partitionBy": "$p"}, {"partitionBy": {"x": "$p"}}, {"partitionByFields": ["p"]}]
)
def test_fill_stays_within_partitions(run, partition):
    documents = [{"p": 1, "t": 0, "a": 1}, {"p": 2, "t": 1}, {"p": 1, "t": 2}]
    found = run([{"$fill": {**partition, "sortBy": {"t": 1}, "output": {"a": {"method": "locf"}}}}], documents)
    assert [(each["p"], each["a"]) for each in found] == [(1, 1), (1, 1), (2, None)]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 9),
        ({}, 40414),
        ({"output": {"a": {"value": 1}}, "x": 1}, 40415),
        ({"output": {"a": {"method": "x"}}}, 6050202),
        ({"output": {"a": {"method": "linear"}}}, 605001),
        ({"output": {"a": {}}}, 40415),
        ({"partitionBy": "$a", "partitionByFields": ["a"], "output": {"a": {"value": 1}}}, 6050204),
        ({"partitionBy": "a", "output": {"a": {"method": "locf"}}}, 6050201),
    ],
)
def test_fill_refuses(code_of, spec, code):
    assert code_of([{"$fill": spec}]) == code
