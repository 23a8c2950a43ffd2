"""Hybrid logical times: milliseconds that never stand still nor go back, comparable between nodes.

A stamp is one integer, milliseconds since 1970 << 16 | counter. Stamps decide only between writes that causality found
concurrent. Source: Kulkarni et al., "Logical Physical Clocks" (2014).
"""

from typing import Final

COUNTER_BITS: Final = 16
AHEAD_MS_MAX: Final = 60_000  # a stamp further in the hub's future is a wrong clock, not a late write


def stamp_at(wall_ms: int) -> int:
    """Return the first stamp of a millisecond."""
    return wall_ms << COUNTER_BITS


def stamp_of_cluster_time(time: int) -> int:
    """Return the stamp of a write of which only the cluster time (seconds << 32 | increment) is known."""
    return stamp_at((time >> 32) * 1000) | min(time & 0xFFFFFFFF, (1 << COUNTER_BITS) - 1)


def milliseconds_of(stamp: int) -> int:
    """Return the milliseconds since 1970 of a stamp."""
    return stamp >> COUNTER_BITS


def next_stamp(last: int, wall_ms: int) -> int:
    """Return the stamp of a new event that comes after everything stamped up to `last`."""
    return max(last + 1, stamp_at(wall_ms))


def corrected(stamp: int, offset_ms: int) -> int:
    """Return a local stamp on the hub's clock; `offset_ms` is hub minus local."""
    return max(0, stamp + (offset_ms << COUNTER_BITS if offset_ms >= 0 else -(-offset_ms << COUNTER_BITS)))


def clamped(stamp: int, hub_now_ms: int) -> int:
    """Return a stamp that claims no more than the hub's present, where it claims to be from too far ahead."""
    if milliseconds_of(stamp) > hub_now_ms + AHEAD_MS_MAX:
        return stamp_at(hub_now_ms)
    return stamp


def offset_ms(sent_ms: int, hub_ms: int, received_ms: int) -> int:
    """Estimate hub clock minus local clock from one round trip."""
    return hub_ms - (sent_ms + received_ms) // 2
