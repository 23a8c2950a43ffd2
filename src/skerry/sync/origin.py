"""Whose change an event is: this store's identity towards a hub, and the marker documents that lead its batches."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from bson.int64 import Int64

from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.protocol.event_grouping import BatchId, Marker
from skerry.values import key_string

MARKER_VERSION = 1


@dataclass(slots=True)
class Identity:
    """Who this store is on the link. `edges` are all names it ever had: a cloned store takes a new one."""

    edge: str
    incarnation: int
    run: str
    """What the hub's registration of this edge said at the last start; another value means that a clone has started since."""
    next_run: str
    hub: str | None = None
    """The hub's own name, found at the first meeting."""
    home: str | None = None
    """The database of the hub where this edge is registered; it stays when the selection changes."""
    edges: list[str] = field(default_factory=list)
    next_batch: int = 1

    @classmethod
    def load(cls, view: ReadView, link: str) -> "Identity | None":
        record = link_records.load(view, link, link_records.IDENTITY)
        return None if record is None else cls(**record)

    @classmethod
    def new(cls) -> "Identity":
        edge = uuid.uuid4().hex
        return cls(edge, 1, "", "", edges=[edge])

    def save(self, view: WriteView, link: str) -> None:
        record = {name: getattr(self, name) for name in self.__slots__}
        link_records.save(view, link, link_records.IDENTITY, record)

    def take_new_name(self) -> None:
        """Become another edge: a copy of this store may be using the present name."""
        self.edge = uuid.uuid4().hex
        self.edges = [*self.edges, self.edge]

    def batch_id(self, number: int) -> BatchId:
        return BatchId(self.edge, self.incarnation, number)


def note_copied(view: WriteView) -> None:
    """Make every link of a copied or restored store take a new name when it starts, and compare everything.

    The original may have used further batch numbers since the copy was made; the hub would take ours for those, and drop them.
    """
    for link, record in link_records.load_all(view, link_records.IDENTITY).items():
        identity = Identity(**record)
        identity.run = identity.next_run = ""
        identity.save(view, link)


class MarkerOp(NamedTuple):
    """One document of a batch as its marker names it."""

    coll: str
    id: Any
    stamp: int
    is_delete: bool
    origin: str | None = None
    """The edge below this one that made the change, None when it was made here."""


def marker_document(batch: BatchId, ops: Iterable[MarkerOp], *, stamp: int, at: datetime) -> dict[str, Any]:
    """Return the document that leads a batch on the hub."""
    listed = []
    for op in ops:
        listed.append({"c": op.coll, "k": op.id, "h": Int64(op.stamp)})
        if op.is_delete:
            listed[-1]["d"] = True
        if op.origin is not None:
            listed[-1]["o"] = op.origin
    return {"_id": batch.to_document(), "t": Int64(stamp), "ops": listed, "v": MARKER_VERSION, "at": at}


def fence_document(batch: BatchId, *, at: datetime) -> dict[str, Any]:
    """Return the document that keeps a batch from ever committing."""
    return {"_id": batch.to_document(), "aborted": True, "v": MARKER_VERSION, "at": at}


def parse_marker(document: Mapping[str, Any]) -> Marker | None:
    """Return the marker a document of the marker collection is, None for registrations and heartbeats."""
    batch = BatchId.from_document(document.get("_id"))
    if batch is None:
        return None
    if document.get("aborted"):
        return Marker(batch, is_fence=True)
    stamps: dict[tuple[str, bytes], int] = {}
    origins: dict[tuple[str, bytes], str] = {}
    for op in document.get("ops", ()):
        place = op["c"], key_string.encode(op["k"])
        stamps[place] = int(op["h"])
        if "o" in op:
            origins[place] = op["o"]
    return Marker(batch, stamps, origins=origins)
