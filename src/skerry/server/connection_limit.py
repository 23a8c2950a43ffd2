"""Which connection ends when there are as many as there may be and one more comes: nobody keeps others out by holding many."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from skerry.auth.fair_share import FairShare


class Endable(Protocol):
    """What is asked of a connection: where its client is, when he last said something, and whether he has not logged in."""

    host: str
    last_used: float

    @property
    def is_of_stranger(self) -> bool: ...

    @property
    def is_ending(self) -> bool: ...


C = TypeVar("C", bound=Endable)


def connection_to_end(connections: Sequence[C], newcomer: str) -> C | None:
    """Return the connection that gives way to one from the host `newcomer`, None when the newcomer is to be refused.

    A stranger's goes first, then one of the host that has the most; of several the one that was silent for the longest.
    """
    staying = [each for each in connections if not each.is_ending]  # one that ends has made room once already
    strangers = [each for each in staying if each.is_of_stranger]
    if strangers:
        return min(strangers, key=lambda each: each.last_used)
    share: FairShare[str] = FairShare(len(staying))
    for each in staying:
        share.take(each.host)
    holder = share.must_yield(newcomer)
    if holder is None or holder == newcomer:
        return None
    return min((each for each in staying if each.host == holder), key=lambda each: each.last_used)
