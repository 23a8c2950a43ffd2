"""Counters and durations of a link."""

from skerry.sync.sync_metrics import SECONDS_BOUNDS, SyncMetrics


def test_counters_only_grow() -> None:
    metrics = SyncMetrics()
    metrics.add("pushed")
    metrics.add("pushed", 4)
    assert metrics.snapshot() == {"pushed": 5}


def test_durations_fall_into_the_bucket_of_the_first_bound_that_is_not_smaller() -> None:
    metrics = SyncMetrics()
    for seconds in (SECONDS_BOUNDS[0], SECONDS_BOUNDS[0] * 1.01, 1e9):
        metrics.observe("push", seconds)
    found = metrics.durations()["push"]
    assert found.count == 3
    assert found.buckets[:2] == (1, 1)
    assert found.buckets[-1] == 1
    assert found.last_ms > 0
