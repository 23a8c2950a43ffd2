"""What the overview says of a link, from the answers of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.admin.dashboard.wording import NOTHING, count, duration, plural, share

TONES: Final = {"healthy": "positive", "degraded": "warning", "unhealthy": "negative"}
_STATES: Final = {
    "stopped": "stopped",
    "connecting": "connecting",
    "copying": "comparing",
    "streaming": "following the hub",
    "offline": "hub out of reach",
    "paused": "paused",
    "standby": "another process runs it",
    "refused": "refused by the hub",
}
_TIERS: Final = {
    "A": "A: change streams and transactions",
    "B": "B: change streams and transactions, older than 6.0",
    "C": "C: change streams, no transactions",
    "D": "D: no change streams, compared from time to time",
}


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """`facts` are pairs of a label and a value; `reasons` of a sentence and what to do."""

    name: str
    state: str
    health: str
    tone: str
    facts: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    can_pause: bool
    can_resume: bool
    can_start: bool
    can_stop: bool


@dataclass(frozen=True, slots=True)
class LinkIsOff:
    """Why there is no link: `title` and `text`, for a notice."""

    title: str
    text: str


def link_is_off(fault: Mapping[str, str] | None) -> LinkIsOff:
    """Return what to show instead of a link; `fault` is `sync_fault` of `/api/status`."""
    if fault is None:
        return LinkIsOff("No link", "This node has no hub. Start it with --hub and --sync to keep in step with one.")
    return LinkIsOff("The link is off", f"{fault['message']}. What to do: {fault['advice']}.")


def link_facts(sync: Mapping[str, Any], directions: Mapping[str, Any]) -> LinkFacts:
    """Return what to show; `sync` as in `/api/status`, `directions` as in `/api/sync/bidirectional/metrics`."""
    health, state = sync["health"], sync["state"]
    up, down, conflicts = directions["localToHub"], directions["hubToLocal"], directions["conflicts"]
    waiting = sync["dirty"] + sync["in_flight"]
    headroom = sync.get("history_headroom_seconds")
    facts = (
        ("Waiting to be sent", plural(waiting, "document")),
        ("Oldest waiting write", duration(sync["oldest_dirty_ms"]) if waiting else "none"),
        ("Hub last heard", NOTHING if sync["stream_age_ms"] is None else f"{duration(sync['stream_age_ms'])} ago"),
        ("Sent since the start", _direction(up)),
        ("Taken since the start", _direction(down)),
        ("Both ways", "on" if directions["enabled"] else "off: nothing comes down"),
        ("Conflicts kept", count(conflicts["kept"])),
        ("Recent conflict rate", share(conflicts["rate"])),
        ("Dead letters, refused", f"{count(sync['dead_letters'])}, {count(sync['quarantined'])}"),
        ("Hub tier", _TIERS.get(sync["tier"] or "", sync["tier"] or "not asked yet")),
        ("Headroom of the hub's history", NOTHING if headroom is None else duration(headroom * 1000)),
    )
    reasons = [(each["message"], each["advice"]) for each in health["reasons"]]
    known = " ".join(message for message, _ in reasons)
    if sync["history_is_short"]:
        reasons.append(
            ("the hub's history is short", "make the hub's oplog larger, or this node will compare everything anew")
        )
    if sync["error"] and sync["error"] not in known:
        reasons.append((sync["error"], "it is tried again by itself"))
    return LinkFacts(
        name=sync["link"],
        state=_STATES.get(state, state),
        health=health["status"],
        tone=TONES[health["status"]],
        facts=facts,
        reasons=tuple(reasons),
        can_pause=state not in ("stopped", "paused", "standby", "refused"),
        can_resume=state in ("paused", "refused", "offline"),
        can_start=state == "stopped",
        can_stop=state != "stopped",
    )


def node_facts(status: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what the overview says of the node itself, from `/api/status`."""
    operations = sum(each["count"] for each in status["operations"].values())
    failed = sum(each["failed"] for each in status["operations"].values())
    span = status["oplog_span_seconds"]
    return (
        ("Version", status["version"]),
        ("Running for", duration(status["uptime_ms"])),
        ("Connections", count(status["connections"])),
        ("Operations", f"{count(operations)}, {count(failed)} failed"),
        ("Cursors, transactions", f"{count(status['cursors'])}, {count(status['transactions'])}"),
        ("Oplog reaches back", NOTHING if span is None else duration(span * 1000)),
    )


def _direction(numbers: Mapping[str, Any]) -> str:
    failed = f", {count(numbers['failed'])} refused" if numbers["failed"] else ""
    return f"{count(numbers['successful'])}{failed}"
