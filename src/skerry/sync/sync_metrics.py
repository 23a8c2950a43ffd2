"""What a link has done since it was started, counted."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class SyncMetrics:
    """Counters by name, each only growing; shared by the link's threads."""

    _counts: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, name: str, count: int = 1) -> None:
        """Count something; names are those of `snapshot`."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def snapshot(self) -> dict[str, int]:
        """Return the counters.

        `pushed`, `push_batches`, `push_left_out`, `push_retries`, `push_refused`, `fences`; `pulled_applied`, `pulled_merged`,
        `pulled_agreed`, `pulled_unchanged`, `pulled_skipped`, `echoes`, `conflicts`, `dead_letters`, `lookups`; `copied`,
        `stream_opened`, `history_lost`, `link_failures`.
        """
        with self._lock:
            return dict(self._counts)
