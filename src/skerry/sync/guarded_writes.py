"""What one batch does to a hub without transactions: each document is written only if it still is what was read just before.

The guard compares the whole document on the hub (`$$ROOT`); numbers of another type but the same value pass it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from skerry.sync.hub import RAW_OPTIONS, HubFailure
from skerry.sync.hub_writes import Planned, PushItem, by_collection, keep_overwritten, plan_writes
from skerry.sync.link import Link
from skerry.sync.protocol.document_state import content_hash
from skerry.sync.protocol.push_batch import DUPLICATE_KEY, HubStep
from skerry.values import documents
from skerry.values.namespace import Namespace

Place = tuple[Namespace, bytes]
Write = InsertOne[RawBSONDocument] | ReplaceOne[RawBSONDocument] | DeleteOne


@dataclass(slots=True)
class Guarded:
    """What became of a batch: documents that the hub has as they are here, and those that it refuses. The rest stay dirty.

    `in_doubt` are those of the rest that the hub may have taken, and somebody has overwritten at once.
    """

    taken: set[Place] = field(default_factory=set)
    refused: dict[Place, HubFailure] = field(default_factory=dict)
    in_doubt: set[Place] = field(default_factory=set)


def write_guarded(link: Link, items: Sequence[PushItem]) -> Guarded:
    """Write what still can be written. Raises pymongo's errors when the outcome is not known: ask `read_back` then."""
    result = Guarded()
    planned = plan_writes(link, None, items)
    keep_overwritten(link, [each for each in planned if each.step is HubStep.OVERWRITE])
    for each in planned:
        if each.step is HubStep.ALREADY:
            result.taken.add(each.item.place)
    for namespace in by_collection(items):
        wanted = [e for e in planned if e.item.tracked.namespace == namespace and e.step is not HubStep.ALREADY]
        if wanted:
            _write_collection(link, namespace, wanted, result)
    return result


def read_back(link: Link, pushed: Mapping[Place, tuple[Any, bytes | None]]) -> set[Place]:
    """Return which documents the hub has as they were pushed; `pushed` has their `_id`s and hashes."""
    found: set[Place] = set()
    for namespace in {namespace for namespace, _ in pushed}:
        wanted = {key: value for (ns, key), value in pushed.items() if ns == namespace}
        there = link.hub.find_by_ids(namespace, [id_value for id_value, _ in wanted.values()])
        found |= {(namespace, key) for key, (_, expected) in wanted.items() if content_hash(there.get(key)) == expected}
    return found


def _write_collection(link: Link, namespace: Namespace, planned: list[Planned], result: Guarded) -> None:
    ordered = sorted(planned, key=lambda each: (each.item.local is not None, each.hub is None))
    try:
        answer = link.hub.raw(namespace).bulk_write([_write(each) for each in ordered], ordered=False)
    except BulkWriteError as error:
        for failed in error.details.get("writeErrors", ()):
            if not _is_race(failed):
                message = str(failed.get("errmsg", ""))
                place = ordered[failed["index"]].item.place
                result.refused[place] = HubFailure(failed["code"], frozenset(), message)
        if not error.details.get("writeErrors"):
            raise
        count = sum(error.details.get(name, 0) for name in ("nInserted", "nMatched", "nRemoved"))
    else:
        count = answer.inserted_count + answer.matched_count + answer.deleted_count
        if count == len(ordered):
            result.taken |= {each.item.place for each in ordered}
            return
    known = {each.item.place: (each.item.id_value, content_hash(each.item.local)) for each in ordered}
    there = read_back(link, known) - result.refused.keys()
    result.taken |= there
    if count:  # that many were written, and are there or have been overwritten since
        result.in_doubt |= known.keys() - there - result.refused.keys()


def _is_race(failed: Mapping[str, Any]) -> bool:
    """Whether somebody else has inserted a document with the same `_id` meanwhile."""
    return failed["code"] == DUPLICATE_KEY and list(failed.get("keyPattern", ())) == ["_id"]


def _write(planned: Planned) -> Write:
    item = planned.item
    if planned.hub is None:
        assert item.local is not None
        return InsertOne(RawBSONDocument(item.local, RAW_OPTIONS))
    known = RawBSONDocument(planned.hub, RAW_OPTIONS)
    guard = {"_id": item.id_value, "$expr": {"$eq": ["$$ROOT", {"$literal": known}]}}
    if item.local is None:
        return DeleteOne(guard)
    return ReplaceOne(guard, RawBSONDocument(item.local, RAW_OPTIONS))


def pushed_versions(items: Sequence[PushItem]) -> dict[Place, tuple[Any, bytes | None]]:
    """Return what `read_back` wants to know of documents in flight."""
    return {
        item.place: (documents.decode(item.tracked.id_document)["_id"], item.tracked.shadow.pushed) for item in items
    }
