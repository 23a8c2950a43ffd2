import pytest

VALUES = [{"_id": number, "v": value} for number, value in enumerate([1, 5, 9, 10, 15, 20, "x"])]


def test_bucket_groups_by_half_open_ranges_in_order(run):
    stage = {"$bucket": {"groupBy": "$v", "boundaries": [0, 10, 20], "default": "other"}}
    assert run([stage], VALUES) == [
        {"_id": 0, "count": 3},
        {"_id": 10, "count": 2},
        {"_id": "other", "count": 2},
    ]


def test_bucket_accumulates_its_output(run):
    stage = {"$bucket": {"groupBy": "$v", "boundaries": [0, 100], "output": {"ids": {"$push": "$_id"}}}}
    assert run([stage], VALUES[:2]) == [{"_id": 0, "ids": [0, 1]}]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 40201),
        ({"groupBy": "$v"}, 40198),
        ({"groupBy": "v", "boundaries": [0, 1]}, 40202),
        ({"groupBy": "$v", "boundaries": 1}, 40200),
        ({"groupBy": "$v", "boundaries": [0, "$x"]}, 40191),
        ({"groupBy": "$v", "boundaries": [0]}, 40192),
        ({"groupBy": "$v", "boundaries": [0, "a"]}, 40193),
        ({"groupBy": "$v", "boundaries": [1, 0]}, 40194),
        ({"groupBy": "$v", "boundaries": [0, 1], "default": "$x"}, 40195),
        ({"groupBy": "$v", "boundaries": [0, 1], "output": 1}, 40196),
        ({"groupBy": "$v", "boundaries": [0, 1], "x": 1}, 40197),
        ({"groupBy": "$v", "boundaries": [0, 10], "default": 5}, 40199),
        ({"groupBy": "$v", "boundaries": [0, 10]}, 40066),
    ],
)
def test_bucket_refuses(code_of, spec, code):
    assert code_of([{"$bucket": spec}], VALUES) == code


@pytest.mark.parametrize(
    ("values", "buckets", "expected"),
    [
        ([1, 2, 3, 4], 2, [(1, 3, 2), (3, 4, 2)]),
        ([1, 1, 1, 2], 2, [(1, 2, 3), (2, 2, 1)]),
        ([1, 2, 3, 4, 5], 2, [(1, 4, 3), (4, 5, 2)]),
        ([7], 5, [(7, 7, 1)]),
        ([], 3, []),
        ([3, None, 2], 1, [(None, 3, 3)]),
    ],
)
def test_bucket_auto_divides_evenly_and_never_between_equal_values(run, values, buckets, expected):
    found = run([{"$bucketAuto": {"groupBy": "$v", "buckets": buckets}}], [{"v": value} for value in values])
    assert [(each["_id"]["min"], each["_id"]["max"], each["count"]) for each in found] == expected


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (1, 40240),
        ({"groupBy": "$v"}, 40246),
        ({"groupBy": "v", "buckets": 1}, 40239),
        ({"groupBy": "$v", "buckets": "x"}, 40241),
        ({"groupBy": "$v", "buckets": 1.5}, 40242),
        ({"groupBy": "$v", "buckets": 0}, 40243),
        ({"groupBy": "$v", "buckets": 1, "output": 1}, 40244),
        ({"groupBy": "$v", "buckets": 1, "x": 1}, 40245),
        ({"groupBy": "$v", "buckets": 1, "granularity": "R5"}, 238),
    ],
)
def test_bucket_auto_refuses(code_of, spec, code):
    assert code_of([{"$bucketAuto": spec}], VALUES) == code
