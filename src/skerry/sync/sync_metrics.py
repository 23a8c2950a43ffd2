"""What a link has done since it was started, counted and timed."""

import time
from bisect import bisect_left
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

SECONDS_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took: `buckets[i]` times at most `SECONDS_BOUNDS[i]` and more than the bound before it.

    The last bucket holds what took longer than all bounds. `last_ms`, since 1970, is when it was done last.
    """

    count: int = 0
    seconds: float = 0.0
    buckets: tuple[int, ...] = (0,) * (len(SECONDS_BOUNDS) + 1)
    last_ms: int = 0

    def with_one(self, seconds: float, now_ms: int) -> "Durations":
        place = bisect_left(SECONDS_BOUNDS, seconds)
        buckets = (*self.buckets[:place], self.buckets[place] + 1, *self.buckets[place + 1 :])
        return Durations(self.count + 1, self.seconds + seconds, buckets, now_ms)


@dataclass(slots=True)
class SyncMetrics:
    """Counters by name, each only growing; shared by the link's threads."""

    _counts: dict[str, int] = field(default_factory=dict)
    _durations: dict[str, Durations] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, name: str, count: int = 1) -> None:
        """Count something; names are those of `snapshot`."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def observe(self, name: str, seconds: float) -> None:
        """Note how long a batch took: `push` to the hub and back, `apply` of the hub's events here."""
        with self._lock:
            self._durations[name] = self._durations.get(name, Durations()).with_one(seconds, int(time.time() * 1000))

    def snapshot(self) -> dict[str, int]:
        """Return the counters.

        `pushed`, `push_batches`, `push_left_out`, `push_retries`, `push_refused`, `transactions_split`, `fences`;
        `pulled_applied`, `pulled_merged`, `pulled_agreed`, `pulled_unchanged`, `pulled_skipped`, `pulled_recognised`,
        `captured_late`, `found_here`, `echoes`, `conflicts`, `conflicts_won_by_local` and `…_remote`, `dead_letters`,
        `lookups`; `stream_opened`, `history_lost`, `link_failures`.
        """
        with self._lock:
            return dict(self._counts)

    def durations(self) -> dict[str, Durations]:
        """Return what was timed, by name."""
        with self._lock:
            return dict(self._durations)
