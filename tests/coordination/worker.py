"""A program that coordinates: one of the processes of these tests.

`python worker.py DOOR TARGET WHAT [NUMBER]`, where DOOR is "connect" (TARGET is a directory), "server" or "mongo-index" (TARGET
is a URI). It says on standard output what the tests wait for.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient

import skerry
from skerry import CollectionCoordinator, MasterIndex, MongoIndexStore
from skerry.catalog.coordinated_operation import CoordinatedOperation
from skerry.errors import CoordinationError

LEASE_MS = 400
CALM_LEASE_MS = 3000
"""Long enough for a process that a busy machine does not let run for a while."""
DATABASE = "shop"


def say(word: str) -> None:
    """Tell the test."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def coordinator_of(door: str, target: str, **options: Any) -> CollectionCoordinator:
    """A coordinator of `shop.counters` through a door."""
    client: MongoClient[Any] = skerry.connect(target) if door == "connect" else MongoClient(target)
    database = client[DATABASE]
    index = MasterIndex(MongoIndexStore(database) if door == "mongo-index" else database)
    return CollectionCoordinator(database["counters"], index, **options)


def add_one(operation: CoordinatedOperation) -> int:
    """Read, then write what was read plus one: loses counts when two do it at once."""
    found = operation.collection.find_one({"_id": "n"}, session=operation.session)
    number = found["number"] + 1 if found else 1
    operation.collection.replace_one(
        {"_id": "n"}, {"_id": "n", "number": number}, upsert=True, session=operation.session
    )
    return int(number)


def increment(coordinator: CollectionCoordinator, times: int) -> None:
    """Add one, many times."""
    for _ in range(times):
        coordinator.coordinate("increment", add_one)
    say("done")


def stop_inside(coordinator: CollectionCoordinator, _times: int) -> None:
    """Write, say so, and wait for a line before the end of the operation; tell how it ended."""

    def work(operation: CoordinatedOperation) -> None:
        add_one(operation)
        say("inside")
        sys.stdin.readline()

    try:
        coordinator.coordinate("stop inside", work)
    except CoordinationError as error:
        say(error.code)
    else:
        say("committed")


def stop_inside_unaware(coordinator: CollectionCoordinator, times: int) -> None:
    """As `stop_inside`, but without anybody to notice that the lease is lost: only the commit can refuse."""
    coordinator._keeper.watch = lambda _operation: None  # type: ignore[method-assign]
    stop_inside(coordinator, times)


def linger(coordinator: CollectionCoordinator, times: int) -> None:
    """Stay inside for several leases."""

    def work(operation: CoordinatedOperation) -> None:
        say("inside")
        for _ in range(times):
            time.sleep(LEASE_MS / 1000)
            operation.check()
        add_one(operation)

    coordinator.coordinate("linger", work)
    say("committed")


WORK: dict[str, Callable[[CollectionCoordinator, int], None]] = {
    "increment": increment,
    "linger": linger,
    "stop-inside": stop_inside,
    "stop-inside-unaware": stop_inside_unaware,
}

if __name__ == "__main__":
    _, door, target, what, *rest = sys.argv
    lease_ms = CALM_LEASE_MS if what == "increment" else LEASE_MS
    WORK[what](coordinator_of(door, target, lease_ms=lease_ms), int(rest[0]) if rest else 0)
