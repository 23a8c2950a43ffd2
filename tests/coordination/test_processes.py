"""Coordination between real processes: nothing is lost, nobody waits for the dead, and the late write nothing."""

import os
import signal
import subprocess
import time

import pytest
from tests.coordination.conftest import Meeting
from tests.coordination.worker import LEASE_MS, add_one

PROCESSES = 4
INCREMENTS = 500
INCREMENTS_THROUGH_A_SERVER = 40


def says(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_go_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.slow
def test_concurrent_access_scenarios(meeting: Meeting) -> None:
    """Four processes read, add one and write 500 times each (fewer through a server, which is slower): all are counted."""
    times = INCREMENTS if meeting.door == "connect" else INCREMENTS_THROUGH_A_SERVER
    processes = [meeting.start("increment", times) for _ in range(PROCESSES)]
    assert [says(process) for process in processes] == ["done"] * PROCESSES
    assert meeting.number() == PROCESSES * times
    assert not meeting.index().is_locked("counters")


@pytest.mark.slow
def test_when_a_holder_is_killed_the_others_go_on_after_its_lease(meeting: Meeting) -> None:
    coordinator = meeting.coordinator()
    coordinator.coordinate("first", add_one)
    holder = meeting.start("stop-inside")
    assert says(holder) == "inside"
    holder.kill()
    holder.wait()
    killed_at = time.monotonic()
    assert meeting.index().is_locked("counters"), "the lease outlives its holder"
    assert coordinator.coordinate("next", add_one) == 2, "nothing of the killed operation was kept"
    assert time.monotonic() - killed_at < 10 * LEASE_MS / 1000


@pytest.mark.slow
def test_the_death_of_one_of_many_costs_the_others_nothing_but_its_lease(directory_meeting: Meeting) -> None:
    times = 100
    processes = [directory_meeting.start("increment", times) for _ in range(3)]
    while directory_meeting.number() < 30:
        time.sleep(0.01)
    processes[0].kill()
    processes[0].wait()
    assert [says(process) for process in processes[1:]] == ["done", "done"]
    assert 2 * times <= directory_meeting.number() <= 3 * times
    assert directory_meeting.coordinator().coordinate("after", add_one) == directory_meeting.number()


@pytest.mark.slow
@pytest.mark.parametrize("work", ["stop-inside", "stop-inside-unaware"])
def test_a_holder_that_was_stopped_past_its_lease_writes_nothing(meeting: Meeting, work: str) -> None:
    coordinator = meeting.coordinator()
    holder = meeting.start(work)
    assert says(holder) == "inside"
    os.kill(holder.pid, signal.SIGSTOP)
    try:
        assert coordinator.coordinate("quicker", add_one) == 1
    finally:
        os.kill(holder.pid, signal.SIGCONT)
    let_go_on(holder)
    assert says(holder) == "COORDINATION_TIMEOUT"
    assert meeting.number() == 1
    operations = [
        change["data"]["operation"]
        for change in meeting.index().get_modification_history("counters")
        if change["operation"] == "COORDINATED"
    ]
    assert operations == ["quicker"]


@pytest.mark.slow
def test_a_holder_that_was_stopped_and_not_overtaken_still_commits(directory_meeting: Meeting) -> None:
    holder = directory_meeting.start("stop-inside-unaware")
    assert says(holder) == "inside"
    os.kill(holder.pid, signal.SIGSTOP)
    time.sleep(2 * LEASE_MS / 1000)
    assert not directory_meeting.index().is_locked("counters")
    os.kill(holder.pid, signal.SIGCONT)
    let_go_on(holder)
    assert says(holder) == "committed"
    assert directory_meeting.number() == 1


@pytest.mark.slow
def test_a_long_operation_keeps_its_lease(meeting: Meeting) -> None:
    holder = meeting.start("linger", 3)
    assert says(holder) == "inside"
    assert meeting.coordinator().coordinate("after", add_one) == 2, "it came after the one that lingered"
    assert says(holder) == "committed"
