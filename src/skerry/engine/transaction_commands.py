"""Multi-document transactions from begin to end: startTransaction, commitTransaction, abortTransaction."""

from collections.abc import Sequence
from itertools import groupby

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine import commit_guards
from skerry.engine.logical_sessions import COMMITTED_REPLY, TransactionTable, remember_executed
from skerry.engine.operation_context import OperationContext
from skerry.engine.oplog import OplogBuffer
from skerry.engine.storage_engine import StorageEngine
from skerry.engine.transaction_schema import commit_entry
from skerry.engine.transactions import UNCOMMITTED_FILE_ID, CollectionOverlay, PendingWrite, Transaction
from skerry.engine.write_path import CollectionWriter
from skerry.errors import DuplicateKeyError, NoSuchTransactionError, TransactionCommittedError, WriteConflictError
from skerry.storage import KeyTakenError, WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace


class TransactionCommands:
    """Begins, resumes and ends the transactions of one engine."""

    def __init__(self, engine: StorageEngine, table: TransactionTable) -> None:
        self._engine = engine
        self._table = table

    def begin_transaction(self, ctx: OperationContext) -> Transaction:
        """Start the operation's transaction. Its snapshot is taken by its first read or write.

        Raises `TransactionTooOldError`.
        """
        assert ctx.lsid is not None
        assert ctx.txn_number is not None
        return self._table.begin(ctx.lsid, ctx.txn_number, ctx.client)

    def transaction(self, lsid: bytes, txn_number: int) -> Transaction:
        """Return the open transaction. Raises `NoSuchTransactionError`."""
        return self._table.resume(lsid, txn_number)

    def commit_transaction(self, lsid: bytes, txn_number: int, ctx: OperationContext) -> None:
        """Apply the transaction's writes, all or none; committing a committed one again does nothing.

        Raises `NoSuchTransactionError`, `WriteConflictError` when a document changed since the snapshot; the transaction is
        aborted then. So it is by `CoordinationTimeoutError` and `ModificationConflictError` from its guards.
        """
        try:
            transaction = self._table.resume(lsid, txn_number)
        except NoSuchTransactionError:
            if self._was_committed(lsid, txn_number):
                return
            raise
        with transaction.lock:
            transaction.check_open()
            try:
                if transaction.changes_anything or transaction.guards:
                    transaction.let_go_of_snapshot()
                    self._engine.write(lambda view: self._apply(view, transaction, ctx), ctx)
                else:
                    self._table.note_committed(lsid, txn_number)
            finally:
                self._table.finish(transaction)

    def abort_transaction(self, lsid: bytes, txn_number: int) -> None:
        """Undo a transaction. Raises `NoSuchTransactionError`, `TransactionCommittedError`."""
        try:
            self._table.abort(lsid, txn_number)
        except NoSuchTransactionError:
            if self._was_committed(lsid, txn_number):
                raise TransactionCommittedError(f"Transaction {txn_number} has been committed.") from None
            raise

    def _was_committed(self, lsid: bytes, txn_number: int) -> bool:
        if self._table.has_committed(lsid, txn_number):
            return True
        with self._engine.read() as view:
            row = view.row("SELECT txn_number, reply FROM retryable_write WHERE lsid = ?", (lsid,))
        return row is not None and row[0] == txn_number and row[1] == COMMITTED_REPLY

    def _apply(self, view: WriteView, transaction: Transaction, ctx: OperationContext) -> None:
        engine = self._engine
        for db, guard in transaction.guards:
            commit_guards.check(view, engine.catalog, db, guard)
        log = OplogBuffer(view, lsid=transaction.lsid, txn_number=transaction.txn_number, origin=ctx.origin)
        writers: dict[Namespace, CollectionWriter] = {}
        for namespace, overlay in transaction.overlays.items():
            if not overlay.base and not overlay.is_created:
                continue
            entry = self._current_entry(view, namespace, overlay, log)
            _check_unchanged(view, entry, overlay)
            writers[namespace] = CollectionWriter(
                view, engine.catalog, entry, log, engine.observers, origin=ctx.origin, validate=False
            )
        for (namespace, is_insert), run in groupby(
            transaction.writes, lambda each: (each.namespace, each.before is None)
        ):
            if is_insert:
                _replay_inserts(writers[namespace], list(run))
            else:
                for write in run:
                    _replay(view, writers[namespace], write)
        for writer in writers.values():
            writer.finish()
        if engine.observers:
            places = list(dict.fromkeys((write.namespace, write.key) for write in transaction.writes))
            for observer in engine.observers:
                observer.on_transaction_commit(view, places, ctx.origin)
        for db, guard in transaction.guards:
            commit_guards.sign(view, engine.catalog, db, guard, log)
        log.flush()
        remember_executed(view, transaction.lsid, transaction.txn_number, COMMITTED_REPLY)
        # At once: whoever sees the commit, as the next holder of its lease does, must not collide with what is over.
        view.after_commit.append(transaction.release_claims)

    def _current_entry(
        self, view: WriteView, namespace: Namespace, overlay: CollectionOverlay, log: OplogBuffer
    ) -> CatalogEntry:
        catalog = self._engine.catalog
        entry = catalog.snapshot(view).get(namespace)
        if overlay.entry.file_id == UNCOMMITTED_FILE_ID:
            if entry is None:
                return commit_entry(view, catalog, overlay.entry, log)
            if overlay.is_created:
                raise WriteConflictError(f"the collection {namespace} was created since the transaction's snapshot")
            return entry
        if entry is None or entry.file_id != overlay.entry.file_id:
            raise WriteConflictError(f"the collection {namespace} was dropped since the transaction's snapshot")
        return entry


def _check_unchanged(view: WriteView, entry: CatalogEntry, overlay: CollectionOverlay) -> None:
    """Raise `WriteConflictError` when a document that was there is another now. One that was not is inserted, which tells."""
    for key, base in overlay.base.items():
        if base is None:
            continue
        record = view.record_by_key(entry.file_id, key)
        if record is None or record[1] != base:
            raise WriteConflictError("Write conflict: a document changed since the transaction's snapshot")


def _replay_inserts(writer: CollectionWriter, writes: Sequence[PendingWrite]) -> None:
    try:
        writer.insert_many([(each.key, each.after) for each in writes if each.after is not None])
    except (KeyTakenError, DuplicateKeyError) as error:
        raise WriteConflictError(
            "Write conflict: a key that was free is taken since the transaction's snapshot"
        ) from error


def _replay(view: WriteView, writer: CollectionWriter, write: PendingWrite) -> None:
    assert write.before is not None
    try:
        record = view.record_by_key(writer.entry.file_id, write.key)
        assert record is not None  # `_check_unchanged` saw the base, and every write since is replayed in order
        if write.after is None:
            writer.delete(record[0], write.before)
        else:
            old, new = documents.decode(write.before), documents.decode(write.after)
            writer.replace(record[0], write.before, old, new, is_replacement=write.is_replacement, after=write.after)
    except DuplicateKeyError as error:
        # at its statement the key was free: somebody else has committed it since
        raise WriteConflictError(f"Write conflict: {error}") from error
