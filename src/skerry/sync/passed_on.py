"""Who made a change that this node passes on: a node can be the hub of others, and an edge of the hub above it.

The marker that leads a batch from below names its documents with the time of each write. What a named document was right then
is remembered by its hash; as long as it is that, the change belongs to the edge below, or to one further below that is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bson.int64 import Int64

from skerry.engine.op_observer import Change
from skerry.engine.storage_engine import StorageEngine
from skerry.storage import ReadView, WriteView
from skerry.sync.origin import parse_marker
from skerry.sync.protocol.document_state import content_hash
from skerry.sync.shadow import Shadows
from skerry.values import documents
from skerry.values.namespace import Namespace


@dataclass(frozen=True, slots=True)
class Origin:
    """The edge that made a change, and when, on the clock of this node (a hybrid logical time)."""

    edge: str
    stamp: int


def note_markers(
    view: WriteView, storage: StorageEngine, shadows: Sequence[Shadows], changes: Sequence[Change]
) -> None:
    """Remember the origins that markers of edges below name, for the links of `shadows`."""
    for change in changes:
        marker = None if change.after is None else parse_marker(documents.decode(change.after))
        if marker is None:
            continue
        for (coll, key), stamp in marker.stamps.items():
            namespace = Namespace(change.namespace.db, coll)
            edge = marker.origins.get((coll, key), marker.batch.edge)
            version = content_hash(storage.lookup(view, namespace, key))
            record: dict[str, Any] = {"edge": edge, "stamp": Int64(stamp), "version": version}
            for each in shadows:
                each.keep_origin(view, namespace, key, documents.encode(record))


def origin_of(view: ReadView, shadows: Shadows, namespace: Namespace, key: bytes, raw: bytes | None) -> Origin | None:
    """Return who made the version `raw` of a document; None when it was made here, or nobody knows."""
    record = shadows.origin(view, namespace, key)
    if record is None:
        return None
    found = documents.decode(record)
    if found["version"] != content_hash(raw):
        return None
    return Origin(found["edge"], int(found["stamp"]))
