"""The hub's change events as facts: what changed, where, when, in which transaction, by which marker."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from skerry.sync.origin import parse_marker
from skerry.sync.protocol.event_grouping import GroupKey, Marker
from skerry.sync.protocol.hybrid_clock import stamp_at, stamp_of_cluster_time
from skerry.sync.selection import MARKERS
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

_CONTENT: Final = frozenset(("insert", "replace"))
_DOCUMENT: Final = frozenset(("insert", "replace", "update", "delete"))
_STRUCTURE: Final = frozenset(("drop", "rename", "dropDatabase"))
_timestamp_at: Final = struct.Struct("<II").unpack_from
_int64_at: Final = struct.Struct("<q").unpack_from


@dataclass(slots=True)
class ChangeEvent:
    """What all events have. `time` is the cluster time (seconds << 32 | increment), `stamp` a hybrid logical time."""

    time: int
    stamp: int
    group: GroupKey | None


@dataclass(slots=True)
class DocumentEvent(ChangeEvent):
    """A document's change. `raw` is the document after it, None when it is gone or when the event does not have it.

    In the latter case `description` is what an update changed (a raw `updateDescription`, empty where that is not told either).
    """

    namespace: Namespace
    key: bytes
    id_document: bytes
    raw: bytes | None
    description: bytes | None = None

    @property
    def lacks_document(self) -> bool:
        return self.description is not None


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


def parse_event(raw: bytes) -> ChangeEvent | None:
    """Return a raw event as facts, None for those that say nothing of documents or collections.

    Only what is asked for is decoded; the whole documents stay the bytes they are.
    """
    fields = {raw[start + 1 : value_at - 1]: (value_at, end) for _, start, value_at, end in documents.elements(raw, 0)}
    operation = _text(raw, *fields[b"operationType"])
    if operation not in _DOCUMENT and operation not in _STRUCTURE:
        return None
    increment, seconds = _timestamp_at(raw, fields[b"clusterTime"][0])
    time = seconds << 32 | increment
    wall = fields.get(b"wallTime")
    stamp = stamp_of_cluster_time(time) if wall is None else stamp_at(_int64_at(raw, wall[0])[0])
    namespace = _namespace(_slice(raw, fields[b"ns"]))
    group = None
    if b"lsid" in fields and b"txnNumber" in fields:
        group = (_session(_slice(raw, fields[b"lsid"])), _int64_at(raw, fields[b"txnNumber"][0])[0])
    if operation in _STRUCTURE:
        named = [namespace, *([_namespace(_slice(raw, fields[b"to"]))] if b"to" in fields else [])]
        return StructureEvent(time, stamp, group, operation, tuple(named))
    content = _slice(raw, fields[b"fullDocument"]) if operation in _CONTENT and b"fullDocument" in fields else None
    if namespace.coll == MARKERS:
        return _marker_or_note(time, stamp, group, namespace.db, content)
    document_key = _slice(raw, fields[b"documentKey"])
    key = key_string.encode(documents.id_of(document_key))
    id_document = documents.id_document(document_key)
    description = None
    if content is None and operation != "delete":
        description = _slice(raw, fields[b"updateDescription"]) if b"updateDescription" in fields else b""
    return DocumentEvent(time, stamp, group, namespace, key, id_document, content, description)


def _slice(raw: bytes, place: tuple[int, int]) -> bytes:
    return raw[place[0] : place[1]]


def _text(raw: bytes, value_at: int, end: int) -> str:
    return str(raw[value_at + 4 : end - 1], "utf-8")


@lru_cache(1024)
def _namespace(raw: bytes) -> Namespace:
    names = documents.decode(raw)
    return Namespace(names["db"], names.get("coll", ""))


@lru_cache(64)
def _session(raw: bytes) -> bytes:
    return bytes(documents.decode(raw)["id"])


def _marker_or_note(time: int, stamp: int, group: GroupKey | None, db: str, raw: bytes | None) -> ChangeEvent | None:
    if raw is None:
        return None
    document = documents.decode(raw)
    marker = parse_marker(document)
    return NoteEvent(time, stamp, group, document) if marker is None else MarkerEvent(time, stamp, group, db, marker)
