"""The hub's change events as facts: what changed, where, when, in which transaction, by which marker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from skerry.sync.origin import parse_marker
from skerry.sync.protocol.event_grouping import GroupKey, Marker
from skerry.sync.protocol.hybrid_clock import stamp_at, stamp_of_cluster_time
from skerry.sync.selection import MARKERS
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

_CONTENT: Final = frozenset(("insert", "replace"))
_DOCUMENT: Final = frozenset(("insert", "replace", "update", "delete"))
_STRUCTURE: Final = frozenset(("drop", "rename", "dropDatabase"))


@dataclass(slots=True)
class ChangeEvent:
    """What all events have. `time` is the cluster time (seconds << 32 | increment), `stamp` a hybrid logical time."""

    time: int
    stamp: int
    group: GroupKey | None


@dataclass(slots=True)
class DocumentEvent(ChangeEvent):
    """A document's change. `raw` is the document after it, None when it is gone or (`is_update`) has to be looked up."""

    namespace: Namespace
    key: bytes
    id_document: bytes
    raw: bytes | None
    is_update: bool


@dataclass(slots=True)
class MarkerEvent(ChangeEvent):
    """A marker: the events of its group are the batch's; `db` is the database of all its documents."""

    db: str
    marker: Marker


@dataclass(slots=True)
class NoteEvent(ChangeEvent):
    """A document in the marker collection that is no marker: a flush or a heartbeat."""

    document: Mapping[str, Any]


@dataclass(slots=True)
class StructureEvent(ChangeEvent):
    """`drop`, `rename` or `dropDatabase`; `namespaces` are those named (of a database: with an empty collection)."""

    operation: str
    namespaces: tuple[Namespace, ...]


def parse_event(event: RawBSONDocument) -> ChangeEvent | None:
    """Return the event as facts, None for those that say nothing of documents or collections."""
    operation = event["operationType"]
    if operation not in _DOCUMENT and operation not in _STRUCTURE:
        return None
    cluster_time: Timestamp = event["clusterTime"]
    time = cluster_time.time << 32 | cluster_time.inc
    wall = event.get("wallTime")
    stamp = stamp_of_cluster_time(time) if wall is None else stamp_at(int(wall))
    lsid, number = event.get("lsid"), event.get("txnNumber")
    group = None if lsid is None or number is None else (bytes(lsid["id"]), int(number))
    ns = event["ns"]
    namespace = Namespace(ns["db"], ns.get("coll", ""))
    if operation in _STRUCTURE:
        to = event.get("to")
        named = (namespace,) if to is None else (namespace, Namespace(to["db"], to["coll"]))
        return StructureEvent(time, stamp, group, operation, named)
    content = event["fullDocument"] if operation in _CONTENT else None
    raw = None if content is None else bytes(content.raw)
    if namespace.coll == MARKERS:
        return _marker_or_note(time, stamp, group, namespace.db, raw)
    document_key = bytes(event["documentKey"].raw)
    key = key_string.encode(documents.id_of(document_key))
    id_document = documents.id_document(document_key)
    return DocumentEvent(time, stamp, group, namespace, key, id_document, raw, operation == "update")


def _marker_or_note(time: int, stamp: int, group: GroupKey | None, db: str, raw: bytes | None) -> ChangeEvent | None:
    if raw is None:
        return None
    document = documents.decode(raw)
    marker = parse_marker(document)
    return NoteEvent(time, stamp, group, document) if marker is None else MarkerEvent(time, stamp, group, db, marker)
