"""How many wrong tokens an address may bring."""

from skerry.admin.failure_limit import ADDRESSES_MAX, FAILURES_MAX, WINDOW_SECONDS, FailureLimit


def fail(limit: FailureLimit, times: int, *, address: str = "a", at: float = 0.0) -> None:
    for _ in range(times):
        limit.failed(address, at)


def test_an_address_waits_after_the_last_failure_that_is_allowed() -> None:
    limit = FailureLimit()
    fail(limit, FAILURES_MAX - 1)
    assert limit.wait_seconds("a", 1.0) == 0
    fail(limit, 1)
    assert limit.wait_seconds("a", 1.0) == WINDOW_SECONDS - 1.0
    assert limit.wait_seconds("b", 1.0) == 0


def test_the_wait_ends_with_the_window() -> None:
    limit = FailureLimit()
    fail(limit, FAILURES_MAX)
    assert limit.wait_seconds("a", WINDOW_SECONDS - 0.5) == 0.5
    assert limit.wait_seconds("a", WINDOW_SECONDS) == 0


def test_only_so_many_addresses_are_remembered_and_the_latest_are_kept() -> None:
    limit = FailureLimit()
    fail(limit, FAILURES_MAX, address="first")
    for number in range(ADDRESSES_MAX):
        limit.failed(f"n{number}", 1.0)
    assert limit.wait_seconds("first", 1.0) == 0
    fail(limit, FAILURES_MAX - 1, address=f"n{ADDRESSES_MAX - 1}", at=1.0)
    assert limit.wait_seconds(f"n{ADDRESSES_MAX - 1}", 1.0) > 0
