"""What counts as not well, and how bad it is: each limit from both sides."""

from typing import Any

import pytest

from skerry.admin.monitor import CoolDown, Finding, Level, Observation, findings, growth, level_of, rates
from skerry.sync.sync_health import LinkState

STREAMING = LinkState.STREAMING


def kinds(seen: Observation) -> list[str]:
    return [finding.kind for finding in findings(seen)]


@pytest.mark.parametrize(
    ("state", "usual", "strict"),
    [
        (LinkState.STREAMING, Level.HEALTHY, Level.HEALTHY),
        (LinkState.COPYING, Level.HEALTHY, Level.HEALTHY),
        (LinkState.STANDBY, Level.HEALTHY, Level.HEALTHY),
        (LinkState.CONNECTING, Level.DEGRADED, Level.DEGRADED),
        (LinkState.PAUSED, Level.DEGRADED, Level.DEGRADED),
        (LinkState.OFFLINE, Level.DEGRADED, Level.UNHEALTHY),
        (LinkState.STOPPED, Level.UNHEALTHY, Level.UNHEALTHY),
        (LinkState.REFUSED, Level.UNHEALTHY, Level.UNHEALTHY),
    ],
)
def test_each_state_has_a_level_and_without_the_hub_strict_health_is_worse(
    state: LinkState, usual: Level, strict: Level
) -> None:
    assert level_of(findings(Observation(state))) is usual
    assert level_of(findings(Observation(state), is_strict=True)) is strict


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"queue": 5_000}, []),
        ({"queue": 5_001}, ["queue"]),
        ({"push_lag_ms": 60_000}, []),
        ({"push_lag_ms": 60_001}, ["push_lag"]),
        ({"pull_lag_ms": 60_000}, []),
        ({"pull_lag_ms": 60_001}, ["pull_lag"]),
        ({"pull_lag_ms": 60_001, "pulls": False}, []),
        ({"quarantined": 1}, ["quarantined"]),
        ({"dead_letters": 2}, ["dead_letters"]),
        ({"frozen": ("shop.a",)}, ["frozen"]),
        ({"counts": {"pushed": 90, "push_refused": 10}}, []),
        ({"counts": {"pushed": 89, "push_refused": 11}}, ["push_failures"]),
        ({"counts": {"pushed": 1, "push_refused": 8}}, []),
        ({"counts": {"pulled_applied": 89, "dead_letters": 11}}, ["pull_failures"]),
        ({"counts": {"pulled_applied": 95, "conflicts": 5, "pushed": 5}}, []),
        ({"counts": {"pulled_applied": 94, "conflicts": 6}}, ["conflicts"]),
        ({"counts": {"stream_opened": 5}}, []),
        ({"counts": {"stream_opened": 6}}, ["reopens"]),
    ],
)
def test_each_limit_holds_up_to_it_and_is_passed_beyond(facts: dict[str, Any], expected: list[str]) -> None:
    assert kinds(Observation(STREAMING, **facts)) == expected


def test_every_finding_says_what_and_what_to_do() -> None:
    worst = Observation(
        LinkState.REFUSED, queue=9_000, push_lag_ms=90_000, quarantined=3, frozen=("b", "a"), error="denied"
    )
    found = findings(worst)
    assert found[0].level is Level.UNHEALTHY
    assert all(each.message and each.advice for each in found)
    assert "denied" in found[0].message
    assert any("a, b" in each.message for each in found)


def test_a_rate_of_few_operations_says_nothing() -> None:
    assert rates({"pushed": 4, "push_refused": 5}).push_failures is None
    assert rates({"pushed": 5, "push_refused": 5}).push_failures == 0.5
    assert rates({}).conflicts is None


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ({}, {"a": 3}, {"a": 3}),
        ({"a": 1}, {"a": 3, "b": 2}, {"a": 2, "b": 2}),
        ({"a": 5}, {"a": 3}, {"a": 3}),
        ({"a": 5}, {}, {}),
    ],
)
def test_counters_of_a_link_started_anew_begin_at_zero(
    earlier: dict[str, int], later: dict[str, int], expected: dict[str, int]
) -> None:
    assert growth(earlier, later) == expected


def test_a_warning_is_held_back_until_its_cool_down_has_passed() -> None:
    queue = Finding("queue", Level.DEGRADED, "long", "wait")
    lag = Finding("push_lag", Level.DEGRADED, "late", "wait")
    cool_down = CoolDown()
    assert cool_down.due([queue], 1000.0) == [queue]
    assert cool_down.due([queue, lag], 1059.9) == [lag]
    assert cool_down.due([queue, lag], 1060.0) == [queue]
