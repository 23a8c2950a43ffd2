from datetime import datetime

import pytest

DAY = [datetime(2024, 1, day) for day in range(1, 8)]
SALES = [
    {"_id": 1, "s": "x", "t": 1, "q": 10},
    {"_id": 2, "s": "x", "t": 2, "q": 20},
    {"_id": 3, "s": "x", "t": 2, "q": 30},
    {"_id": 4, "s": "x", "t": 5, "q": 40},
    {"_id": 5, "s": "y", "t": 1, "q": 7},
]


def column(run, output, documents=SALES, **more):
    stage = {"$setWindowFields": {"partitionBy": "$s", "sortBy": {"t": 1}, "output": {"o": output}, **more}}
    return [document["o"] for document in run([stage], documents)]


def documents_window(lower, upper):
    return {"window": {"documents": [lower, upper]}}


def range_window(lower, upper, **unit):
    return {"window": {"range": [lower, upper], **unit}}


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"$sum": "$q"}, [100, 100, 100, 100, 7]),
        ({"$sum": "$q", **documents_window("unbounded", "current")}, [10, 30, 60, 100, 7]),
        ({"$sum": "$q", **documents_window(-1, 0)}, [10, 30, 50, 70, 7]),
        ({"$push": "$_id", **documents_window(1, "unbounded")}, [[2, 3, 4], [3, 4], [4], [], []]),
        ({"$push": "$_id", **documents_window(-3, -2)}, [[], [], [1], [1, 2], []]),
        ({"$sum": "$q", **range_window(-1, "current")}, [10, 60, 60, 40, 7]),
        ({"$sum": "$q", **range_window("unbounded", "current")}, [10, 60, 60, 100, 7]),
        ({"$push": "$_id", **range_window("current", 3)}, [[1, 2, 3], [2, 3, 4], [2, 3, 4], [4], [5]]),
        ({"$max": "$q", **documents_window("current", "unbounded")}, [40, 40, 40, 40, 7]),
        ({"$rank": {}}, [1, 2, 2, 4, 1]),
        ({"$denseRank": {}}, [1, 2, 2, 3, 1]),
        ({"$documentNumber": {}}, [1, 2, 3, 4, 1]),
        ({"$shift": {"output": "$q", "by": 1}}, [20, 30, 40, None, None]),
        ({"$shift": {"output": "$q", "by": -1, "default": 0}}, [0, 10, 20, 30, 0]),
        ({"$derivative": {"input": "$q"}, **documents_window("unbounded", "unbounded")}, [7.5] * 4 + [None]),
        ({"$integral": {"input": "$q"}, **documents_window("unbounded", "current")}, [0.0, 15.0, 15.0, 120.0, 0.0]),
        ({"$expMovingAvg": {"input": "$q", "N": 3}}, [10.0, 15.0, 22.5, 31.25, 7.0]),
        ({"$expMovingAvg": {"input": "$q", "alpha": 0.5}}, [10.0, 15.0, 22.5, 31.25, 7.0]),
        ({"$covariancePop": ["$t", "$q"], **documents_window("unbounded", "unbounded")}, [15.0] * 4 + [0.0]),
        ({"$covarianceSamp": ["$t", "$q"], **documents_window("unbounded", "unbounded")}, [20.0] * 4 + [None]),
    ],
)
def test_functions_over_windows_give(run, output, expected):
    assert column(run, output) == expected


def test_partitions_come_in_order_of_their_keys_and_sorted_inside(run):
    stage = {"$setWindowFields": {"partitionBy": "$s", "sortBy": {"q": -1}, "output": {"n.r": {"$documentNumber": {}}}}}
    found = run([stage], list(reversed(SALES)))
    assert [document["_id"] for document in found] == [4, 3, 2, 1, 5]
    assert found[0]["n"] == {"r": 1}


def test_date_ranges_are_measured_in_units(run):
    documents = [{"t": day, "q": number} for number, day in enumerate(DAY)]
    assert column(run, {"$sum": "$q", **range_window(-2, 0, unit="day")}, documents) == [0, 1, 3, 6, 9, 12, 15]
    slope = {"$derivative": {"input": "$q", "unit": "hour"}, **documents_window(-1, 0)}
    assert column(run, slope, documents)[1:] == [1 / 24] * 6


@pytest.mark.parametrize(
    ("output", "expected"),
    [({"$locf": "$q"}, [None, 1, 1, 1, 5, 5]), ({"$linearFill": "$q"}, [None, 1, 2.0, 3.0, 5, None])],
)
def test_gaps_are_filled(run, output, expected):
    values = [None, 1, None, None, 5, None]
    documents = [{"t": t, "q": q} for t, q in zip([0, 1, 2, 3, 5, 6], values, strict=True)]
    assert column(run, output, documents) == expected


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 9),
        ({"output": {}, "x": 1}, 40415),
        ({"sortBy": {"a": 1}}, 40414),
        ({"output": {"o": 1}}, 9),
        ({"output": {"o": {"$foo": 1}}}, 9),
        ({"output": {"o": {"$minMaxScaler": {}}}}, 238),
        ({"output": {"o": {"$mergeObjects": "$a"}}}, 9),
        ({"output": {"o": {"$rank": {}}}}, 5371602),
        ({"sortBy": {"t": 1}, "output": {"o": {"$rank": 1}}}, 5371603),
        ({"sortBy": {"t": 1}, "output": {"o": {"$rank": {}, "window": {}}}}, 5371601),
        ({"output": {"o": {"$sum": "$q", **documents_window(-1, 0)}}}, 5339901),
        ({"sortBy": {"t": 1}, "output": {"o": {"$sum": "$q", **documents_window(1, 0)}}}, 5339900),
        ({"output": {"o": {"$sum": "$q", **range_window(-1, 0)}}}, 5339902),
        ({"sortBy": {"s": 1}, "output": {"o": {"$sum": "$q", **range_window(-1, 0)}}}, 5429414),
        ({"sortBy": {"t": 1}, "output": {"o": {"$sum": "$q", **range_window(-1, 0, unit="day")}}}, 5429413),
        ({"sortBy": {"t": 1}, "output": {"o": {"$sum": "$q", "window": {"documents": [0, 0], "unit": "day"}}}}, 9),
        ({"sortBy": {"t": 1}, "output": {"o": {"$derivative": {"input": "$q"}}}}, 9),
        ({"partitionBy": ["$s"], "output": {"o": {"$sum": "$q"}}}, 14),
    ],
)
def test_malformed_specifications(code_of, spec, code):
    assert code_of([{"$setWindowFields": spec}], SALES) == code
