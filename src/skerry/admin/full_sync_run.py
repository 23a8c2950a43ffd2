"""A full sync as an operator sees it: asked for, how far it has come, and what was changed since."""

import threading
import time
from typing import Any, Final, Literal

from skerry.admin.monitor import growth
from skerry.admin.responses import Answer, ApiError
from skerry.sync import link_records
from skerry.sync.replicator import Replicator
from skerry.sync.sync_health import LinkState

_CHANGES: Final = ("pulled_applied", "pulled_merged", "pushed", "conflicts", "dead_letters", "push_refused")


class FullSyncProgress(Answer):
    """`progress` is between 0 and 1; `changes` are those since the start, also by the stream and by local writes meanwhile."""

    state: Literal["idle", "running", "done"]
    reason: str | None
    started_ms: int | None
    ended_ms: int | None
    collections_done: list[str]
    collections_pending: list[str]
    progress: float
    changes: dict[str, int]


class FullSyncRuns:
    """Remembers the last full sync that was asked for here. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_ms: int | None = None
        self._ended_ms: int | None = None
        self._counters: dict[str, int] = {}

    def start(self, replicator: Replicator) -> None:
        """Ask for a full sync. Raises `ApiError` 409 while one is under way, and while the hub is out of reach."""
        with self._lock:
            is_wanted = replicator.is_full_sync_wanted  # asked before the status: what is wanted is copied next
            status = replicator.status()
            if is_wanted or status.copying:
                raise ApiError(409, "full_sync_running", "a full sync is under way")
            if status.state is not LinkState.STREAMING:
                message = f"the link is {status.state.value}: a full sync needs the hub"
                raise ApiError(409, "hub_away", message)
            self._counters = status.counters
            self._started_ms, self._ended_ms = _now_ms(), None
            replicator.full_sync()

    def progress(self, replicator: Replicator) -> dict[str, Any]:
        """Return the fields of `FullSyncProgress`."""
        link = replicator.link
        is_wanted = replicator.is_full_sync_wanted  # asked before the status: what is wanted is copied next
        status = replicator.status()
        with link.storage.read() as view:
            record = link_records.load(view, link.name, link_records.COPY) or {
                "pending": [],
                "complete": {},
                "reason": "",
            }
        is_running = is_wanted or bool(status.copying)
        with self._lock:
            if not is_running and self._started_ms is not None and self._ended_ms is None:
                self._ended_ms = _now_ms()
            started, ended = self._started_ms, self._ended_ms
            grown = growth(self._counters, status.counters) if started is not None else {}
        done, pending = sorted(record["complete"]), list(record["pending"])
        return {
            "state": "running" if is_running else "idle" if started is None else "done",
            "reason": record["reason"] if is_running else None,
            "started_ms": started,
            "ended_ms": ended,
            "collections_done": done,
            "collections_pending": pending,
            "progress": 1.0 if not (done or pending) else len(done) / (len(done) + len(pending)),
            "changes": {name: grown.get(name, 0) for name in _CHANGES},
        }


def _now_ms() -> int:
    return int(time.time() * 1000)
