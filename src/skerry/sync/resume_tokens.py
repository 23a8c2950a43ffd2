"""How far a link has come in the hub's stream: the resume token and what must never be stored apart from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bson.int64 import Int64

from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.protocol.document_state import BEGINNING, Position
from skerry.sync.protocol.event_grouping import BatchId, EventGrouping, Marker
from skerry.sync.selection import Selection


@dataclass(slots=True)
class StreamPosition:
    """Stored in the transaction that applies the events before it.

    `token` is the hub's resume token and `time` a cluster time not after it; `high` is the newest event applied: whatever comes
    again up to it is skipped. Up to the cluster time `looked_up_until` documents here may already show later changes, so events
    until then are answered with a look-up.
    """

    token: Mapping[str, Any]
    time: int = 0
    high: Position = BEGINNING
    looked_up_until: int = 0
    grouping: EventGrouping = field(default_factory=EventGrouping)

    def save(self, view: WriteView, link: str) -> None:
        grouping = self.grouping
        marker = grouping.marker
        record = {
            "token": dict(self.token),
            "time": Int64(self.time),
            "high": [Int64(self.high.time), Int64(self.high.ordinal)],
            "looked_up_until": Int64(self.looked_up_until),
            "last": [Int64(grouping.last.time), Int64(grouping.last.ordinal)],
            "key": None if grouping.key is None else [grouping.key[0], Int64(grouping.key[1])],
            "marker": None if marker is None else marker.batch.to_document(),
        }
        link_records.save(view, link, link_records.STREAM, record)

    @classmethod
    def load(cls, view: ReadView, link: str) -> "StreamPosition | None":
        """Return the stored position, None when the stream was never opened or its history was lost."""
        record = link_records.load(view, link, link_records.STREAM)
        if record is None:
            return None
        key, batch = record["key"], BatchId.from_document(record["marker"])
        grouping = EventGrouping(
            Position(*map(int, record["last"])),
            None if key is None else (bytes(key[0]), int(key[1])),
            None if batch is None else Marker(batch),
        )
        high = Position(*map(int, record["high"]))
        return cls(record["token"], int(record["time"]), high, int(record["looked_up_until"]), grouping)


def forget(view: WriteView, link: str) -> None:
    """Give up the position: the next start takes a new one and compares everything."""
    link_records.remove(view, link, link_records.STREAM)


def selection_of(view: ReadView, link: str) -> Selection | None:
    """Return the stored selection of a link."""
    record = link_records.load(view, link, link_records.SELECTION)
    return None if record is None else Selection.from_document(record)
