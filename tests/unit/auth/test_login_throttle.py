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

    def try_password(self, address: str = "10.0.0.1", user: str | None = None, *, right: bool = False) -> bool:
        """Whether the password was looked at."""
        before = self.looked_at
        try:
            self.throttle.prove(address, user, lambda: self._prove(right=right))
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


def test_many_addresses_have_no_more_guesses_at_one_user_than_one_has() -> None:
    door = Door()
    assert all(door.try_password(f"10.0.0.{number}", "ann") for number in range(20))
    assert not any(door.try_password(f"10.0.0.{number}", "ann") for number in range(20))
    with pytest.raises(AuthenticationFailedError, match="at this user"):
        door.throttle.check("10.0.0.1", "ann")
    assert door.try_password("10.0.0.1", "bob")


def test_however_many_guess_the_right_password_is_taken_from_an_address_that_has_not_failed() -> None:
    door = Door()
    for number in range(1000):
        door.try_password(f"10.0.{number // 250}.{number % 250}", "ann")
    assert door.try_password("192.168.0.1", "ann", right=True)


def test_others_guesses_do_not_prolong_the_wait_of_an_address_that_has_failed_once() -> None:
    door = Door()
    door.try_password("192.168.0.1", "ann")
    for number in range(200):
        door.try_password(f"10.0.0.{number}", "ann")
    assert not door.try_password("192.168.0.1", "ann", right=True)
    for number in range(30):
        door.clock.now += 2.0
        door.try_password(f"10.0.1.{number}", "ann")
    door.clock.now += 0.1
    assert door.try_password("192.168.0.1", "ann", right=True)


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
        door.try_password("10.0.0.1", f"user {number}")
        door.clock.now += 61.0
    assert len(door.throttle._addresses._of) <= 10_000
    assert len(door.throttle._users._of) <= 10_000


def test_another_failure_of_the_proof_is_no_failed_log_in() -> None:
    door = Door()

    def broken() -> None:
        raise OSError("disk")

    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(OSError, match="disk"):
            door.throttle.prove("10.0.0.1", None, broken)
    assert door.try_password()
