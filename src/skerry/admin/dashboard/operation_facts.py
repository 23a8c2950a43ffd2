"""Which commands are slow, from the histograms of the API."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from skerry.admin.dashboard.wording import count, duration, moment, share

SLOW_SECONDS: Final = 0.1
WAITING: Final = frozenset(("getMore", "hello", "isMaster", "ismaster"))
"""These wait for something to happen, when asked to; slow is what they are for."""


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """One command. `most` is the bound below which 99 of 100 stayed; `slow_share` took longer than `SLOW_SECONDS`."""

    command: str
    calls: str
    failed: str
    mean: str
    most: str
    slow: str
    slow_share: float
    waits: bool


def operation_facts(operations: Mapping[str, Any], bounds: Sequence[float]) -> list[OperationFacts]:
    """Return the commands by how much time went into the slow ones; `operations` and `bounds` as in `/api/status`."""
    found = [_facts(name, each, bounds) for name, each in operations.items() if each["count"]]
    totals = {name: each["seconds"] for name, each in operations.items()}
    return sorted(found, key=lambda each: (each.waits, -each.slow_share, -totals[each.command]))


def quantile(buckets: Sequence[int], bounds: Sequence[float], part: float) -> float | None:
    """Return the bound in seconds below which `part` of the observations lie; None when that is beyond the last."""
    wanted, seen = part * sum(buckets), 0
    for bound, number in zip(bounds, buckets, strict=False):
        seen += number
        if seen >= wanted:
            return bound
    return None


def _facts(name: str, each: Mapping[str, Any], bounds: Sequence[float]) -> OperationFacts:
    buckets, calls = each["buckets"], each["count"]
    slow = sum(buckets[index] for index in range(len(buckets)) if index == len(bounds) or bounds[index] > SLOW_SECONDS)
    most = quantile(buckets, bounds, 0.99)
    return OperationFacts(
        name,
        count(calls),
        count(each["failed"]),
        duration(each["seconds"] * 1000 / calls),
        f"> {duration(bounds[-1] * 1000)}" if most is None else f"≤ {duration(most * 1000)}",
        f"{count(slow)} ({share(slow / calls)})" if slow else "none",
        slow / calls,
        name in WAITING,
    )


@dataclass(frozen=True, slots=True)
class SlowFacts:
    """One slow operation as the page shows it; `shape` is the command without values, as JSON."""

    when: str
    command: str
    took: str
    plan: str
    examined: str
    returned: str
    shape: str


def slow_facts(operations: Sequence[Mapping[str, Any]]) -> list[SlowFacts]:
    """Return the operations of `/api/operations/slow` in words, in their order."""
    return [
        SlowFacts(
            moment(each["at_ms"]),
            f"{each['command']} {each['namespace']}" + (f" (error {each['error_code']})" if each["error_code"] else ""),
            duration(each["duration_ms"]),
            each["plan_summary"] or "none",
            f"{count(each['docs_examined'])} documents, {count(each['keys_examined'])} keys",
            count(each["returned"]),
            json.dumps(each["shape"], ensure_ascii=False),
        )
        for each in operations
    ]
