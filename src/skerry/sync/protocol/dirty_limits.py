"""How much may wait to be pushed, and what a write does that would be too much.

Nothing is ever dropped: a write is refused, or is noted with less (conflicts are then about whole documents), or its collection
is compared with the hub as a whole once there is a connection.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from skerry.config.sync_config import OnFull

WARNING_FROM: Final = 0.8
"""Which part of a limit is worth a warning; tracking begins again below it."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: documents, bytes kept for them, and how long the oldest has been waiting."""

    documents: int = 0
    bytes: int = 0
    age_ms: int = 0


@dataclass(frozen=True, slots=True)
class DirtyLimits:
    """The most that may wait, None for no limit, and what happens beyond it."""

    documents_max: int | None = None
    bytes_max: int | None = None
    age_ms_max: int | None = None
    on_full: OnFull = OnFull.BLOCK

    @property
    def are_none(self) -> bool:
        """Whether nothing is limited."""
        return self.documents_max is None and self.bytes_max is None and self.age_ms_max is None

    def fullness(self, backlog: Backlog) -> float:
        """Return how much of the limit that is reached first is used: more than 1.0 is too much."""
        return max(self._parts(backlog), default=0.0)

    def is_exceeded(self, backlog: Backlog) -> bool:
        """Whether more waits than may."""
        return self.fullness(backlog) > 1.0

    def _parts(self, backlog: Backlog) -> Iterator[float]:
        for found, most in (
            (backlog.documents, self.documents_max),
            (backlog.bytes, self.bytes_max),
            (backlog.age_ms, self.age_ms_max),
        ):
            if most is not None:
                yield found / most

    def to_document(self) -> dict[str, Any]:
        return {**asdict(self), "on_full": self.on_full.value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> "DirtyLimits":
        """Return the limits of a stored record, none for None."""
        return cls() if document is None else cls(**{**document, "on_full": OnFull(document["on_full"])})
