"""Whose change an event of the hub's stream is: events of one transaction belong to the marker that leads them.

A push writes its marker first, so the first event of its group (equal lsid and transaction number, one behind the other) says
who wrote the rest and when. Positions number the events of one cluster time, because several may share it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from skerry.sync.protocol.document_state import BEGINNING, Position

GroupKey = tuple[bytes, int]
"""lsid's 16 bytes and the transaction number."""


@dataclass(frozen=True, slots=True)
class BatchId:
    """Names one push of one edge for ever; an incarnation is a life of that edge's store."""

    edge: str
    incarnation: int
    number: int

    def to_document(self) -> dict[str, Any]:
        """Return the marker document's `_id`."""
        return {"e": self.edge, "i": self.incarnation, "n": self.number}

    @classmethod
    def from_document(cls, id_value: Any) -> "BatchId | None":
        """Return the batch that a marker's `_id` names, None for other documents of the marker collection."""
        if not isinstance(id_value, Mapping) or set(id_value) != {"e", "i", "n"}:
            return None
        return cls(str(id_value["e"]), int(id_value["i"]), int(id_value["n"]))


@dataclass(frozen=True, slots=True)
class Marker:
    """What leads a batch: its id, and the stamp of each document in it by (collection, key string of the `_id`)."""

    batch: BatchId
    stamps: Mapping[tuple[str, bytes], int] = field(default_factory=dict)
    is_fence: bool = False
    """It only says that the batch never committed."""
    origins: Mapping[tuple[str, bytes], str] = field(default_factory=dict)
    """Which edge made a change, where it is another one than that which pushed it."""


class Attribution(NamedTuple):
    """Where an event stands, and the marker of its group; `leads` when it is that marker itself."""

    position: Position
    marker: Marker | None
    leads: bool


@dataclass(slots=True)
class EventGrouping:
    """Follows one stream, event by event; `last` and `marker` go with the resume token into the store."""

    last: Position = BEGINNING
    key: GroupKey | None = None
    marker: Marker | None = None

    def take(self, time: int, key: GroupKey | None, marker: Marker | None = None) -> Attribution:
        """Attribute the next event; `marker` when it is the insert of a marker document."""
        self.last = Position(time, self.last.ordinal + 1 if time == self.last.time else 0)
        if marker is not None:
            self.key, self.marker = key, marker
            return Attribution(self.last, marker, leads=True)
        if key is None or key != self.key:
            self.key = self.marker = None
        return Attribution(self.last, self.marker, leads=False)

    def start_again(self, behind: Position) -> None:
        """The stream was opened at the cluster time of `behind`, not behind a token: events of that time come again.

        Not all that came before may be among them, and others may, because a stream leaves out what its own sessions wrote. So
        they are counted on, as if they were new; the caller answers all of that time with look-ups, which may come twice.
        """
        self.last, self.key, self.marker = behind, None, None
