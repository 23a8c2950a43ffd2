"""The hub: connecting, what it can do, reading documents as bytes, and what its errors mean."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

import pymongo
from bson.binary import UUID_SUBTYPE, Binary, UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from skerry.errors import SkerryError
from skerry.sync.protocol.capability import Tier
from skerry.sync.selection import MARKERS, SERVER_DATABASES
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace
from skerry.values.type_order import bson_type

RAW_OPTIONS: Final[CodecOptions[RawBSONDocument]] = CodecOptions(
    document_class=RawBSONDocument,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    datetime_conversion=DatetimeConversion.DATETIME_MS,
)
MAJORITY: Final = WriteConcern("majority")
MARKER_DAYS_MAX: Final = 30
_CONNECT_MS: Final = 5_000
_SOCKET_MS: Final = 60_000
_CLOSE_SECONDS: Final = 1.0
_NAMESPACE_EXISTS: Final = 48
_LABELS: Final = (
    "TransientTransactionError",
    "UnknownTransactionCommitResult",
    "NonResumableChangeStreamError",
    "ResumableChangeStreamError",
)
_int32_at: Final = struct.Struct("<i").unpack_from
_MIN_KEY: Final = -1
_MAX_KEY: Final = 127
# The types an `_id` can have, by number, in the order in which they sort; those in one group are compared with each other.
_ID_TYPES: Final = (
    (_MIN_KEY,),
    (10,),
    (1, 16, 18, 19),
    (2, 14),
    (3,),
    (5,),
    (7,),
    (8,),
    (9,),
    (17,),
    (13,),
    (_MAX_KEY,),
)


class HubUnfitError(SkerryError):
    """The hub cannot take part in the protocol, or is not the hub this link belongs to; an operator has to decide."""


@dataclass(frozen=True, slots=True)
class HubFacts:
    """What the hub said of itself at the last connect. `clock_offset_ms` is its clock minus ours."""

    set_name: str
    wire_version: int
    clock_offset_ms: int
    tier: Tier


class Hub:
    """A client of the hub. `close` ends it; any number of threads may use it."""

    def __init__(self, uri: str, password: str | None = None) -> None:
        credentials: dict[str, Any] = {} if password is None else {"password": password}
        self.client: MongoClient[dict[str, Any]] = MongoClient(
            uri,
            **credentials,
            appname="skerry",
            connect=False,
            serverSelectionTimeoutMS=_CONNECT_MS,
            connectTimeoutMS=_CONNECT_MS,
            socketTimeoutMS=_SOCKET_MS,
        )
        self.facts: HubFacts | None = None

    @property
    def tier(self) -> Tier:
        """What the hub can do, as far as it has been asked."""
        return Tier.A if self.facts is None else self.facts.tier

    def database(self, name: str) -> Database[dict[str, Any]]:
        """Return a database with our codec, read from the primary, written by majority."""
        return self.client.get_database(
            name,
            codec_options=documents.CODEC_OPTIONS,
            read_preference=ReadPreference.PRIMARY,
            write_concern=MAJORITY,
            read_concern=ReadConcern("majority" if self.tier.has_streams else "local"),
        )

    def markers(self, db: str) -> Collection[dict[str, Any]]:
        return self.database(db)[MARKERS]

    def raw(self, namespace: Namespace) -> Collection[RawBSONDocument]:
        """Return a collection whose documents come as bytes."""
        return self.database(namespace.db)[namespace.coll].with_options(codec_options=RAW_OPTIONS)

    def prepare_markers(self, db: str) -> None:
        """Make sure that the marker collection of a database exists, and that old markers expire."""
        if MARKERS not in self.database(db).list_collection_names(filter={"name": MARKERS}):
            try:
                self.database(db).create_collection(MARKERS)
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise
        self.markers(db).create_index("at", expireAfterSeconds=MARKER_DAYS_MAX * 86_400, name="expiry")

    def collections(self, db: str | None) -> dict[Namespace, bytes | None]:
        """Return the collections (not views) of a database with their UUIDs, None where the hub gives none.

        For None those of all databases but the hub's own, which need rights of their own.
        """
        names = [db] if db is not None else sorted({*self.client.list_database_names()} - SERVER_DATABASES)
        found: dict[Namespace, bytes | None] = {}
        for name in names:
            for info in self.database(name).list_collections():
                if info.get("type", "collection") == "collection":
                    uuid = (info.get("info") or {}).get("uuid")
                    found[Namespace(name, info["name"])] = None if uuid is None else bytes(uuid)
        return found

    def find_by_ids(
        self, namespace: Namespace, ids: Sequence[Any], session: ClientSession | None = None
    ) -> dict[bytes, bytes]:
        """Return the documents with these `_id`s that exist, raw, by the key string of their `_id`."""
        if not ids:
            return {}
        found = self.raw(namespace).find({"_id": {"$in": list(ids)}}, session=session, batch_size=len(ids) + 1)
        return dict(_keyed(each) for each in found)

    def find_after(
        self, namespace: Namespace, after: Any, *, is_first: bool, limit: int, bytes_max: int, query: Mapping[str, Any]
    ) -> tuple[list[tuple[bytes, bytes]], bool]:
        """Return what `find_raw_after` does, each document with the key string of its `_id` before it."""
        found, more = self.find_raw_after(
            namespace, after, is_first=is_first, limit=limit, bytes_max=bytes_max, query=query
        )
        return [(key_string_of(raw), raw) for raw in found], more

    def find_raw_after(
        self, namespace: Namespace, after: Any, *, is_first: bool, limit: int, bytes_max: int, query: Mapping[str, Any]
    ) -> tuple[list[bytes], bool]:
        """Return raw documents in the order of `_id`, of all types, beyond `after`; and whether there may be more.

        Only documents that match `query`; at most `limit`, and no more than the one that reaches `bytes_max`.

        Comparisons stay within the type of their operand, so the types that sort behind it are asked for by themselves.
        """
        found: list[bytes] = []
        size = 0
        for condition in [{}] if is_first else _conditions_beyond(after):
            missing = limit - len(found)
            with self.raw(namespace).find_raw_batches(
                {"$and": [condition, query]} if query else condition,
                sort=[("_id", 1)],
                limit=missing,
                batch_size=missing + 1,
            ) as cursor:
                batches: Iterator[Any] = cursor  # of bytes, which pymongo's types do not say
                for raw in chain.from_iterable(_split(batch) for batch in batches):
                    found.append(raw)
                    size += len(raw)
                    if len(found) == limit or size >= bytes_max:
                        return found, True
        return found, False

    def cluster_time(self) -> int:
        """Return the hub's present cluster time, seconds << 32 | increment."""
        with self.client.start_session() as session:
            self.client.admin.command("ping", session=session)
            reached = session.operation_time or (session.cluster_time or {}).get("clusterTime")
        return 0 if reached is None else reached.time << 32 | reached.inc

    def session(self) -> ClientSession:
        """Start a session; leaving it as a context manager ends it."""
        return self.client.start_session(causal_consistency=False)

    @contextmanager
    def transaction(self, session: ClientSession) -> Iterator[None]:
        """Open a transaction with snapshot reads and majority writes; the caller commits, leaving it aborts what is open."""
        session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        try:
            yield
        finally:
            if session.in_transaction:
                _abort(session)

    def end_session(self, lsid: bytes) -> None:
        """End a session that another process or a broken connection has left behind, and the transaction open in it."""
        try:
            self.client.admin.command("killSessions", [{"id": Binary(lsid, UUID_SUBTYPE)}])
        except OperationFailure:
            pass  # without the right to, its transaction ends when its lifetime is over

    def close(self) -> None:
        """End the client; running calls of other threads fail. Does not wait for a hub that is away."""
        with pymongo.timeout(_CLOSE_SECONDS):
            self.client.close()


@dataclass(frozen=True, slots=True)
class HubFailure:
    """An error of the driver as facts: `code` None for a connection that broke; `index` the failed statement of a bulk write."""

    code: int | None
    labels: frozenset[str]
    message: str
    index: int | None = None


def failure_of(error: PyMongoError) -> HubFailure:
    """Return what an error of the driver says."""
    labels = frozenset(label for label in _LABELS if error.has_error_label(label))
    if isinstance(error, BulkWriteError):
        failures: Iterable[Mapping[str, Any]] = error.details.get("writeErrors") or ()
        for first in failures:
            return HubFailure(first["code"], labels, str(first.get("errmsg", "")), first["index"])
        return HubFailure(64, labels, str(error))
    if isinstance(error, OperationFailure) and not isinstance(error, ConnectionFailure):
        return HubFailure(error.code, labels, str((error.details or {}).get("errmsg", error.code)))
    return HubFailure(None, labels, str(error))


def _conditions_beyond(id_value: Any) -> list[dict[str, Any]]:
    """Return filters for the `_id`s of the same type, then of all later types."""
    number = bson_type(id_value)
    place = next(at for at, types in enumerate(_ID_TYPES) if number in types)
    later = list(_ID_TYPES[place + 1 :])
    behind = {"_id": {"$type": [number for types in later for number in types]}}
    is_nan = number in (1, 19) and str(id_value).lower() == "nan"
    if number in (_MIN_KEY, _MAX_KEY):  # compared with these, every type counts
        same = []
    else:
        same = [{"_id": {"$gte": float("-inf")} if is_nan else {"$gt": id_value}}]
    return [*same, *([behind] if later else [])]


def _keyed(document: RawBSONDocument) -> tuple[bytes, bytes]:
    raw = bytes(document.raw)
    return key_string_of(raw), raw


def key_string_of(raw: bytes) -> bytes:
    """Return the key string of a document's `_id`."""
    return key_string.encode(documents.id_of(raw))


def _split(batch: bytes) -> Iterator[bytes]:
    """Iterate over the documents that a batch of a cursor is made of."""
    start = 0
    while start < len(batch):
        (size,) = _int32_at(batch, start)
        yield batch[start : start + size]
        start += size


def now() -> datetime:
    """Return the present time, for documents on the hub that expire."""
    return datetime.now(UTC)


def _abort(session: ClientSession) -> None:
    try:
        session.abort_transaction()
    except PyMongoError:
        pass  # the hub ends it by itself when its lifetime is over
