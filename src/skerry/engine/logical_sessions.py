"""Sessions of clients, the transactions in them, and the memory of retryable writes.

A retryable write's reply is stored in the transaction of the write itself, so a retry after a lost reply, or after a restart,
gets the same answer and changes nothing (manual: Retryable Writes). The in-process door has no network to lose replies on and
does not use it.
"""

import threading
import time
from typing import Final

from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.engine.transactions import Transaction, WriteClaims
from skerry.errors import NoSuchTransactionError, SkerryError, TransactionTooOldError
from skerry.storage import ReadView, Store, WriteView

COMMITTED_REPLY: Final = b""
"""Stored instead of a write's reply where the number was a transaction's, and it committed."""


class StatementAlreadyExecuted(SkerryError):  # noqa: N818  not a failure: it carries the first execution's reply
    """The same retryable write was executed before; `reply` is what was answered."""

    def __init__(self, reply: bytes) -> None:
        super().__init__("retryable write was executed before")
        self.reply = reply


def check_not_executed(view: ReadView, lsid: bytes, txn_number: int) -> None:
    """Raise `StatementAlreadyExecuted` for a retry, `TransactionTooOldError` for a number from the past."""
    row = view.row("SELECT txn_number, reply FROM retryable_write WHERE lsid = ?", (lsid,))
    if row is None or row[0] < txn_number:
        return
    if row[0] > txn_number:
        raise TransactionTooOldError(
            f"Retryable write with txnNumber {txn_number} is prohibited on session because a newer retryable write"
            f" with txnNumber {row[0]} has already started on this session."
        )
    raise StatementAlreadyExecuted(row[1])


def remember_executed(view: WriteView, lsid: bytes, txn_number: int, reply: bytes) -> None:
    """Store the reply of a write, in its own transaction."""
    view.run(
        "INSERT OR REPLACE INTO retryable_write (lsid, txn_number, reply, at) VALUES (?, ?, ?, ?)",
        (lsid, txn_number, reply, view.wall_ms),
    )


def forget_executed(view: WriteView, *, before_ms: int) -> None:
    """Drop memories of sessions that are long over."""
    view.run("DELETE FROM retryable_write WHERE at < ?", (before_ms,))


class TransactionTable:
    """The open transactions by session: at most one each. Shared by all threads."""

    def __init__(self, store: Store, catalog: CollectionCatalog, *, lifetime_ms_max: int) -> None:
        self._store = store
        self._catalog = catalog
        self._claims = WriteClaims()
        self._lock = threading.Lock()
        self._open: dict[bytes, Transaction] = {}
        self._newest: dict[bytes, int] = {}
        self._committed: dict[bytes, int] = {}
        self._lifetime_seconds_max = lifetime_ms_max / 1000

    def begin(self, lsid: bytes, txn_number: int) -> Transaction:
        """Start a transaction; an older one of the session is aborted. Raises `TransactionTooOldError`."""
        with self._lock:
            newest = self._newest.get(lsid, -1)
            if txn_number <= newest:
                raise TransactionTooOldError(
                    f"Cannot start transaction {txn_number} on session because a newer or equal transaction {newest}"
                    " has already started."
                )
            older = self._open.pop(lsid, None)
            transaction = Transaction(self._store, self._catalog, self._claims, lsid, txn_number)
            self._open[lsid] = transaction
            self._newest[lsid] = txn_number
        if older is not None:
            older.end()
        return transaction

    def resume(self, lsid: bytes, txn_number: int) -> Transaction:
        """Return the session's open transaction. Raises `NoSuchTransactionError`."""
        transaction = self._open.get(lsid)
        if transaction is None or transaction.txn_number != txn_number:
            raise NoSuchTransactionError(
                f"Given transaction number {txn_number} does not match any in-progress transactions."
            )
        if time.monotonic() - transaction.started > self._lifetime_seconds_max:
            self.abort(lsid, txn_number)
            raise NoSuchTransactionError(f"Transaction {txn_number} has been aborted: it exceeded its lifetime limit.")
        return transaction

    def finish(self, transaction: Transaction) -> None:
        """Take the transaction off the table and let go of its snapshot."""
        with self._lock:
            if self._open.get(transaction.lsid) is transaction:
                del self._open[transaction.lsid]
        transaction.end()

    def note_committed(self, lsid: bytes, txn_number: int) -> None:
        """Remember the commit of a transaction that wrote nothing, for its retry."""
        self._committed[lsid] = txn_number

    def has_committed(self, lsid: bytes, txn_number: int) -> bool:
        return self._committed.get(lsid) == txn_number

    def abort(self, lsid: bytes, txn_number: int) -> None:
        """Undo the transaction. Raises `NoSuchTransactionError`."""
        with self._lock:
            transaction = self._open.get(lsid)
            if transaction is None or transaction.txn_number != txn_number:
                raise NoSuchTransactionError(f"Transaction {txn_number} is not in progress.")
            del self._open[lsid]
        transaction.end()

    def end_session(self, lsid: bytes) -> None:
        """Abort what the session has open, and forget it."""
        with self._lock:
            transaction = self._open.pop(lsid, None)
            self._newest.pop(lsid, None)
            self._committed.pop(lsid, None)
        if transaction is not None:
            transaction.end()

    def abort_expired(self) -> None:
        """Abort the transactions that are older than the lifetime limit (MongoDB: 60 s)."""
        limit = time.monotonic() - self._lifetime_seconds_max
        for transaction in list(self._open.values()):
            if transaction.started < limit:
                self.finish(transaction)

    def count(self) -> int:
        return len(self._open)

    def close(self) -> None:
        for transaction in list(self._open.values()):
            self.finish(transaction)
