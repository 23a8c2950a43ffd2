"""The right to run a link: one process has it, and one that has lost it knows that it has."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.storage import WriteView
from skerry.sync import link_records
from skerry.sync.lease import LEASE_MS, Lease, runner_of
from skerry.sync.link import Link


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Link]:
    engine = Engine(tmp_path / "data")
    link = Link(engine, SyncConfig(hub_uri="mongodb://127.0.0.1:1/", rules=(parse_rule("shop.*=both"),)))
    yield link
    link.hub.close()
    engine.close()


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass on the clock by which a holder renews its lease."""
    now = [1000.0]
    monkeypatch.setattr("skerry.sync.lease.time.monotonic", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


def expire(link: Link) -> None:
    def job(view: WriteView) -> None:
        held = link_records.load(view, link.name, link_records.LEASE)
        assert held is not None
        link_records.save(view, link.name, link_records.LEASE, {**held, "until": 0})

    link.write(job)


def test_one_process_has_the_link_until_it_gives_it_up(link: Link, pass_time: Callable[[float], None]) -> None:
    first, second = Lease(link), Lease(link)
    assert first.take()
    assert not second.take()
    pass_time(LEASE_MS / 2000)
    assert first.take()
    assert link.read(lambda view: runner_of(view, link.name)) == f"process {os.getpid()} on {socket.gethostname()}"
    first.release()
    assert link.read(lambda view: runner_of(view, link.name)) is None
    assert second.take()
    assert not first.take()


def test_a_lease_that_was_not_renewed_goes_to_the_next(link: Link, pass_time: Callable[[float], None]) -> None:
    first, second = Lease(link), Lease(link)
    assert first.take()
    expire(link)
    assert second.take()
    pass_time(LEASE_MS / 1000)
    assert not first.take()


def test_a_lease_that_nobody_took_meanwhile_is_renewed(link: Link, pass_time: Callable[[float], None]) -> None:
    lease = Lease(link)
    assert lease.take()
    expire(link)
    pass_time(LEASE_MS / 1000)
    assert lease.take()


@pytest.mark.parametrize("ends", ["given up", "expired"])
def test_a_process_that_was_frozen_while_another_had_the_link_begins_again(
    link: Link, pass_time: Callable[[float], None], ends: str
) -> None:
    frozen, other = Lease(link), Lease(link)
    assert frozen.take()
    expire(link)
    assert other.take()
    if ends == "given up":
        other.release()
    else:
        expire(link)
    pass_time(LEASE_MS / 1000)
    assert not frozen.take()  # the link connects anew then
    assert frozen.take()
