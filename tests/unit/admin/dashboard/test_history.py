"""The last minutes of a link."""

from skerry.admin.dashboard.history import SAMPLES_MAX, History, Sample


def test_rates_are_the_growth_between_two_samples() -> None:
    history = History()
    history.add(Sample(0, 5, 1_500, None, {"pushed": 10}))
    history.add(Sample(2_000, 1, None, 40, {"pushed": 30, "pulled_applied": 4, "pulled_merged": 2}))
    assert history.pushed_per_second() == [(2_000, 10.0)]
    assert history.pulled_per_second() == [(2_000, 3.0)]
    assert history.queue() == [(0, 5), (2_000, 1)]
    assert history.push_lag_seconds() == [(0, 1.5), (2_000, 0.0)]
    assert history.pull_lag_seconds() == [(0, None), (2_000, 0.04)]


def test_a_link_started_anew_does_not_go_backwards() -> None:
    history = History()
    history.add(Sample(0, 0, None, None, {"pushed": 100}))
    history.add(Sample(1_000, 0, None, None, {"pushed": 3}))
    assert history.pushed_per_second() == [(1_000, 3.0)]


def test_the_oldest_samples_make_room() -> None:
    history = History()
    for at in range(SAMPLES_MAX + 5):
        history.add(Sample(at, 0, None, None, {}))
    assert len(history.queue()) == SAMPLES_MAX
    assert history.queue()[0][0] == 5
