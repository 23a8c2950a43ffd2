"""What the page of full sync and verify says, from the answers of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.admin.dashboard.wording import as_text, duration, moment, plural

_CHANGES: Final = {
    "pulled_applied": "taken from the hub",
    "pulled_merged": "merged",
    "pushed": "sent to the hub",
    "conflicts": "conflicts",
    "dead_letters": "dead letters",
    "push_refused": "refused by the hub",
}

_TONES: Final = {"done": "positive", "cancelled": "grey"}


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run: its state, how far it has come (0 to 1), sentences about it, and differences as (collection, `_id`, kind)."""

    state: str
    is_running: bool
    progress: float
    lines: tuple[str, ...]
    tone: str
    differences: tuple[tuple[str, str, str], ...] = ()


def full_sync_facts(full: Mapping[str, Any]) -> RunFacts:
    """Return what to say of `/api/sync/full`."""
    is_running = full["state"] == "running"
    done, pending = len(full["collections_done"]), len(full["collections_pending"])
    lines = [_when(full)]
    if is_running:
        lines.append(f"{done} of {plural(done + pending, 'collection')} compared")
        if full["reason"]:
            lines.append(f"Reason: {full['reason']}")
    if full["started_ms"] is not None:
        changes = [f"{number} {_CHANGES[name]}" for name, number in full["changes"].items() if number]
        lines.append("Since it began: " + (", ".join(changes) or "nothing had to be changed"))
    progress = full["progress"] if is_running or full["state"] == "done" else 0.0
    return RunFacts(
        full["state"], is_running, progress, tuple(lines), "positive" if full["state"] == "done" else "info"
    )


def verify_facts(verify: Mapping[str, Any]) -> RunFacts:
    """Return what to say of `/api/sync/verify`."""
    state, total, done = verify["state"], verify["collections"], verify["collections_done"]
    lines = [_when(verify)]
    if state != "idle":
        lines.append(f"{done} of {plural(total, 'collection')} compared")
    if verify["collection"]:
        lines.append(f"Now: {verify['collection']}")
    if state != "idle":
        kinds = ", ".join(f"{number} {kind}" for kind, number in verify["by_kind"].items())
        found = plural(verify["differences"], "difference")
        lines.append(
            f"{found}: {kinds}" if kinds else "No difference found" if state == "done" else "No difference yet"
        )
    if verify["error"]:
        lines.append(verify["error"])
    tone = "negative" if state == "failed" else "warning" if verify["differences"] else _TONES.get(state, "info")
    shown = tuple((each["namespace"], as_text(each["id"]), each["kind"]) for each in verify["shown"][:100])
    progress = done / total if total else float(state == "done")
    return RunFacts(state, state == "running", progress, tuple(lines), tone, shown)


def _when(run: Mapping[str, Any]) -> str:
    started, ended = run["started_ms"], run["ended_ms"]
    if started is None:
        return (
            "Under way since the link started" if run["state"] == "running" else "Not asked for since the node started"
        )
    if ended is None:
        return f"Began {moment(started)} UTC"
    return f"Began {moment(started)} UTC, took {duration(ended - started)}"
