"""The numbers of a link under the names that the first designs of the sync gave them, and the report made of them."""

import time
from collections.abc import Mapping
from typing import Any

from skerry.admin import monitor
from skerry.admin.monitor import Finding, Observation
from skerry.admin.running_node import RunningNode
from skerry.sync import selection_override
from skerry.sync.replicator import Replicator
from skerry.sync.sync_health import LinkState, LinkStatus
from skerry.sync.sync_metrics import Durations

_CONNECTED = (LinkState.COPYING, LinkState.STREAMING)


def observed(node: RunningNode, replicator: Replicator) -> tuple[LinkStatus, Observation]:
    """Return the link's state now, and the same as the monitor judges it."""
    status = replicator.status()
    assert node.watch is not None
    return status, node.watch.observe(status)


def is_both_ways(replicator: Replicator) -> bool:
    """Whether changes of the hub are wanted, as far as the switch says."""
    link = replicator.link
    return link.read(lambda view: selection_override.load(view, link.name)).both_ways


def metrics(replicator: Replicator, status: LinkStatus, started_ms: int) -> dict[str, Any]:
    """Return the totals of both directions; times in milliseconds, since 1970 where they are moments.

    `queueUtilization` is the share of the limit of what may wait, 0 without a limit.
    """
    up, down = _directions(replicator, status)
    done, failed = up["successful"] + down["successful"], up["failed"] + down["failed"]
    durations = replicator.link.metrics.durations()
    return {
        "enabled": True,
        "running": status.state is not LinkState.STOPPED,
        "state": status.state.value,
        "totalOperations": done + failed,
        "successfulSyncs": done,
        "failedSyncs": failed,
        "successRate": done / (done + failed) if done + failed else None,
        "queueSize": status.dirty + status.in_flight,
        "queueWarningThreshold": monitor.QUEUE_DOCUMENTS_MAX,
        "queueUtilization": status.dirty_fullness,
        "avgSyncTime": _average_ms([durations[name] for name in ("push", "apply") if name in durations]),
        "lastSyncTimestamp": max((each.last_ms for each in durations.values()), default=None),
        "startTime": started_ms,
        "uptime": int(time.time() * 1000) - started_ms,
        "syncLag": status.oldest_dirty_ms or 0,
        "connections": {"local": True, "hub": status.state in _CONNECTED},
        "deadLetters": status.dead_letters,
        "quarantined": status.quarantined,
        "counters": status.counters,
    }


def directional_metrics(replicator: Replicator, status: LinkStatus, seen: Observation) -> dict[str, Any]:
    """Return the numbers of each direction, of conflicts and of the change stream."""
    up, down = _directions(replicator, status)
    counters = status.counters
    return {
        "enabled": is_both_ways(replicator),
        "localToHub": {**up, "lag": status.oldest_dirty_ms or 0, "queueSize": status.dirty + status.in_flight},
        "hubToLocal": {**down, "lag": status.stream_age_ms},
        "conflicts": {
            "total": counters.get("conflicts", 0),
            "kept": status.conflicts,
            "resolvedByLocal": counters.get("conflicts_won_by_local", 0),
            "resolvedByHub": counters.get("conflicts_won_by_remote", 0),
            "rate": monitor.rates(seen.counts).conflicts,
        },
        "changeStream": {"status": _stream(status), "opened": counters.get("stream_opened", 0), "error": status.error},
    }


def health(found: list[Finding], status: LinkStatus) -> dict[str, Any]:
    """Return how well the link is, and why."""
    return {
        "status": monitor.level_of(found).value,
        "state": status.state.value,
        "reasons": reasons(found),
    }


def reasons(found: list[Finding]) -> list[dict[str, str]]:
    """Return what is not well, each with advice."""
    return [
        {"kind": each.kind, "level": each.level.value, "message": each.message, "advice": each.advice} for each in found
    ]


def report(
    replicator: Replicator, status: LinkStatus, seen: Observation, waiting: Mapping[str, int], started_ms: int
) -> dict[str, Any]:
    """Return everything an operator reads at once; recommendations with their priority, the most urgent first."""
    found = monitor.findings(seen)
    shares = monitor.rates(seen.counts)
    return {
        "generatedAt": int(time.time() * 1000),
        "summary": {
            "link": status.link,
            "status": monitor.level_of(found).value,
            "state": status.state.value,
            "uptime": int(time.time() * 1000) - started_ms,
        },
        "metrics": metrics(replicator, status, started_ms),
        "directions": directional_metrics(replicator, status, seen),
        "recent": {
            "windowSeconds": 300,
            "counters": dict(seen.counts),
            "pushFailureRate": shares.push_failures,
            "pullFailureRate": shares.pull_failures,
            "conflictRate": shares.conflicts,
        },
        "health": health(found, status),
        "queue": {
            "size": seen.queue,
            "maxSize": replicator.link.limits.documents_max,
            "utilization": status.dirty_fullness,
            "byCollection": dict(waiting),
            "oldestAge": status.oldest_dirty_ms,
        },
        "recommendations": [
            {
                "priority": "high" if each.level is monitor.Level.UNHEALTHY else "medium",
                "kind": each.kind,
                "text": each.advice,
            }
            for each in found
        ],
    }


def _directions(replicator: Replicator, status: LinkStatus) -> tuple[dict[str, Any], dict[str, Any]]:
    counters, durations = status.counters, replicator.link.metrics.durations()
    up = _direction(counters, monitor.PUSHED, monitor.PUSH_FAILED, durations.get("push"))
    down = _direction(counters, monitor.PULLED, monitor.PULL_FAILED, durations.get("apply"))
    return up, down


def _direction(
    counters: Mapping[str, int], done: tuple[str, ...], failed: tuple[str, ...], took: Durations | None
) -> dict[str, Any]:
    successes, failures = (sum(counters.get(name, 0) for name in names) for names in (done, failed))
    return {
        "processed": successes + failures,
        "successful": successes,
        "failed": failures,
        "batches": 0 if took is None else took.count,
        "avgBatchTime": _average_ms([] if took is None else [took]),
        "lastSyncTimestamp": None if took is None else took.last_ms,
    }


def _average_ms(durations: list[Durations]) -> float | None:
    count = sum(each.count for each in durations)
    return sum(each.seconds for each in durations) * 1000 / count if count else None


def _stream(status: LinkStatus) -> str:
    if status.state in _CONNECTED:
        return "connected"
    return "reconnecting" if status.state in (LinkState.CONNECTING, LinkState.OFFLINE) else "disconnected"
