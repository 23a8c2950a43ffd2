"""What a hub can do, and which tier of the protocol follows from it.

A and B: every push is one transaction on the hub, led by a marker. C: the hub has change streams but no transactions, so each
document is written under a guard, compared there with what has just been read. D: no change streams either, so both sides are
compared from time to time. In C and D an answer that got lost, or a batch of which only a part was
taken, leaves open what the hub has had for a moment. That is remembered and known again, in the stream or by the fields that are
left of it. Where it is not (nothing is left, and no stream brings it), one change looks like two: a conflict may be logged where
there is none, and the older of them may win it. A counter may count once more, or once less where two sides count to the same
number at the same time. A write that arrives after its sender has looked can undo a later one that had
brought back exactly the content of before; all other versions survive or are in the conflict log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WIRE_VERSION_OF_4_2: Final = 8  # the first with `startAfter`
WIRE_VERSION_OF_4_4: Final = 9  # the first where a transaction may create a collection
_WIRE_VERSION_OF_6_0: Final = 17
HEADROOM_MIN: Final = 0.5  # of the hub's history


class Tier(StrEnum):
    """How much of the protocol a hub carries."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @property
    def has_transactions(self) -> bool:
        """Whether a batch is one transaction."""
        return self in (Tier.A, Tier.B)

    @property
    def has_streams(self) -> bool:
        """Whether the hub tells of its changes."""
        return self is not Tier.D


def tier_of(*, transactions: bool, streams: bool, wire_version: int) -> Tier:
    """Return the tier of a hub that was found to have these."""
    if not streams:
        return Tier.D
    if not transactions:
        return Tier.C
    return Tier.A if wire_version >= _WIRE_VERSION_OF_6_0 else Tier.B


# Illegal operation, unknown command, unrecognised stage or option, not supported: what servers without the feature answer.
_LACKING: Final = frozenset({2, 9, 20, 59, 72, 115, 238, 263, 303, 304, 40324, 40415, 40573, 40602})


def lacks_feature(code: int | None, labels: Iterable[str]) -> bool:
    """Whether an error of a probe says that the hub does not know the thing; anything else is trouble of another kind."""
    return code in _LACKING and "TransientTransactionError" not in set(labels)


@dataclass(frozen=True, slots=True)
class Headroom:
    """How far the hub's history reaches back; times in seconds of the hub's clock. `place` is where the link has come to."""

    first: int
    last: int
    place: int

    @property
    def seconds(self) -> int:
        """How much of the history before the link's place is left; negative: the place is gone."""
        return self.place - self.first

    def is_low(self, *, patience_seconds: int) -> bool:
        """Whether too little is left for a link that is further behind than it is on a quiet day."""
        return self.last - self.place > patience_seconds and self.seconds < HEADROOM_MIN * (self.last - self.first)
