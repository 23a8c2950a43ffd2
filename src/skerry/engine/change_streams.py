"""Oplog entries as change events: filtered, resumable, waited for (manual: Change Events)."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from bson.binary import UUID_SUBTYPE, Binary
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

from skerry.engine import oplog
from skerry.engine.change_stream_options import ChangeStreamOptions, check_history
from skerry.engine.change_stream_pipeline import ChangeStreamPipeline
from skerry.engine.commit_signal import CommitSignal
from skerry.engine.cursor import ActiveOperation, Cursor
from skerry.engine.operation_context import OperationContext
from skerry.engine.oplog import OplogEntry
from skerry.engine.resume_token import EVENT, HIGH_WATER_MARK, INVALIDATE, ResumeToken
from skerry.errors import ChangeStreamFatalError
from skerry.storage import ReadView
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

ENTRIES_A_READ: Final = 1000
_OPERATION: Final = {oplog.INSERT: "insert", oplog.UPDATE: "update", oplog.REPLACE: "replace", oplog.DELETE: "delete"}
_EXPANDED: Final = frozenset({oplog.CREATE, oplog.CREATE_INDEXES, oplog.DROP_INDEXES, oplog.MODIFY})
_ENDS_COLLECTION: Final = frozenset({oplog.DROP, oplog.RENAME, oplog.DROP_DATABASE})
_DISAMBIGUATED: Final = b"\x03disambiguatedPaths\x00"
_NO_USER: Final = Binary(b"", 0)


class StreamReader(Protocol):
    """What a change stream needs of the engine."""

    commit_signal: CommitSignal

    def read(self) -> AbstractContextManager[ReadView]:
        """Open a short read transaction."""
        ...

    def lookup(self, view: ReadView, namespace: Namespace, key: bytes) -> bytes | None:
        """Return the newest committed version of a document."""
        ...


class ChangeStreamCursor(Cursor):
    """A tailable cursor over the oplog; never exhausted but by an invalidation."""

    is_tailable = True

    def __init__(
        self,
        namespace: Namespace,
        options: ChangeStreamOptions,
        pipeline: ChangeStreamPipeline,
        reader: StreamReader,
        operation: ActiveOperation,
    ) -> None:
        super().__init__(namespace, iter(()), operation)
        self._options = options
        self._pipeline = pipeline
        self._reader = reader
        self._ready: deque[tuple[ResumeToken, bytes]] = deque()
        self._invalidated = False
        self._kind: object = None  # of the last entry, and whether the pipeline may let its like through
        self._keeps_kind = True
        with reader.read() as view:
            self._scanned = options.start_position(view)
        self._token = ResumeToken(self._scanned, HIGH_WATER_MARK)

    @property
    def post_batch_resume_token(self) -> dict[str, Any]:
        return self._token.to_document()

    def next_batch(self, max_documents: int | None, max_bytes: int, ctx: OperationContext) -> list[bytes]:
        self._operation.context = ctx
        self.last_used = time.monotonic()
        if max_documents == 0:
            return []
        batch: list[bytes] = []
        size = 0
        while True:
            self._operation.check()
            if not self._ready and not self._read_more():
                break
            while self._ready:
                token, raw = self._ready[0]
                size += len(raw)
                if batch and (size > max_bytes or len(batch) == max_documents):
                    return batch
                self._ready.popleft()
                batch.append(raw)
                self._token = token
            if batch:
                break
        if not self._ready:
            kind = INVALIDATE if self._invalidated else HIGH_WATER_MARK
            self._token = ResumeToken(self._scanned, kind)
            self.exhausted = self._invalidated
        return batch

    def await_data(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        signal = self._reader.commit_signal
        while not self.exhausted:
            seen = signal.commits
            with self._reader.read() as view:
                if oplog.last_timestamp(view) > self._scanned:
                    return
            left = deadline - time.monotonic()
            if left <= 0:
                return
            signal.wait(seen, left)
            self._operation.check()

    def close(self) -> None:
        self.exhausted = True

    def _read_more(self) -> bool:
        """Scan some entries into `_ready`; false when there are none."""
        if self._invalidated:
            return False
        with self._reader.read() as view:
            check_history(view, self._scanned)
            entries = oplog.entries_after(view, self._scanned, ENTRIES_A_READ)
            if not entries:
                return False
            for event in self._pipeline.run(self._events(view, entries)):
                token = event.get("_id")
                if not isinstance(token, Mapping) or "_data" not in token:
                    raise ChangeStreamFatalError(
                        "Encountered an event whose _id field, which contains the resume token, was modified by the"
                        " pipeline. Modifying the _id field of an event makes it impossible to resume the stream."
                    )
                self._ready.append((ResumeToken.from_document(token), documents.encode(event)))
        return True

    def _events(self, view: ReadView, entries: Sequence[OplogEntry]) -> Iterator[dict[str, Any]]:
        for entry in entries:
            if self._invalidated:
                return
            if self._concerns(entry) and self._is_kept(entry):
                event = self._event(view, entry)
                if event is not None:
                    yield event
                if self._ends(entry):
                    self._invalidated = True
                    yield _invalidate_event(entry)
            self._scanned = entry.timestamp

    def _is_kept(self, entry: OplogEntry) -> bool:
        """Whether the first filters of the pipeline let the entry's event through, as far as that is known without it."""
        if entry.op not in _OPERATION:
            return True
        kind = (entry.op, entry.namespace, entry.lsid, entry.txn_number)
        if kind != self._kind:
            self._kind = kind
            self._keeps_kind = self._pipeline.keeps(_shared(entry))
        return self._keeps_kind

    def _concerns(self, entry: OplogEntry) -> bool:
        options, namespace = self._options, entry.namespace
        if options.db is None:
            return namespace.db not in ("admin", "config", "local")
        if options.coll is None:
            return namespace.db == options.db
        if entry.op == oplog.DROP_DATABASE:
            return namespace.db == options.db
        return namespace == (options.db, options.coll) or (
            entry.op == oplog.RENAME and _details(entry)["to"] == f"{options.db}.{options.coll}"
        )

    def _ends(self, entry: OplogEntry) -> bool:
        if self._options.coll is not None:
            return entry.op in _ENDS_COLLECTION
        return self._options.db is not None and entry.op == oplog.DROP_DATABASE

    def _event(self, view: ReadView, entry: OplogEntry) -> dict[str, Any] | None:
        namespace = entry.namespace
        if entry.op in _OPERATION:
            return self._document_event(view, entry)
        if entry.op in _EXPANDED:
            if not self._options.show_expanded_events:
                return None
            event = _head(entry, entry.op)
            event["ns"] = {"db": namespace.db, "coll": namespace.coll}
            event["operationDescription"] = _details(entry).get("description", {})
        elif entry.op == oplog.DROP:
            event = _head(entry, "drop")
            event["ns"] = {"db": namespace.db, "coll": namespace.coll}
        elif entry.op == oplog.RENAME:
            event = _head(entry, "rename")
            event["ns"] = {"db": namespace.db, "coll": namespace.coll}
            target = Namespace.parse(_details(entry)["to"])
            event["to"] = {"db": target.db, "coll": target.coll}
        elif entry.op == oplog.DROP_DATABASE:
            if self._options.coll is not None:
                return None
            event = _head(entry, "dropDatabase")
            event["ns"] = {"db": namespace.db}
        else:
            return None
        if self._options.show_expanded_events and "uuid" in _details(entry):
            event["collectionUUID"] = Binary(_details(entry)["uuid"], UUID_SUBTYPE)
        return event

    def _document_event(self, view: ReadView, entry: OplogEntry) -> dict[str, Any]:
        event = _head(entry, _OPERATION[entry.op])
        namespace = entry.namespace
        if entry.op in (oplog.INSERT, oplog.REPLACE):
            assert entry.o is not None
            event["fullDocument"] = _raw(entry.o)
            document_key = {"_id": documents.id_of(entry.o)}
        else:
            assert entry.id_document is not None
            document_key = documents.decode(entry.id_document)
            if entry.op == oplog.UPDATE:
                assert entry.o is not None
                if self._options.lookup is None:
                    event["fullDocument"] = None
                elif self._options.lookup:
                    current = self._reader.lookup(view, namespace, key_string.encode(document_key["_id"]))
                    event["fullDocument"] = None if current is None else _raw(current)
                event["updateDescription"] = self._description(entry.o)
        event["ns"] = {"db": namespace.db, "coll": namespace.coll}
        event["documentKey"] = document_key
        if self._options.shows_document_before and entry.op != oplog.INSERT:
            event["fullDocumentBeforeChange"] = None
        return event

    def _description(self, raw: bytes) -> Mapping[str, Any]:
        """Return an update's description in the form that was asked for."""
        if not self._options.show_expanded_events and _DISAMBIGUATED not in raw:
            return _raw(raw)
        description = documents.decode(raw)
        if self._options.show_expanded_events:
            description.setdefault("disambiguatedPaths", {})
        else:
            description.pop("disambiguatedPaths", None)
        return description


def _raw(document: bytes) -> RawBSONDocument:
    return RawBSONDocument(document, documents.RAW_OPTIONS)


def _head(entry: OplogEntry, operation: str) -> dict[str, Any]:
    return {
        "_id": ResumeToken(entry.timestamp, EVENT).to_document(),
        "operationType": operation,
        "clusterTime": oplog.as_timestamp(entry.timestamp),
        "wallTime": DatetimeMS(entry.wall_ms),
        **_transaction(entry),
    }


def _transaction(entry: OplogEntry) -> dict[str, Any]:
    if entry.lsid is None or entry.txn_number is None:
        return {}
    lsid = {"id": Binary(entry.lsid[:16], UUID_SUBTYPE), "uid": entry.lsid[16:] or _NO_USER}
    return {"lsid": lsid, "txnNumber": Int64(entry.txn_number)}


def _shared(entry: OplogEntry) -> dict[str, Any]:
    """Return what the events of all writes of the entry's kind have in common (see `change_stream_pipeline.SHARED`)."""
    namespace = entry.namespace
    ns = {"db": namespace.db, "coll": namespace.coll}
    return {"operationType": _OPERATION[entry.op], **_transaction(entry), "ns": ns}


def _invalidate_event(entry: OplogEntry) -> dict[str, Any]:
    event = _head(entry, "invalidate")
    event["_id"] = ResumeToken(entry.timestamp, INVALIDATE).to_document()
    return event


def _details(entry: OplogEntry) -> dict[str, Any]:
    return documents.decode(entry.o) if entry.o is not None else {}
