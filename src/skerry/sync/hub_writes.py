"""What one batch does to the hub inside its transaction: look, compare, marker, writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from skerry.storage import WriteView
from skerry.sync.hub import RAW_OPTIONS, now
from skerry.sync.link import Link
from skerry.sync.origin import MarkerOp, marker_document
from skerry.sync.passed_on import Origin
from skerry.sync.protocol.conflict_resolution import Resolution, Winner
from skerry.sync.protocol.document_state import content_hash
from skerry.sync.protocol.event_grouping import BatchId
from skerry.sync.protocol.hybrid_clock import corrected
from skerry.sync.protocol.push_batch import HubStep, compare_with_base, minimal_update
from skerry.sync.shadow import Tracked
from skerry.values import documents
from skerry.values.namespace import Namespace

_TIMESTAMP_ZERO: Final = Timestamp(0, 0)
_EMPTY_TIMESTAMP: Final = b"\x00" * 9  # the end of its name, and its value

Write = InsertOne[RawBSONDocument] | ReplaceOne[RawBSONDocument] | UpdateOne | DeleteOne


class MarkerTakenError(Exception):
    """The hub has the batch's marker, or its fence, already: the outcome is decided."""


@dataclass(slots=True)
class PushItem:
    """A document to push: `local` is its version here (None: deleted), `base` the base document where it is kept."""

    tracked: Tracked
    local: bytes | None
    base: bytes | None
    one_way: bool
    origin: Origin | None = None
    """Who made this version, where it was an edge below this node."""

    group: int | None = None
    """Of the documents with the same number either all are written or none."""

    id_value: Any = None

    def __post_init__(self) -> None:
        self.id_value = documents.id_of(self.tracked.id_document)

    @property
    def place(self) -> tuple[Namespace, bytes]:
        """Its collection and the key string of its `_id`."""
        return self.tracked.namespace, self.tracked.key


@dataclass(slots=True)
class Planned:
    """What happens to one document: `index` is its place in the batch, `hub` the version found there."""

    index: int
    item: PushItem
    hub: bytes | None
    step: HubStep


@dataclass(slots=True)
class Written:
    """Which documents the marker names, and which are left out because somebody else has written them.

    Those that are in neither stay behind for the sake of others of their group.
    """

    named: set[tuple[Namespace, bytes]] = field(default_factory=set)
    left_out: set[tuple[Namespace, bytes]] = field(default_factory=set)


def write_batch(
    link: Link,
    session: ClientSession,
    batch: BatchId,
    db: str,
    items: Sequence[PushItem],
    *,
    looks: bool,
    vacates: bool,
) -> Written:
    """Write what still can be written, and return what that was.

    Without `looks`, all of them are inserted without a look at what the hub has: it refuses what it knows already. Raises
    `MarkerTakenError`, and pymongo's errors; the `index` of a failed statement is the place in `items`.
    """
    planned = plan_writes(link, session, items) if looks else _plan_inserts(items)
    left_out: set[tuple[Namespace, bytes]] = set()
    if len(planned) < len(items):
        left_out = {item.place for item in items} - {each.item.place for each in planned}
    incomplete = {item.group for item in items if item.group is not None and item.place in left_out}
    if incomplete:
        planned = [each for each in planned if each.item.group not in incomplete]
    if not planned:
        return Written(left_out=left_out)
    keep_overwritten(link, [each for each in planned if each.step is HubStep.OVERWRITE])
    ops = [_marker_op(each.item, link.clock_offset_ms) for each in planned]
    stamp = max(op.stamp for op in ops)
    try:
        link.hub.markers(db).insert_one(marker_document(batch, ops, stamp=stamp, at=now()), session=session)
    except DuplicateKeyError as error:
        raise MarkerTakenError from error
    writes: dict[Namespace, list[Planned]] = {}
    for each in planned:
        if each.step is not HubStep.ALREADY:
            writes.setdefault(each.item.tracked.namespace, []).append(each)
    for namespace, those in writes.items():
        _write_collection(link, session, namespace, those, vacates=vacates)
    return Written({each.item.place for each in planned}, left_out)


def by_collection(items: Sequence[PushItem]) -> dict[Namespace, list[int]]:
    """Return the places in `items` of the documents of each collection."""
    found: dict[Namespace, list[int]] = {}
    for index, item in enumerate(items):
        found.setdefault(item.tracked.namespace, []).append(index)
    return found


def plan_writes(link: Link, session: ClientSession | None, items: Sequence[PushItem]) -> list[Planned]:
    """Read the hub's versions and say what is to be done; documents that somebody else has written are left out."""
    planned: list[Planned] = []
    for namespace, indexes in by_collection(items).items():
        there = link.hub.find_by_ids(namespace, [items[index].id_value for index in indexes], session)
        adds_up = link.rules.of(namespace).adds_up
        for index in indexes:
            item, found = items[index], there.get(items[index].tracked.key)
            shadow = item.tracked.shadow
            step = compare_with_base(
                shadow.base,
                shadow.pushed,
                content_hash(found),
                one_way=item.one_way,
                adds_up=adds_up,
                in_transaction=session is not None,
            )
            if step is not HubStep.LEAVE:
                planned.append(Planned(index, item, found, step))
    return planned


def _plan_inserts(items: Sequence[PushItem]) -> list[Planned]:
    return [Planned(index, item, None, HubStep.WRITE) for index, item in enumerate(items)]


def _write_collection(
    link: Link, session: ClientSession, namespace: Namespace, planned: list[Planned], *, vacates: bool
) -> None:
    writes = _vacating(planned) if vacates else _in_place(planned)
    try:
        link.hub.raw(namespace).bulk_write([write for write, _ in writes], ordered=True, session=session)
    except BulkWriteError as error:
        for failed in error.details.get("writeErrors", ()):
            failed["index"] = writes[failed["index"]][1].index
        raise


def _in_place(planned: list[Planned]) -> list[tuple[Write, Planned]]:
    """Deletes first and inserts last, so that a unique value can move from a deleted document or to a new one."""
    writes: list[tuple[Write, Planned]] = []
    for each in sorted(planned, key=lambda each: (each.item.local is not None, each.hub is None)):
        writes.append((_write(each), each))
        writes += _empty_timestamps(each)
    return writes


def _vacating(planned: list[Planned]) -> list[tuple[Write, Planned]]:
    """Remove all old versions, then insert the new ones: within the transaction nobody sees them missing."""
    old: list[tuple[Write, Planned]] = [
        (DeleteOne({"_id": each.item.id_value}), each) for each in planned if each.hub is not None
    ]
    new: list[tuple[Write, Planned]] = [
        (InsertOne(RawBSONDocument(each.item.local, RAW_OPTIONS)), each)
        for each in planned
        if each.item.local is not None
    ]
    return old + new + [write for each in planned for write in _empty_timestamps(each)]


def _empty_timestamps(planned: Planned) -> list[tuple[Write, Planned]]:
    """Set the empty timestamps of a document once more: a hub puts its time in their place in what is inserted or replaced."""
    local = planned.item.local
    if local is None or _EMPTY_TIMESTAMP not in local:
        return []
    empty = {name: value for name, value in documents.decode(local).items() if value == _TIMESTAMP_ZERO}
    return [(UpdateOne({"_id": planned.item.id_value}, {"$set": empty}), planned)] if empty else []


def _write(planned: Planned) -> Write:
    item = planned.item
    if planned.hub is None and item.local is not None:
        return InsertOne(RawBSONDocument(item.local, RAW_OPTIONS))
    key = {"_id": item.id_value}
    if item.local is None:
        return DeleteOne(key)
    if item.base is not None and planned.step is HubStep.WRITE:
        update = minimal_update(documents.decode(item.base), documents.decode(item.local))
        if update is not None:
            return UpdateOne(key, update.to_document())
    return ReplaceOne(key, RawBSONDocument(item.local, RAW_OPTIONS))


def _marker_op(item: PushItem, clock_offset_ms: int) -> MarkerOp:
    written = item.tracked.shadow.last_hlc if item.origin is None else item.origin.stamp
    stamp = corrected(written, clock_offset_ms)
    origin = None if item.origin is None else item.origin.edge
    return MarkerOp(item.tracked.namespace.coll, item.id_value, stamp, item.local is None, origin)


def keep_overwritten(link: Link, planned: Sequence[Planned]) -> None:
    """Keep the hub's versions of one-way documents before they are overwritten."""
    if not planned:
        return

    def job(view: WriteView) -> None:
        for each in planned:
            tracked = each.item.tracked
            versions = {"base": each.item.base, "local": each.item.local, "remote": each.hub, "result": each.item.local}
            resolution = Resolution(None, Winner.LOCAL, ("",))
            link.conflicts.add(view, tracked.namespace, tracked.key, versions, resolution, {"one_way": True})

    link.write(job)
    link.metrics.add("conflicts", len(planned))
