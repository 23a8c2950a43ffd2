"""What the watch logs, and over which window it counts."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from skerry.admin.watch import WINDOW_SECONDS, SyncWatch
from skerry.config.sync_config import parse_rule
from skerry.sync.sync_health import LinkState, LinkStatus

QUIET = LinkStatus("hub", LinkState.STREAMING, None, 0, 0, 0, 0, 0, 0, None, 10, (), {}, {})


class FakeReplicator:
    """A link that is as the test says."""

    def __init__(self, rule: str = "shop.*=both") -> None:
        self.now = QUIET
        self.link = SimpleNamespace(selection=SimpleNamespace(rules=(parse_rule(rule),)))

    def status(self) -> LinkStatus:
        return self.now

    def becomes(self, **facts: Any) -> None:
        self.now = dataclasses.replace(self.now, **facts)


@pytest.fixture
def replicator() -> FakeReplicator:
    return FakeReplicator()


@pytest.fixture
def watch(replicator: FakeReplicator) -> SyncWatch:
    return SyncWatch(lambda: replicator)  # type: ignore[return-value, arg-type]


def kinds(watch: SyncWatch, at: float) -> list[str]:
    return [finding.kind for finding in watch.look(at)]


def test_a_trouble_is_logged_at_once_and_again_after_the_cool_down(
    replicator: FakeReplicator, watch: SyncWatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert kinds(watch, 0) == []
    replicator.becomes(dirty=6_000)
    assert kinds(watch, 5) == ["queue"]
    assert kinds(watch, 10) == []
    assert kinds(watch, 65) == ["queue"]
    assert caplog.messages[0].startswith("link hub is degraded: 6000 documents wait to be sent")


def test_rates_are_those_of_the_window(replicator: FakeReplicator, watch: SyncWatch) -> None:
    replicator.becomes(counters={"pushed": 100, "push_refused": 50})
    assert kinds(watch, 0) == ["push_failures"]
    replicator.becomes(counters={"pushed": 200, "push_refused": 50})
    assert watch.observe(replicator.now).counts == {"pushed": 100, "push_refused": 0}
    assert kinds(watch, 100) == []
    assert kinds(watch, WINDOW_SECONDS + 1) == []
    assert watch.observe(replicator.now).counts == {"pushed": 0, "push_refused": 0}


def test_a_link_that_only_sends_may_hear_nothing_of_the_hub() -> None:
    replicator = FakeReplicator("logs.*=push")
    watch = SyncWatch(lambda: replicator)  # type: ignore[return-value, arg-type]
    replicator.becomes(stream_age_ms=500_000)
    assert kinds(watch, 0) == []


def test_without_a_link_there_is_nothing_to_look_at() -> None:
    assert SyncWatch(lambda: None).look(0) == []


def test_the_thread_ends_when_it_is_stopped(watch: SyncWatch) -> None:
    watch.start()
    watch.stop()
    watch.stop()
