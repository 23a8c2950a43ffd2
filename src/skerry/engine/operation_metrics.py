"""How many operations there were, by command, how many failed and how long they took."""

import threading
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

SECONDS_BOUNDS: Final = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
COMMANDS_MAX: Final = 200  # names come from clients; what is beyond counts as "other"
OTHER: Final = "other"


@dataclass(slots=True)
class OperationTotals:
    """One command since the start: `buckets[i]` times at most `SECONDS_BOUNDS[i]` and more than the bound before it.

    The last bucket holds what took longer than all bounds.
    """

    count: int = 0
    failed: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(SECONDS_BOUNDS) + 1))


class OperationMetrics:
    """Counted by the threads of all connections."""

    def __init__(self) -> None:
        self._totals: dict[str, OperationTotals] = {}
        self._lock = threading.Lock()

    def observe(self, command: str, seconds: float) -> None:
        """Count an operation that took `seconds`."""
        place = bisect_left(SECONDS_BOUNDS, seconds)
        with self._lock:
            totals = self._of(command)
            totals.count += 1
            totals.seconds += seconds
            totals.buckets[place] += 1

    def failed(self, command: str) -> None:
        """Count that an operation, which is or will be counted itself, was answered with an error."""
        with self._lock:
            self._of(command).failed += 1

    def snapshot(self) -> dict[str, OperationTotals]:
        """Return the totals by command, in alphabetical order."""
        with self._lock:
            return {
                name: OperationTotals(each.count, each.failed, each.seconds, list(each.buckets))
                for name, each in sorted(self._totals.items())
            }

    def _of(self, command: str) -> OperationTotals:
        totals = self._totals.get(command)
        if totals is None:
            if len(self._totals) >= COMMANDS_MAX:
                command = OTHER
            totals = self._totals.setdefault(command, OperationTotals())
        return totals
