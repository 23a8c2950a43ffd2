"""How often an address may come with a wrong token before it has to wait. Pure: the caller brings the time.

Whoever shares an address with somebody who guesses (a proxy's, the loopback) is not locked out with him: a token that has been
right before is no guess, and the caller lets it pass.
"""

from typing import Final

FAILURES_MAX: Final = 10
WINDOW_SECONDS: Final = 60.0
ADDRESSES_MAX: Final = 10_000


class FailureLimit:
    """Failures by address within a window; while there are too many, no token is looked at. One thread."""

    def __init__(self) -> None:
        self._failures: dict[str, list[float]] = {}

    def wait_seconds(self, address: str, now_seconds: float) -> float:
        """Return how long `address` has to wait, 0 when it may try."""
        recent = self._recent(address, now_seconds)
        return WINDOW_SECONDS - (now_seconds - recent[-FAILURES_MAX]) if len(recent) >= FAILURES_MAX else 0.0

    def failed(self, address: str, now_seconds: float) -> None:
        """Note a wrong token."""
        recent = self._recent(address, now_seconds)
        self._failures.pop(address, None)  # so that the order is that of the latest failure
        self._failures[address] = [*recent[-FAILURES_MAX:], now_seconds]
        if len(self._failures) > ADDRESSES_MAX:
            del self._failures[next(iter(self._failures))]

    def _recent(self, address: str, now_seconds: float) -> list[float]:
        return [at for at in self._failures.get(address, ()) if now_seconds - at < WINDOW_SECONDS]
