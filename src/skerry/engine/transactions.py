"""Multi-document transactions: a snapshot, and an overlay of the transaction's own writes.

Optimistic, because the writer of a store is one and a client may be far away: a transaction that took the writer at its first
write would let one silent edge stop every other client for a minute. Instead its writes stay in an overlay that only its own
reads merge in; `commitTransaction` takes the writer once, checks that no document it wrote has changed since the snapshot
(first committer wins), and applies everything through the ordinary write path. A conflict is `WriteConflict` 112 with
`TransientTransactionError`, found at the statement where possible and at the commit for certain.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.catalog.collection_catalog import CatalogSnapshot, CollectionCatalog
from skerry.catalog.index_records import CommitGuard
from skerry.engine.operation_context import Check, ClientKey
from skerry.engine.query_executor import CHUNK_RECORDS_FIRST, Match, id_key, run_solution
from skerry.engine.write_path import ID_INDEX_NAME, duplicate_key_error
from skerry.errors import CommandError, DuplicateKeyError, NoSuchTransactionError, WriteConflictError
from skerry.matcher.compile import Filter
from skerry.planner.query_solution import QuerySolution
from skerry.storage import ReadView, Snapshot, Store
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

UNCOMMITTED_FILE_ID: Final = -1
TRANSACTION_BYTES_MAX: Final = 64 * 1024 * 1024
TRANSACTION_TOO_LARGE: Final = 257


@dataclass(slots=True)
class PendingWrite:
    """One write of the transaction, in statement order; `before` is None for an insert, `after` for a delete."""

    namespace: Namespace
    key: bytes
    before: bytes | None
    after: bytes | None
    is_replacement: bool


@dataclass(slots=True)
class CollectionOverlay:
    """What the transaction did to one collection: per `_id` key the version now, and the one in the snapshot.

    `is_created` where the transaction asked for the collection itself, not just wrote to one that did not exist.
    """

    entry: CatalogEntry
    current: dict[bytes, bytes | None] = field(default_factory=dict)
    base: dict[bytes, bytes | None] = field(default_factory=dict)
    unique: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    is_created: bool = False


class Transaction:
    """An open transaction of one session; a `RecordSource` of its own. Used by one thread at a time (`lock`).

    `guards`, each with its database, are what else must hold when it commits: that a coordinated operation still has its lease.
    """

    def __init__(
        self,
        store: Store,
        catalog: CollectionCatalog,
        claims: "WriteClaims",
        lsid: bytes,
        txn_number: int,
        client: ClientKey | None = None,
    ) -> None:
        self.lsid = lsid
        self.client = client
        self.txn_number = txn_number
        self.started = time.monotonic()
        self.lock = threading.RLock()
        self.writes: list[PendingWrite] = []
        self.overlays: dict[Namespace, CollectionOverlay] = {}
        self.guards: list[tuple[str, CommitGuard]] = []
        self._bytes = 0
        self._store = store
        self._catalog = catalog
        self._claims = claims
        self._snapshot: Snapshot | None = None
        self._newest_at_snapshot = -1
        self._ended = False

    # RecordSource

    def catalog(self) -> CatalogSnapshot:
        return self._catalog.snapshot(self._view())

    def entry(self, namespace: Namespace) -> CatalogEntry | None:
        overlay = self.overlays.get(namespace)
        return overlay.entry if overlay is not None else self.catalog().get(namespace)

    def view(self) -> AbstractContextManager[ReadView]:
        return nullcontext(self._view())

    def keeps_index_order(self, namespace: Namespace) -> bool:
        overlay = self.overlays.get(namespace)
        return overlay is None or (not overlay.current and overlay.entry.file_id != UNCOMMITTED_FILE_ID)

    def matches(
        self,
        solution: QuerySolution,
        entry: CatalogEntry,
        filter: Filter,
        check: Check,
        *,
        first_chunk: int = CHUNK_RECORDS_FIRST,
        need_documents: bool = True,
    ) -> Iterator[Match]:
        """Iterate over the snapshot's matches, the transaction's own versions in place of the snapshot's."""
        overlay = self.overlays.get(entry.namespace)
        if entry.file_id == UNCOMMITTED_FILE_ID:
            return iter(()) if overlay is None else self._own_matches(overlay, filter)
        if overlay is None or not overlay.current:
            return run_solution(
                solution,
                entry,
                filter,
                self.view,
                check=check,
                first_chunk=first_chunk,
                need_documents=need_documents,
            )
        return self._merged(overlay, run_solution(solution, entry, filter, self.view, check=check), filter)

    # writes

    def ensure_entry(self, namespace: Namespace, make: Callable[[], CatalogEntry]) -> CatalogEntry:
        """Return the collection, as one to be created at the commit when it does not exist."""
        entry = self.entry(namespace)
        if entry is None:
            self._catalog.check_auto_create(namespace)
            entry = make()
        return self._overlay(entry).entry

    @property
    def changes_anything(self) -> bool:
        return bool(self.writes) or any(overlay.is_created for overlay in self.overlays.values())

    def create(self, entry: CatalogEntry) -> CatalogEntry:
        """Have the commit create a collection that does not exist."""
        self.overlays[entry.namespace] = CollectionOverlay(entry, is_created=True)
        return entry

    def add_index(self, namespace: Namespace, index: IndexEntry) -> CatalogEntry:
        """Have the commit build an index of a collection that it creates; return the collection with it."""
        overlay = self.overlays[namespace]
        overlay.entry = replace(overlay.entry, indexes=(*overlay.entry.indexes, index))
        return overlay.entry

    def insert(self, entry: CatalogEntry, raw: bytes, id_value: Any) -> None:
        """Add a document. Raises `DuplicateKeyError`, `WriteConflictError`."""
        overlay = self._overlay(entry)
        key = key_string.encode(id_value)
        is_known = key in overlay.current
        if (overlay.current[key] if is_known else self._in_snapshot(overlay, key)) is not None:
            raise DuplicateKeyError(str(entry.namespace), ID_INDEX_NAME, {"_id": 1}, {"_id": id_value})
        if not is_known:
            self._first_write(overlay, key, None)
        self._put(overlay, key, None, raw, is_replacement=False)

    def insert_together(self, entry: CatalogEntry, prepared: Sequence[tuple[bytes, bytes]]) -> bool:
        """Add documents, as (key string of the `_id`, raw); false, and none is added, when that needs a look at each."""
        overlay = self._overlay(entry)
        added = dict(prepared)
        size = self._bytes + sum(map(len, added.values()))
        if (
            len(added) < len(prepared)
            or size > TRANSACTION_BYTES_MAX
            or any(index.descriptor.unique for index in entry.indexes)
            or not added.keys().isdisjoint(overlay.base)
            or any(self._in_snapshot(overlay, key) is not None for key in added)
            or not self._claims.claim_all(self, entry, added)
        ):
            return False
        if self._has_moved(entry):
            with self._store.read() as view:
                if not self._is_there(view, entry) or any(view.record_by_key(entry.file_id, key) for key in added):
                    return False
        self._bytes = size
        overlay.base.update(dict.fromkeys(added))
        overlay.current.update(added)
        namespace = entry.namespace
        self.writes += [PendingWrite(namespace, key, None, raw, is_replacement=False) for key, raw in prepared]
        return True

    def replace(self, entry: CatalogEntry, before: bytes, new: Mapping[str, Any], *, is_replacement: bool) -> bytes:
        """Put `new` in place of `before` and return it raw."""
        after = documents.encode(new)
        documents.check_size(after)
        self._put(self._overlay(entry), key_string.encode(new["_id"]), before, after, is_replacement=is_replacement)
        return after

    def delete(self, entry: CatalogEntry, before: bytes) -> None:
        self._put(self._overlay(entry), key_string.encode(documents.id_of(before)), before, None, is_replacement=False)

    def end(self) -> None:
        """Let go of the snapshot and of the claims; idempotent."""
        with self.lock:
            self._ended = True
            self.release_claims()
            self.let_go_of_snapshot()

    def release_claims(self) -> None:
        """Let others write the documents: the writes are committed, or never will be."""
        self._claims.release(self)

    def let_go_of_snapshot(self) -> None:
        """Read no more: what is left is to commit.

        A snapshot that outlives its own commit keeps the write-ahead log from starting over; with one transaction after the
        other it never would, and every commit would try to move it into the database file (measured: 0.5 ms a commit).
        """
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is not None:
            snapshot.close()

    def check_open(self) -> None:
        """Raise `NoSuchTransactionError` when the transaction has ended."""
        if self._ended:
            raise NoSuchTransactionError(f"Transaction with {{ txnNumber: {self.txn_number} }} has been aborted.")

    def _view(self) -> ReadView:
        self.check_open()
        if self._snapshot is None:
            self._newest_at_snapshot = self._store.last_timestamp
            self._snapshot = self._store.snapshot()
        return self._snapshot.view

    def _overlay(self, entry: CatalogEntry) -> CollectionOverlay:
        overlay = self.overlays.get(entry.namespace)
        if overlay is None:
            overlay = self.overlays[entry.namespace] = CollectionOverlay(entry)
        return overlay

    def _in_snapshot(self, overlay: CollectionOverlay, key: bytes) -> bytes | None:
        if overlay.entry.file_id == UNCOMMITTED_FILE_ID:
            return None
        record = self._view().record_by_key(overlay.entry.file_id, key)
        return None if record is None else record[1]

    def _put(
        self, overlay: CollectionOverlay, key: bytes, before: bytes | None, after: bytes | None, *, is_replacement: bool
    ) -> None:
        self._bytes += len(after or b"")
        if self._bytes > TRANSACTION_BYTES_MAX:
            raise CommandError("the transaction's writes exceed 64 MiB", TRANSACTION_TOO_LARGE)
        if key not in overlay.base:
            self._first_write(overlay, key, self._in_snapshot(overlay, key))
        self._move_unique_keys(overlay, key, before, after)
        overlay.current[key] = after
        self.writes.append(PendingWrite(overlay.entry.namespace, key, before, after, is_replacement))

    def _first_write(self, overlay: CollectionOverlay, key: bytes, base: bytes | None) -> None:
        self._claims.claim(self, overlay.entry, key)
        self._check_unchanged(overlay.entry, key, base)
        overlay.base[key] = base

    def _has_moved(self, entry: CatalogEntry) -> bool:
        """Whether this process has committed anything since the snapshot, which also has the collection."""
        return entry.file_id != UNCOMMITTED_FILE_ID and self._store.last_timestamp != self._newest_at_snapshot

    def _is_there(self, view: ReadView, entry: CatalogEntry) -> bool:
        """Whether `view` has the collection, the same one."""
        current = self._catalog.snapshot(view).get(entry.namespace)
        return current is not None and current.file_id == entry.file_id

    def _check_unchanged(self, entry: CatalogEntry, key: bytes, base: bytes | None) -> None:
        """Find a conflict early. What other processes commit is only seen once this one commits something, or at our commit."""
        if not self._has_moved(entry):
            return
        with self._store.read() as view:
            if not self._is_there(view, entry):
                raise WriteConflictError("the collection was dropped since the transaction's snapshot")
            record = view.record_by_key(entry.file_id, key)
        if (None if record is None else record[1]) != base:
            raise WriteConflictError("Write conflict: the document changed since the transaction's snapshot")

    def _move_unique_keys(
        self, overlay: CollectionOverlay, key: bytes, before: bytes | None, after: bytes | None
    ) -> None:
        for index in overlay.entry.indexes:
            if not index.descriptor.unique:
                continue
            if before is not None:
                for index_key in index.key_generator.keys(documents.decode(before))[0]:
                    if overlay.unique.get((index.index_id, index_key)) == key:
                        del overlay.unique[index.index_id, index_key]
            if after is None:
                continue
            document = documents.decode(after)
            for index_key in index.key_generator.keys(document)[0]:
                if self._is_taken(overlay, index.index_id, index_key, key):
                    raise duplicate_key_error(overlay.entry, index, document)
                overlay.unique[index.index_id, index_key] = key

    def _is_taken(self, overlay: CollectionOverlay, index_id: int, index_key: bytes, own_key: bytes) -> bool:
        holder = overlay.unique.get((index_id, index_key))
        if holder is not None and holder != own_key:
            return True
        if overlay.entry.file_id == UNCOMMITTED_FILE_ID:
            return False
        view, file_id = self._view(), overlay.entry.file_id
        rid = view.index_holder(index_id, file_id, index_key)
        raw = None if rid is None else view.record(file_id, rid)
        if raw is None:
            return False
        holder = key_string.encode(documents.id_of(raw))
        return holder != own_key and holder not in overlay.current

    def _merged(self, overlay: CollectionOverlay, committed: Iterator[Match], filter: Filter) -> Iterator[Match]:
        for rid, raw, document in committed:
            assert document is not None
            if id_key(document) not in overlay.current:
                yield rid, raw, document
        yield from self._own_matches(overlay, filter)

    def _own_matches(self, overlay: CollectionOverlay, filter: Filter) -> Iterator[Match]:
        for raw in list(overlay.current.values()):
            if raw is not None:
                document = documents.decode(raw)
                if filter.matches(document):
                    yield -1, raw, document


class WriteClaims:
    """Which open transaction of this process wrote which document: a second writer conflicts at once, as in MongoDB."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[tuple[int, bytes], Transaction] = {}
        self._of: dict[int, list[tuple[int, bytes]]] = {}

    def claim(self, transaction: Transaction, entry: CatalogEntry, key: bytes) -> None:
        """Raises `WriteConflictError` when another open transaction has written the document."""
        if entry.file_id == UNCOMMITTED_FILE_ID:
            return
        claim = (entry.file_id, key)
        with self._lock:
            holder = self._claims.setdefault(claim, transaction)
            if holder is not transaction:
                raise WriteConflictError("Write conflict: another transaction is writing the document")
            self._of.setdefault(id(transaction), []).append(claim)

    def claim_all(self, transaction: Transaction, entry: CatalogEntry, keys: Iterable[bytes]) -> bool:
        """Claim several documents that the transaction has not written yet; false, and none, when another one has."""
        if entry.file_id == UNCOMMITTED_FILE_ID:
            return True
        claims = dict.fromkeys([(entry.file_id, key) for key in keys], transaction)
        with self._lock:
            if not claims.keys().isdisjoint(self._claims):
                return False
            self._claims.update(claims)
            self._of.setdefault(id(transaction), []).extend(claims)
        return True

    def release(self, transaction: Transaction) -> None:
        with self._lock:
            for claim in self._of.pop(id(transaction), ()):
                self._claims.pop(claim, None)
