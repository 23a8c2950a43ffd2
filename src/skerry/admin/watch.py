"""Looks at a link every few seconds, remembers a window of what it counted, and logs what is not well."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from skerry.admin.monitor import CoolDown, Finding, Observation, findings, growth
from skerry.sync.replicator import Replicator
from skerry.sync.sync_health import LinkStatus

LOG: Final = logging.getLogger("skerry.sync")

INTERVAL_SECONDS: Final = 5.0
WINDOW_SECONDS: Final = 300.0


class SyncWatch:
    """One thread beside a link, from `start` to `stop`; `observe` may be called from any thread.

    `replicator` is asked each time, as the link may have been started anew.
    """

    def __init__(self, replicator: Callable[[], Replicator | None]) -> None:
        self._replicator = replicator
        self._samples: deque[tuple[float, dict[str, int]]] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._cool_down = CoolDown()
        self._thread = threading.Thread(target=self._run, name="skerry-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def observe(self, status: LinkStatus) -> Observation:
        """Return what `status` says, with the counters' growth within the window."""
        with self._lock:
            earlier = self._samples[0][1] if self._samples else {}
        replicator = self._replicator()
        assert replicator is not None
        selection = replicator.link.selection
        return Observation(
            state=status.state,
            pulls=any(rule.direction.value in ("both", "pull") for rule in selection.rules),
            error=status.error,
            queue=status.dirty + status.in_flight,
            push_lag_ms=status.oldest_dirty_ms,
            pull_lag_ms=status.stream_age_ms,
            quarantined=status.quarantined,
            dead_letters=status.dead_letters,
            frozen=tuple(status.frozen),
            switched_by=None if status.switched is None else status.switched.by,
            counts=growth(earlier, status.counters),
        )

    def look(self, now_seconds: float) -> list[Finding]:
        """Take a sample; return the findings that were logged."""
        replicator = self._replicator()
        if replicator is None:
            return []
        status = replicator.status()
        due = self._cool_down.due(findings(self.observe(status)), now_seconds)
        for finding in due:
            told = (status.link, finding.level.value, finding.message, finding.advice)
            LOG.warning("link %s is %s: %s (%s)", *told, extra={"link": status.link})
        with self._lock:
            self._samples.append((now_seconds, status.counters))
            while now_seconds - self._samples[0][0] > WINDOW_SECONDS:
                self._samples.popleft()
        return due

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_SECONDS):
            try:
                self.look(time.monotonic())
            except Exception:  # a look that fails must not end the watch
                LOG.exception("the link could not be looked at")
