"""Failed log-ins cost a growing wait; time is a number here."""

import pytest

from skerry.auth.login_throttle import DELAY_SECONDS_MAX, FORGIVEN_AFTER_SECONDS, FREE_FAILURES, LoginThrottle
from skerry.errors import AuthenticationFailedError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """Tries passwords at a throttle; counts those that were looked at."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.throttle = LoginThrottle(self.clock)
        self.looked_at = 0

    def try_password(self, address: str = "10.0.0.1", *, right: bool = False) -> bool:
        """Whether the password was looked at."""
        before = self.looked_at
        try:
            self.throttle.prove(address, lambda: self._prove(right=right))
        except AuthenticationFailedError:
            pass
        return self.looked_at > before

    def _prove(self, *, right: bool) -> None:
        self.looked_at += 1
        if not right:
            raise AuthenticationFailedError


def test_the_first_failures_are_free_and_then_the_wait_doubles() -> None:
    door = Door()
    assert all(door.try_password() for _ in range(FREE_FAILURES))
    for wait in (1, 2, 4, 8):
        door.clock.now += wait - 0.1
        assert not door.try_password()
        with pytest.raises(AuthenticationFailedError, match="too many attempts"):
            door.throttle.check("10.0.0.1")
        door.clock.now += 0.2
        door.throttle.check("10.0.0.1")
        assert door.try_password()


def test_the_wait_has_a_limit() -> None:
    door = Door()
    for _ in range(50):
        door.clock.now += 0.9 * FORGIVEN_AFTER_SECONDS
        door.try_password()
    door.clock.now += DELAY_SECONDS_MAX + 0.1
    assert door.try_password(right=True)


def test_an_attempt_within_the_wait_is_refused_even_with_the_right_password_and_does_not_lengthen_it() -> None:
    door = Door()
    for _ in range(FREE_FAILURES):
        door.try_password()
    assert not any(door.try_password(right=True) for _ in range(100))
    door.clock.now += 1.1
    assert door.try_password(right=True)


def test_other_addresses_do_not_wait() -> None:
    door = Door()
    for _ in range(FREE_FAILURES + 3):
        door.try_password("10.0.0.1")
    assert door.try_password("10.0.0.2", right=True)


def test_a_success_does_not_wipe_out_failures() -> None:
    door = Door()
    for _ in range(FREE_FAILURES - 1):
        door.try_password()
    assert door.try_password(right=True)
    assert door.try_password()
    assert not door.try_password(right=True)


def test_successes_never_cost_a_wait() -> None:
    door = Door()
    assert all(door.try_password(right=True) for _ in range(1000))


def test_failures_are_forgiven_one_by_one() -> None:
    door = Door()
    for _ in range(FREE_FAILURES):
        door.try_password()
    door.clock.now += 2 * FORGIVEN_AFTER_SECONDS
    assert door.try_password()
    assert door.try_password()
    assert not door.try_password()


def test_ever_new_addresses_do_not_fill_the_memory() -> None:
    door = Door()
    for number in range(10_100):
        door.try_password(str(number))
    assert len(door.throttle._failures) <= 10_000


def test_another_failure_of_the_proof_is_no_failed_log_in() -> None:
    door = Door()

    def broken() -> None:
        raise OSError("disk")

    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(OSError, match="disk"):
            door.throttle.prove("10.0.0.1", broken)
    assert door.try_password()
