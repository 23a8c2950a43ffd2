"""Who gets one of a limited number of places when all are taken: nobody can keep others out by taking many.

Whoever holds the most gives one up to somebody who holds fewer; somebody who holds as many himself is refused.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class FairShare(Generic[K]):
    """Counts the places of each holder; the caller locks."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._held: dict[K, int] = {}
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken

    def held_by(self, holder: K) -> int:
        """How many places somebody has."""
        return self._held.get(holder, 0)

    def must_yield(self, newcomer: K) -> K | None:
        """Return who has to give a place up before `newcomer` takes one: None nobody, the newcomer himself when he is refused."""
        if self._taken < self.places:
            return None
        greatest = max(self._held, key=self._held.__getitem__, default=newcomer)
        return greatest if self.held_by(greatest) > self.held_by(newcomer) + 1 else newcomer

    def take(self, holder: K) -> None:
        """Count a place as taken."""
        self._held[holder] = self._held.get(holder, 0) + 1
        self._taken += 1

    def give_back(self, holder: K) -> None:
        """Count a place as free again."""
        self._taken -= 1
        left = self._held[holder] - 1
        if left:
            self._held[holder] = left
        else:
            del self._held[holder]
