from skerry.sync.protocol import hybrid_clock as clock


def test_stamps_grow_even_when_the_clock_goes_back() -> None:
    first = clock.next_stamp(0, 1000)
    second = clock.next_stamp(first, 900)
    third = clock.next_stamp(second, 1001)
    assert first < second < third
    assert clock.milliseconds_of(second) == 1000
    assert clock.milliseconds_of(third) == 1001


def test_a_cluster_time_is_the_second_and_the_increment() -> None:
    stamp = clock.stamp_of_cluster_time(12 << 32 | 3)
    assert clock.milliseconds_of(stamp) == 12_000
    assert stamp > clock.stamp_of_cluster_time(12 << 32 | 2)
    assert clock.milliseconds_of(clock.stamp_of_cluster_time(12 << 32 | 0xFFFFFFFF)) == 12_000


def test_a_local_stamp_is_read_on_the_hubs_clock() -> None:
    stamp = clock.stamp_at(5000) + 7
    assert clock.corrected(stamp, 250) == clock.stamp_at(5250) + 7
    assert clock.corrected(stamp, -250) == clock.stamp_at(4750) + 7
    assert clock.corrected(0, -250) == 0


def test_a_stamp_from_the_future_counts_as_now() -> None:
    now_ms = 1_000_000
    assert clock.clamped(clock.stamp_at(now_ms + 59_000), now_ms) == clock.stamp_at(now_ms + 59_000)
    assert clock.clamped(clock.stamp_at(now_ms + 61_000), now_ms) == clock.stamp_at(now_ms)


def test_the_offset_is_taken_at_the_middle_of_the_round_trip() -> None:
    assert clock.offset_ms(1000, 1500, 1100) == 450
