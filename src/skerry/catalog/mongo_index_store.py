"""The master index in a MongoDB: instances on many machines coordinate through the server that they share.

`<key>` has a document for each collection: what is said of it, its history, and `fence`, the fencing number of the newest lease.
`<key>.leases` has one for each name that was ever leased. They are apart so that renewing a lease never touches the document
that a coordinated transaction writes: the renewal would make the transaction conflict with itself.

*Taking a lease* is one compare-and-set by the server's clock, and then the fence is raised. *A commit* writes the collection's
document if the fence is still its own, in the transaction of the operation: whoever raised the fence in between, also between
that write and the commit, makes the transaction conflict. A plain write of somebody who does not coordinate renews no token here.
Transactions need a replica set or a sharded cluster.
"""

import contextlib
import datetime
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pymongo
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern

from skerry.catalog import modification_token
from skerry.catalog.index_records import (
    ADD_COLLECTION,
    COORDINATED,
    HISTORY_LENGTH,
    Change,
    CollectionRecord,
    CommitGuard,
    Lease,
    now_ms,
)
from skerry.catalog.index_store import MASTER_INDEX_KEY
from skerry.catalog.late_sessions import end_session_of
from skerry.errors import CoordinationTimeoutError, LockTimeoutError, MasterIndexError, ModificationConflictError

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection
    from pymongo.database import Database

ACCESS_MS_MAX: Final = 10_000
"""How long one step may wait for others, for example for a transaction that has written the same document."""

_DESCRIPTION: Final = frozenset({"fileId", "created", "lastModified", "documentCount", "modificationToken"})
_EPOCH: Final = datetime.datetime.fromtimestamp(0, datetime.UTC)
_OPTIONS: Final = CodecOptions[dict[str, Any]](tz_aware=True, tzinfo=datetime.UTC)


class MongoIndexStore:
    """The index of one database, kept in that database. Closing the client is the caller's business."""

    def __init__(self, database: "Database[Any]", master_index_key: str = MASTER_INDEX_KEY) -> None:
        self._database = database
        self._key = master_index_key

    @property
    def database_name(self) -> str:
        return self._database.name

    def collection(self, name: str) -> CollectionRecord | None:
        document = self._index.find_one({"_id": name, "registered": True})
        return None if document is None else _record(document, self.lease(name))

    def collections(self) -> list[CollectionRecord]:
        held = {lease.name: lease for lease in self.leases()}
        found = self._index.find({"registered": True}, {"history": 0}).sort("_id")
        return [_record(document, held.get(document["_id"])) for document in found]

    def add(self, name: str, fields: Mapping[str, Any]) -> CollectionRecord:
        said = {"fileId": None, "documentCount": 0, **fields}
        changes = {**_described(said, ADD_COLLECTION, fields), "registered": True}
        changes.setdefault("created", "$$NOW")
        with _in_time():
            document = _upsert(self._index, name, [{"$set": changes}])
        return _record(document, self.lease(name))

    def update(self, name: str, fields: Mapping[str, Any], operation: str) -> CollectionRecord | None:
        with _in_time():
            document = self._index.find_one_and_update(
                {"_id": name, "registered": True},
                [{"$set": _described(fields, operation, fields)}],
                return_document=ReturnDocument.AFTER,
            )
        return None if document is None else _record(document, self.lease(name))

    def remove(self, name: str) -> bool:
        """Remove the collection from the index; its documents are not this store's business."""
        with _in_time():
            removed = self._index.delete_one({"_id": name, "registered": True}).deleted_count == 1
            self._leases.update_one({"_id": name}, {"$set": {"owner": None, "expires": _EPOCH}})
        return removed

    def history(self, name: str) -> list[Change]:
        document = self._index.find_one({"_id": name, "registered": True}, {"history": 1}) or {}
        return [Change(each["operation"], _ms(each["timestamp"]), each["data"]) for each in document.get("history", ())]

    def leases(self) -> list[Lease]:
        return self._read_leases({"owner": {"$ne": None}})

    def lease(self, name: str) -> Lease | None:
        found = self._read_leases({"_id": name, "owner": {"$ne": None}})
        return found[0] if found else None

    def take_lease(self, name: str, owner: str, duration_ms: int) -> Lease | None:
        attempt = uuid.uuid4().hex
        steps = _taking(owner, attempt, duration_ms)
        with _in_time():
            try:
                document = _upsert(self._leases, name, steps)
            except DuplicateKeyError:
                return None  # somebody else has just taken the first lease on this name
            if document["attempt"] != attempt:
                return None
            if document["displaced"] is not None:
                # Its transaction may have written the very document that is to be raised, and would keep it from us.
                end_session_of(self._database.client, document["displaced"])
            try:
                # Whoever held the lease before can commit no more from here on.
                raised = _upsert(self._index, name, [{"$set": {"fence": {"$max": ["$fence", document["fence"]]}}}])
            except PyMongoError:
                self.release_lease(name, owner)
                raise
        return _lease({**document, "isLive": True}, raised.get("modificationToken"), document["displaced"])

    def renew_lease(self, name: str, owner: str, duration_ms: int) -> bool:
        mine = {"_id": name, "owner": owner, "$expr": {"$gt": ["$expires", "$$NOW"]}}
        until = {"expires": {"$add": ["$$NOW", duration_ms]}}
        with _in_time():
            return self._leases.update_one(mine, [{"$set": until}]).matched_count == 1

    def release_lease(self, name: str, owner: str) -> bool:
        free = {"owner": None, "expires": _EPOCH}
        return self._leases.update_one({"_id": name, "owner": owner}, {"$set": free}).matched_count == 1

    def drop_expired_leases(self) -> int:
        expired = {"owner": {"$ne": None}, "$expr": {"$lte": ["$expires", "$$NOW"]}}
        with _in_time():
            return self._leases.update_many(expired, {"$set": {"owner": None}}).modified_count

    def guard(self, session: "ClientSession", guard: CommitGuard) -> bool:
        if session.client is not self._database.client:
            raise MasterIndexError(
                "updateCollectionMetadata", "the index must be reached through the client of the collection"
            )
        index = self._database.get_collection(self._key)
        document = index.find_one({"_id": guard.name}, {"fence": 1, "modificationToken": 1}, session=session) or {}
        if document.get("fence") != guard.fencing_number:
            raise CoordinationTimeoutError(
                guard.operation, guard.timeout_ms, "its lease has passed on; nothing was written"
            )
        token = document.get("modificationToken")
        if guard.checks_token and token != guard.expected_token:
            reason = "another operation was committed while this one ran"
            raise ModificationConflictError(guard.name, guard.expected_token, token, reason)
        changes = _described({"modificationToken": guard.new_token}, COORDINATED, guard.history_data())
        changes.update(
            registered=True,
            created={"$ifNull": ["$created", "$$NOW"]},
            fileId={"$ifNull": ["$fileId", None]},
            documentCount={"$ifNull": ["$documentCount", 0]},
        )
        index.update_one({"_id": guard.name}, [{"$set": changes}], session=session)
        return False

    def settle(self, guard: CommitGuard, collection: "Collection[Any]") -> None:
        """Note how many documents there are: unlike a skerry, MongoDB does not tell the index."""
        count = collection.estimated_document_count()
        self._index.update_one(
            {"_id": guard.name, "modificationToken": guard.new_token}, {"$set": {"documentCount": count}}
        )

    def flush(self) -> None:
        """Nothing: every change has been acknowledged by a majority."""

    def close(self) -> None:
        """Nothing: the client is the caller's."""

    @property
    def _index(self) -> "Collection[dict[str, Any]]":
        return self._in(self._key)

    @property
    def _leases(self) -> "Collection[dict[str, Any]]":
        return self._in(f"{self._key}.leases")

    def _in(self, name: str) -> "Collection[dict[str, Any]]":
        return self._database.get_collection(
            name,
            codec_options=_OPTIONS,
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
            read_preference=pymongo.ReadPreference.PRIMARY,
        )

    def _read_leases(self, filter: Mapping[str, Any]) -> list[Lease]:
        is_live = {"isLive": {"$gt": ["$expires", "$$NOW"]}}
        stages: list[dict[str, Any]] = [{"$match": dict(filter)}, {"$sort": {"_id": 1}}, {"$set": is_live}]
        return [_lease(document) for document in self._leases.aggregate(stages)]


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """Wait no longer than `ACCESS_MS_MAX` for others. Raises `LockTimeoutError`."""
    try:
        with pymongo.timeout(ACCESS_MS_MAX / 1000):
            yield
    except PyMongoError as error:
        if not error.timeout or isinstance(error, ServerSelectionTimeoutError):
            raise  # nobody was there to wait for
        raise LockTimeoutError("the master index", ACCESS_MS_MAX) from error


def _upsert(collection: "Collection[dict[str, Any]]", name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    document = collection.find_one_and_update({"_id": name}, steps, upsert=True, return_document=ReturnDocument.AFTER)
    assert document is not None  # it was made if there was none
    return document


def _taking(owner: str, attempt: str, duration_ms: int) -> list[dict[str, Any]]:
    """The update that takes a lease if it is free, and changes nothing if it is not; `attempt` tells which it was."""

    def if_free(value: Any, path: str) -> dict[str, Any]:
        return {"$cond": ["$isFree", value, path]}

    has_no_owner = {"$eq": [{"$ifNull": ["$owner", None]}, None]}
    taken = {
        "displaced": if_free({"$ifNull": ["$owner", None]}, "$displaced"),
        "owner": if_free({"$literal": owner}, "$owner"),
        "attempt": if_free({"$literal": attempt}, "$attempt"),
        "acquired": if_free("$$NOW", "$acquired"),
        "expires": if_free({"$add": ["$$NOW", duration_ms]}, "$expires"),
        "fence": if_free({"$add": [{"$ifNull": ["$fence", Int64(0)]}, 1]}, "$fence"),
    }
    return [
        {"$set": {"isFree": {"$or": [has_no_owner, {"$lte": ["$expires", "$$NOW"]}]}}},
        {"$set": taken},
        {"$unset": "isFree"},
    ]


def _described(fields: Mapping[str, Any], operation: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an update sets: the fields, a new token and time where none is given, and the history."""
    known: dict[str, Any] = {name: {"$literal": fields[name]} for name in _DESCRIPTION & fields.keys()}
    for name in ("created", "lastModified"):
        if name in fields:
            known[name] = {"$literal": datetime.datetime.fromtimestamp(fields[name] / 1000, datetime.UTC)}
    known.setdefault("lastModified", "$$NOW")
    known.setdefault("modificationToken", modification_token.generate(now_ms()))
    extra = {name: value for name, value in fields.items() if name not in _DESCRIPTION}
    change = {"operation": operation, "timestamp": "$$NOW", "data": {"$literal": dict(data)}}
    history = {"$concatArrays": [{"$ifNull": ["$history", []]}, [change]]}
    return {
        **known,
        "extra": {"$mergeObjects": ["$extra", {"$literal": extra}]},
        "history": {"$slice": [history, -HISTORY_LENGTH]},
    }


def _ms(moment: datetime.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _lease(document: Mapping[str, Any], token: str | None = None, displaced_owner: str | None = None) -> Lease:
    return Lease(
        document["_id"],
        document["owner"],
        _ms(document["acquired"]),
        _ms(document["expires"]),
        int(document["fence"]),
        is_live=bool(document["isLive"]),
        modification_token=token,
        displaced_owner=displaced_owner,
    )


def _record(document: Mapping[str, Any], lease: Lease | None) -> CollectionRecord:
    return CollectionRecord(
        document["_id"],
        document["fileId"],
        _ms(document["created"]),
        _ms(document["lastModified"]),
        document["documentCount"],
        document["modificationToken"],
        lease,
        document["extra"],
    )
