"""Watches the hub's change stream: opens it where it was left, fetches batches, hands them over with their resume token.

The commands are sent as such, not through the driver's change stream object: a batch and its token must come together, and
whether and where to resume is decided by the protocol. Update events carry no document from the hub's own look-up, which costs
it one query an event: the applier looks up all updated documents of a batch with one query. What an update changed comes along
unless an event would outgrow what the hub can send.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import pymongo
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from skerry.sync.hub import RAW_OPTIONS, Hub
from skerry.sync.hub_probe import check_history
from skerry.sync.protocol.capability import WIRE_VERSION_OF_4_2
from skerry.sync.selection import MARKERS, Selection
from skerry.values import documents

BATCH_EVENTS_MAX: Final = 1000
_OF_MARKER: Final = {"$cond": [{"$eq": ["$ns.coll", MARKERS]}, "$fullDocument", "$$REMOVE"]}
_WITHOUT_CONTENT: Final = ({"$unset": "updateDescription"}, {"$set": {"fullDocument": _OF_MARKER}})
_CLOSE_SECONDS: Final = 0.5  # the hub drops an abandoned cursor by itself


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """Some events, perhaps none, and the token behind them; `time` is a cluster time not after the token's, if known."""

    events: list[RawBSONDocument]
    token: Mapping[str, Any]
    is_last: bool


class ChangeStreamListener:
    """One open stream; used by one thread. `close` before opening it again."""

    def __init__(self, hub: Hub, selection: Selection, *, own_sessions: Sequence[bytes], with_content: bool) -> None:
        """`own_sessions` are the ids of those in which this link writes; `with_content`: events say what was written."""
        self._hub = hub
        self._selection = selection
        self._filter = selection.event_filter(own_sessions)
        self._with_content = with_content
        self._db = selection.database or "admin"
        self._session: ClientSession | None = None
        self._cursor = 0
        self._collection = ""
        self._first: StreamBatch | None = None

    def open(self, *, after: Mapping[str, Any] | None = None, at_time: int | None = None) -> Mapping[str, Any]:
        """Open the stream behind a token, at a cluster time, or from now on; return the token of where it stands.

        Raises pymongo's errors; for a time before the hub's history it is error 286.
        """
        stage: dict[str, Any] = {} if self._selection.database is not None else {"allChangesForCluster": True}
        if after is not None:
            facts = self._hub.facts
            is_old = facts is not None and facts.wire_version < WIRE_VERSION_OF_4_2
            stage["resumeAfter" if is_old else "startAfter"] = dict(after)
        elif at_time is not None:
            check_history(self._hub, at_time)
            stage["startAtOperationTime"] = Timestamp(at_time >> 32, at_time & 0xFFFFFFFF)
        pipeline: list[dict[str, Any]] = [{"$changeStream": stage}, {"$match": self._filter}]
        if not self._with_content:
            pipeline += _WITHOUT_CONTENT
        self._session = self._hub.client.start_session(causal_consistency=False)
        command = {"aggregate": 1, "pipeline": pipeline, "cursor": {"batchSize": BATCH_EVENTS_MAX}}
        batch = self._run(command, "firstBatch")
        if not batch.token:
            batch = self._more(0)
        if not batch.token:
            batch = StreamBatch(batch.events, dict(after or {}), batch.is_last)
        self._first = batch
        return batch.token

    def next_batch(self, wait_ms: int) -> StreamBatch:
        """Return the next events, waiting up to `wait_ms` for one. Raises pymongo's errors."""
        first, self._first = self._first, None
        if first is not None and first.events:
            return first
        return self._more(wait_ms)

    def close(self) -> None:
        """Let the hub know that the stream is not needed any more; idempotent."""
        session, self._session = self._session, None
        if session is None:
            return
        with suppress(PyMongoError), pymongo.timeout(_CLOSE_SECONDS):
            if self._cursor:
                command = {"killCursors": self._collection, "cursors": [Int64(self._cursor)]}
                self._hub.client[self._db].command(command, session=session)
        with suppress(PyMongoError):
            session.end_session()
        self._cursor = 0

    def _more(self, wait_ms: int) -> StreamBatch:
        command = {
            "getMore": Int64(self._cursor),
            "collection": self._collection,
            "batchSize": BATCH_EVENTS_MAX,
            "maxTimeMS": max(wait_ms, 1),
        }
        return self._run(command, "nextBatch")

    def _run(self, command: dict[str, Any], name: str) -> StreamBatch:
        reply = self._hub.client[self._db].command(command, session=self._session, codec_options=RAW_OPTIONS)
        cursor = reply["cursor"]
        self._cursor = int(cursor["id"])
        self._collection = str(cursor["ns"]).partition(".")[2]
        token = cursor.get("postBatchResumeToken")
        events = list(cursor[name])
        if token is None and events:
            token = events[-1]["_id"]
        plain = {} if token is None else documents.decode(bytes(token.raw))
        return StreamBatch(events, plain, is_last=self._cursor == 0)
