"""How often somebody may try to log in: after a few failures from one address, or at one user, each further one costs a
growing wait.

An attempt within the wait is refused without a look at its password, so that guessing in parallel gains nothing; refusing holds
no thread, as a delayed answer would. A failure is forgiven after a while, and never by a success: whoever has one account may not
use it to guess at another.

Failures at a user count for whoever has failed as well, wherever the others came from: so many addresses have no more guesses at
one user than one of them. An address that has not failed is never refused, and the wait of one that has begins with its own last
failure: others' guesses at a user can neither lock him out nor prolong his wait.
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
_NAMES_MAX: Final = 10_000


class LoginThrottle:
    """Failures by address and by user. Shared by all connections of a node."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._addresses = _Failures()
        self._users = _Failures()

    def check(self, address: str, user: str | None = None) -> None:
        """Raise AuthenticationFailedError within a wait; `user` as far as it is known."""
        with self._lock:
            self._check(address, user, self._clock())

    def prove(self, address: str, user: str | None, prove: Callable[[], T]) -> T:
        """Return what `prove` returns; take note when it raises AuthenticationFailedError. Raises that within a wait as well.

        One proof at a time, which takes some 0.1 ms: otherwise as many guesses as there are connections would pass at once.
        """
        with self._lock:
            now = self._clock()
            self._check(address, user, now)
            try:
                return prove()
            except AuthenticationFailedError:
                self._addresses.add(address, now)
                if user is not None:
                    self._users.add(user, now)
                raise

    def _check(self, address: str, user: str | None, now: float) -> None:
        own = self._addresses.remaining(address, now)
        at_user = 0.0 if user is None or own <= 0 else self._users.remaining(user, now)
        failures = max(own, at_user)
        if failures < FREE_FAILURES:
            return
        delay = min(FIRST_DELAY_SECONDS * 2 ** min(failures - FREE_FAILURES, 30), DELAY_SECONDS_MAX)
        wait = self._addresses.last(address) + delay - now
        if wait > 0:
            where = "from this address" if own >= FREE_FAILURES else "at this user"
            raise AuthenticationFailedError(
                f"Authentication failed: too many attempts {where}, try again in {wait:.0f} s"
            )


class _Failures:
    """How many there were by somebody or something, and when the last one was."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[float, float]] = {}

    def add(self, name: str, now: float) -> None:
        failures = self.remaining(name, now)
        if len(self._of) >= _NAMES_MAX:
            self._forget(now)
        self._of.pop(name, None)
        self._of[name] = (failures + 1, now)

    def remaining(self, name: str, now: float) -> float:
        """Return how many are not forgiven."""
        failures, at = self._of.get(name, (0.0, now))
        return max(0.0, failures - (now - at) // FORGIVEN_AFTER_SECONDS)

    def last(self, name: str) -> float:
        return self._of[name][1]

    def _forget(self, now: float) -> None:
        """Drop what is forgiven; when that is nothing, the one whose last failure is the oldest."""
        for name in [each for each in self._of if self.remaining(each, now) <= 0]:
            del self._of[name]
        if len(self._of) >= _NAMES_MAX:
            del self._of[next(iter(self._of))]
