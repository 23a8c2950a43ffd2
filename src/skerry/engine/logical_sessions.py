"""Sessions of clients, the transactions in them, and the memory of retryable writes.

A retryable write's reply is stored in the transaction of the write itself, so a retry after a lost reply, or after a restart,
gets the same answer and changes nothing (manual: Retryable Writes). The in-process door has no network to lose replies on and
does not use it.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final

from skerry.auth.fair_share import FairShare
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.engine.operation_context import ClientKey
from skerry.engine.transactions import Transaction, WriteClaims
from skerry.errors import (
    NoSuchTransactionError,
    SkerryError,
    TemporarilyUnavailableError,
    TransactionTooOldError,
)
from skerry.storage import ReadView, Store, WriteView

TRANSACTIONS_MAX: Final = 500
SESSIONS_REMEMBERED_MAX: Final = 100_000
"""Of how many sessions the newest transaction number is known: memory that clients cannot make grow without bound."""
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


@dataclass(slots=True)
class _Newest:
    """A session's newest transaction; `committed` is only set for one that wrote nothing, others are in the store."""

    txn_number: int
    committed: bool = False


class TransactionTable:
    """The open transactions by session: at most one each. Shared by all threads."""

    def __init__(
        self,
        store: Store,
        catalog: CollectionCatalog,
        *,
        lifetime_ms_max: int,
        transactions_max: int = TRANSACTIONS_MAX,
    ) -> None:
        self._share: FairShare[ClientKey] = FairShare(transactions_max)
        self._store = store
        self._catalog = catalog
        self._claims = WriteClaims()
        self._lock = threading.Lock()
        self._open: dict[bytes, Transaction] = {}
        self._newest: dict[bytes, _Newest] = {}  # the least recently used session first
        self._lifetime_seconds_max = lifetime_ms_max / 1000

    def begin(self, lsid: bytes, txn_number: int, client: ClientKey | None = None) -> Transaction:
        """Start a transaction; an older one of the session is aborted.

        Raises `TransactionTooOldError`, `TemporarilyUnavailableError` when there are too many and none is to give way.
        """
        with self._lock:
            newest = self._newest.get(lsid)
            if newest is not None and txn_number <= newest.txn_number:
                raise TransactionTooOldError(
                    f"Cannot start transaction {txn_number} on session because a newer or equal transaction"
                    f" {newest.txn_number} has already started."
                )
            ended = [self._take_off(lsid)]
            if client is not None:
                ended.append(self._make_room(client))
                self._share.take(client)
            transaction = Transaction(self._store, self._catalog, self._claims, lsid, txn_number, client)
            self._open[lsid] = transaction
            self._remember(lsid, txn_number)
        for other in ended:
            if other is not None:
                other.end()
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
                self._take_off(transaction.lsid)
        transaction.end()

    def note_committed(self, lsid: bytes, txn_number: int) -> None:
        """Remember the commit of a transaction that wrote nothing, for its retry."""
        newest = self._newest.get(lsid)
        if newest is not None and newest.txn_number == txn_number:
            newest.committed = True

    def has_committed(self, lsid: bytes, txn_number: int) -> bool:
        """Whether the session's newest transaction is this one, wrote nothing, and was committed."""
        newest = self._newest.get(lsid)
        return newest is not None and newest.committed and newest.txn_number == txn_number

    def abort(self, lsid: bytes, txn_number: int) -> None:
        """Undo the transaction. Raises `NoSuchTransactionError`."""
        with self._lock:
            transaction = self._open.get(lsid)
            if transaction is None or transaction.txn_number != txn_number:
                raise NoSuchTransactionError(f"Transaction {txn_number} is not in progress.")
            self._take_off(lsid)
        transaction.end()

    def end_session(self, lsid: bytes) -> None:
        """Abort what the session has open, and forget it."""
        with self._lock:
            transaction = self._take_off(lsid)
            self._newest.pop(lsid, None)
        if transaction is not None:
            transaction.end()

    def abort_expired(self) -> None:
        """Abort the transactions that are older than the lifetime limit (MongoDB: 60 s)."""
        limit = time.monotonic() - self._lifetime_seconds_max
        for transaction in list(self._open.values()):
            if transaction.started < limit:
                self.finish(transaction)

    def sessions(self) -> set[bytes]:
        """Return the sessions that have a transaction open."""
        return set(self._open)

    def count(self) -> int:
        return len(self._open)

    def close(self) -> None:
        for transaction in list(self._open.values()):
            self.finish(transaction)

    def _remember(self, lsid: bytes, txn_number: int) -> None:
        self._newest.pop(lsid, None)
        self._newest[lsid] = _Newest(txn_number)
        if len(self._newest) > SESSIONS_REMEMBERED_MAX:
            del self._newest[next(iter(self._newest))]

    def _take_off(self, lsid: bytes) -> Transaction | None:
        transaction = self._open.pop(lsid, None)
        if transaction is not None and transaction.client is not None:
            self._share.give_back(transaction.client)
        return transaction

    def _make_room(self, client: ClientKey) -> Transaction | None:
        """Take the oldest transaction of the client who has the most off the table, when all places are taken."""
        holder = self._share.must_yield(client)
        if holder is None:
            return None
        if holder == client:
            raise TemporarilyUnavailableError(
                f"too many open transactions: the limit is {self._share.places}", labels=("TransientTransactionError",)
            )
        oldest = min((each for each in self._open.values() if each.client == holder), key=lambda each: each.started)
        return self._take_off(oldest.lsid)
