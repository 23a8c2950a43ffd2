"""How often somebody may try to log in: after a few failures from one address each further one costs a growing wait.

An attempt within the wait is refused without a look at its password, so that guessing in parallel gains nothing; refusing holds
no thread, as a delayed answer would. A failure is forgiven after a while, and never by a success: whoever has one account may not
use it to guess at another.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from skerry.errors import AuthenticationFailedError

T = TypeVar("T")

FREE_FAILURES: Final = 5
FIRST_DELAY_SECONDS: Final = 1.0
DELAY_SECONDS_MAX: Final = 60.0
FORGIVEN_AFTER_SECONDS: Final = 60.0
"""One failure is forgiven each time so much has passed."""
_ADDRESSES_MAX: Final = 10_000


class LoginThrottle:
    """Failures by address. Shared by all connections of a node."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[float, float]] = {}  # how many, and when the last one was

    def check(self, address: str) -> None:
        """Raise AuthenticationFailedError within a wait."""
        with self._lock:
            self._check(address, self._clock())

    def prove(self, address: str, prove: Callable[[], T]) -> T:
        """Return what `prove` returns; take note when it raises AuthenticationFailedError. Raises that within a wait as well.

        One proof at a time, which takes some 0.1 ms: otherwise as many guesses as there are connections would pass at once.
        """
        with self._lock:
            now = self._clock()
            self._check(address, now)
            try:
                return prove()
            except AuthenticationFailedError:
                self._failed(address, now)
                raise

    def _check(self, address: str, now: float) -> None:
        failures = self._remaining(address, now)
        if failures < FREE_FAILURES:
            return
        delay = min(FIRST_DELAY_SECONDS * 2 ** min(failures - FREE_FAILURES, 30), DELAY_SECONDS_MAX)
        wait = self._failures[address][1] + delay - now
        if wait > 0:
            raise AuthenticationFailedError(
                f"Authentication failed: too many attempts from this address, try again in {wait:.0f} s"
            )

    def _failed(self, address: str, now: float) -> None:
        failures = self._remaining(address, now)
        if len(self._failures) >= _ADDRESSES_MAX:
            self._forget(now)
        self._failures.pop(address, None)
        self._failures[address] = (failures + 1, now)

    def _remaining(self, address: str, now: float) -> float:
        failures, at = self._failures.get(address, (0.0, now))
        return max(0.0, failures - (now - at) // FORGIVEN_AFTER_SECONDS)

    def _forget(self, now: float) -> None:
        """Drop what is forgiven; when that is nothing, the address whose last failure is the oldest."""
        for address in [each for each in self._failures if self._remaining(each, now) <= 0]:
            del self._failures[address]
        if len(self._failures) >= _ADDRESSES_MAX:
            del self._failures[next(iter(self._failures))]
