"""How long to wait before the next attempt: doubling, with full jitter and a ceiling.

Full jitter (uniform between zero and the doubled delay) spreads the edges of a hub that comes back; source: AWS Architecture
Blog, "Exponential Backoff And Jitter".
"""

from collections.abc import Callable
from dataclasses import dataclass

_DOUBLINGS_MAX = 32


@dataclass(slots=True)
class Backoff:
    """Counts failures in a row; `uniform` gives numbers in [0, 1)."""

    delay_ms_min: int
    delay_ms_max: int
    uniform: Callable[[], float]
    failures: int = 0

    def ceiling_ms(self) -> int:
        """The longest the next wait can be."""
        return min(self.delay_ms_max, self.delay_ms_min << min(self.failures, _DOUBLINGS_MAX))

    def next_delay_ms(self) -> int:
        """Note a failure and return how long to wait, never less than a tenth of the ceiling, so that no storm arises."""
        ceiling = self.ceiling_ms()
        self.failures += 1
        return max(ceiling // 10, int(self.uniform() * ceiling))

    def succeeded(self) -> None:
        """Begin anew with the shortest delay."""
        self.failures = 0
