import pytest

from skerry.aggregation.memory_limit import MemoryMeter, approximate_bytes
from skerry.errors import CommandError
from skerry.values import documents


@pytest.mark.parametrize(
    "document",
    [
        {"_id": 1, "name": "x" * 50, "tags": ["a", "b"], "at": {"x": 1.5, "y": 2.5}},
        {"text": "x" * 10_000},
        {"numbers": list(range(500))},
        {"nested": {"a": {"b": {"c": [{"d": 1}, {"d": "e"}]}}}},
    ],
)
def test_estimate_is_near_the_size_in_bson(document):
    size = len(documents.encode(document))
    assert size / 2 <= approximate_bytes(document) <= size * 2.5


def test_meter_raises_292_above_its_limit_and_names_the_stage():
    meter = MemoryMeter("$group", 100)
    meter.add(100)
    with pytest.raises(CommandError, match=r"\$group") as caught:
        meter.add(1)
    assert (caught.value.code, caught.value.code_name) == (292, "QueryExceededMemoryLimitNoDiskUseAllowed")


def test_released_values_do_not_count():
    meter = MemoryMeter("$group", 100)
    for _ in range(10):
        meter.add_value("x" * 50)
        meter.release_value("x" * 50)
    assert meter.used_bytes == 0


def test_sampling_counts_a_uniform_row_about_right():
    exact, sampled = MemoryMeter("$sort", 10**9), MemoryMeter("$sort", 10**9)
    for _ in range(1000):
        exact.add_value("x" * 100)
        sampled.add_sampled("x" * 100)
    assert abs(sampled.used_bytes - exact.used_bytes) < exact.used_bytes / 100
