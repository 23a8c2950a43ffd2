from skerry.sync.protocol.backoff import Backoff


def test_delays_double_up_to_the_ceiling_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(100, 1000, lambda: 1.0)
    assert [backoff.next_delay_ms() for _ in range(6)] == [100, 200, 400, 800, 1000, 1000]
    backoff.succeeded()
    assert backoff.next_delay_ms() == 100


def test_jitter_is_full_but_never_nothing() -> None:
    assert Backoff(100, 1000, lambda: 0.5).next_delay_ms() == 50
    assert Backoff(100, 1000, lambda: 0.0).next_delay_ms() == 10


def test_many_failures_do_not_overflow() -> None:
    assert Backoff(100, 1000, lambda: 1.0, failures=10_000).next_delay_ms() == 1000
