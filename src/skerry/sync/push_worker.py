"""Pushes the dirty set, batch by batch: one hub transaction each, marker first, every document compared with its base.

Crash cases: a batch is marked in the store, durably, before anything is sent; what became of one that has no answer is settled
by a fence, a document with the marker's own `_id`: either it gets in, and the batch can never commit, or the marker is there.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from skerry.storage import ReadView, WriteView
from skerry.sync import link_log
from skerry.sync.batch_fence import HubLostError, commit, outcome_of
from skerry.sync.fair_lock import FairLock
from skerry.sync.guarded_push import GuardedPush
from skerry.sync.guarded_writes import Guarded
from skerry.sync.hub import HubFailure, failure_of
from skerry.sync.hub_writes import MarkerTakenError, PushItem, Written, write_batch
from skerry.sync.link import LeftOut, Link
from skerry.sync.origin import Identity
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import Shadow, State, content_hash
from skerry.sync.protocol.event_grouping import BatchId
from skerry.sync.protocol.push_batch import DUPLICATE_KEY, Failure, classify_failure
from skerry.sync.push_records import OpenBatch, PushRecords
from skerry.sync.push_sessions import lsid_of
from skerry.sync.push_units import PushUnits
from skerry.sync.shadow import Tracked
from skerry.tracing import span
from skerry.values.namespace import Namespace

ATTEMPTS_MAX: Final = 6
LEFT_OUT_MS: Final = 250
LEFT_OUT_ATTEMPTS_MAX: Final = 4
REFUSED_MS: Final = 5_000
REFUSED_MS_MAX: Final = 3_600_000


@dataclass(slots=True)
class Prepared:
    """A batch that the store knows to be on its way."""

    id: BatchId
    db: str
    items: list[PushItem]
    looks: bool
    """Whether the hub's versions are read first; documents that it has never heard of are just inserted."""

    vacates: bool = False
    """Whether all old versions go before any new one comes, so that unique values can be exchanged."""

    @property
    def is_indivisible(self) -> bool:
        """Whether it is one document, or one group."""
        return len(self.items) == 1 or (
            len({item.group for item in self.items}) == 1 and self.items[0].group is not None
        )


class PushWorker:
    """Pushes for one link; `push` may be called from several threads at once, each sends a batch of its own."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._records = PushRecords(link.name)
        self._units = PushUnits(link)
        self._documents_max = link.config.batch_documents_max
        self.guarded = GuardedPush(link, self._records)
        self._left_behind: list[bytes] = []  # sessions whose connection broke within a transaction
        self._with_markers: set[str] = set()  # databases of the hub whose marker collection is known to be there
        self._preparing = threading.Lock()
        self._sending = threading.Condition()  # guards the next one
        self._on_their_way: set[int] = set()  # the batches that a thread is sending now
        self._turns = FairLock()
        self._alone = False  # the next batch may need what another one on its way gives free

    def push(self) -> int:
        """Push one batch and return how many documents the hub has taken, 0 when there is nothing to do now.

        Raises pymongo's errors when the hub is away, `BatchUnsettledError`.
        """
        link = self._link
        has_transactions = link.hub.tier.has_transactions
        # Without transactions there is none that a session could leave open, and what became of a batch is seen by looking.
        lock = link.lock.shared() if has_transactions else link.lock
        turn = self._turns if self._alone else self._turns.shared()
        with lock, turn, link.push_sessions.use(kept=has_transactions) as session:
            lsid = lsid_of(session) if has_transactions else b""
            with self._preparing:
                self.resolve()
                self._end_left_behind()
                batch = link.write(lambda view: self._prepare(view, lsid))
                if batch is None:
                    return 0
                with self._sending:
                    self._on_their_way.add(batch.id.number)
            facts = {"skerry.link": link.name, "skerry.batch": batch.id.number, "skerry.documents": len(batch.items)}
            try:
                link.storage.store.flush()  # not before, so that the next batch is put together meanwhile
                with span("sync push", facts):
                    done = self._send(session, batch)
                link_log.pushed(link.name, batch.id.number, batch.db, len(batch.items), done)
                return done
            finally:
                with self._sending:
                    self._on_their_way.discard(batch.id.number)
                    self._sending.notify_all()

    def _end_left_behind(self) -> None:
        """End the transactions that may still be open on the hub. Raises pymongo's errors."""
        while self._left_behind:
            lsid = self._left_behind[0]  # other threads may add to the end meanwhile
            self._link.hub.end_session(lsid)
            self._left_behind.remove(lsid)

    def has_work(self) -> bool:
        """Whether something waits to be pushed now."""
        link = self._link
        now_ms = int(time.time() * 1000)
        frozen = link.selection.frozen
        return link.read(
            lambda view: (
                bool(link.shadows.dirty(view, excluded=frozen, now_ms=now_ms, limit=1))
                or link.shadows.has_due_retry(view, now_ms)
                or bool(self._unsettled(view))
            )
        )

    def are_settled(self, numbers: set[int]) -> bool:
        """Wait for the threads that are sending these batches, and return whether all outcomes are known then."""
        with self._sending:
            self._sending.wait_for(lambda: not numbers & self._on_their_way)
        return not any(batch.number in numbers for batch in self._link.read(self._records.open_batches))

    def resolve(self) -> None:
        """Settle the batches without an answer that nobody is sending. The caller holds the link's lock.

        Raises what `push` raises.
        """
        for batch in self._link.read(self._unsettled):
            self._settle(batch)

    def _unsettled(self, view: ReadView) -> list[OpenBatch]:
        return [batch for batch in self._records.open_batches(view) if batch.number not in self._on_their_way]

    def _settle(self, batch: OpenBatch) -> None:
        if not batch.lsid:
            self.guarded.resolve(batch.number)
            return
        marker = outcome_of(self._link, batch)
        named = {(Namespace(batch.db, coll), key) for coll, key in marker.stamps}
        self._finish(batch.number, _acknowledging(named, states.not_written))

    def _prepare(self, view: WriteView, lsid: bytes) -> Prepared | None:
        """Mark the next batch as on its way."""
        link = self._link
        items = self._units.next_batch(view, self._documents_max)
        if not items:
            return None
        stored = Identity.load(view, link.name)  # not from memory: another process may have had the link since
        assert stored is not None
        number = stored.next_batch
        stored.next_batch += 1
        stored.save(view, link.name)
        batch = link.identity.batch_id(number)
        db = items[0].tracked.namespace.db
        self._records.add(view, OpenBatch(number, db, batch, lsid))
        together: dict[int, list[tuple[Namespace, bytes]]] = {}
        for item in items:
            tracked = item.tracked
            shadow = states.sent(tracked.shadow, number, content_hash(item.local))
            item.tracked = Tracked(tracked.namespace, tracked.key, tracked.id_document, shadow)
            if item.group is not None:
                together.setdefault(item.group, []).append(item.place)
        link.shadows.send(view, [item.tracked for item in items])
        if link.shadows.groups is not None:
            for group, places in together.items():
                link.shadows.groups.send(view, group, number, places)
        is_news = all(item.tracked.shadow.base is None and item.local is not None for item in items)
        return Prepared(batch, db, items, looks=not is_news)

    def _send(self, session: ClientSession, batch: Prepared) -> int:
        if not self._link.hub.tier.has_transactions:
            return self._send_guarded(batch)
        if batch.db not in self._with_markers:
            self._link.hub.prepare_markers(batch.db)
            self._with_markers.add(batch.db)
        for attempt in range(ATTEMPTS_MAX):
            try:
                return self._try(session, batch)
            except _Retry:
                self._link.metrics.add("push_retries")
                time.sleep(random.random() * 0.02 * 2**attempt)
        # A hub short of cache answers a large transaction with write conflicts.
        self._documents_max = max(1, len(batch.items) // 2)
        self._finish(batch.id.number, lambda _: _left_out)
        return 0

    def _send_guarded(self, batch: Prepared) -> int:
        """Write document by document. Raises pymongo's errors when the outcome is open."""
        metrics = self._link.metrics

        def otherwise(result: Guarded) -> Callable[[tuple[Namespace, bytes]], Callable[[Shadow], Shadow]]:
            return lambda item: _refused(result.refused[item].message) if item in result.refused else _left_out

        result = self.guarded.send(batch.id.number, batch.items, otherwise)
        metrics.add("pushed", len(result.taken))
        metrics.add("push_batches", 1 if result.taken else 0)
        metrics.add("push_refused", len(result.refused))
        metrics.add("push_left_out", len(batch.items) - len(result.taken) - len(result.refused))
        self._note_left_out(batch, result.taken | result.refused.keys())
        return len(result.taken) + len(result.refused)

    def _try(self, session: ClientSession, batch: Prepared) -> int:
        """Run the transaction once. Raises `_Retry` when it surely did not commit and the same batch can be tried again."""
        link = self._link
        written = Written()
        try:
            with link.hub.transaction(session):
                written = write_batch(
                    link, session, batch.id, batch.db, batch.items, looks=batch.looks, vacates=batch.vacates
                )
                unknown = commit(session) if written.named else None
        except MarkerTakenError:
            self._settle(OpenBatch(batch.id.number, batch.db, batch.id, lsid_of(session)))
            return len(batch.items)
        except PyMongoError as error:
            failure = failure_of(error)
            if failure.code is None:
                self._left_behind.append(lsid_of(session))
            return self._failed(batch, failure)
        if unknown is not None:
            link.metrics.add("link_failures")
            self._settle(OpenBatch(batch.id.number, batch.db, batch.id, lsid_of(session)))
            return len(batch.items)
        self._alone = False
        named, left = written.named, len(batch.items) - len(written.named)
        link.metrics.add("pushed", len(named))
        link.metrics.add("push_batches", 1 if named else 0)
        link.metrics.add("push_left_out", left)
        if left:
            self._finish(batch.id.number, _as_written(written))
            self._note_left_out(batch, {item.place for item in batch.items} - written.left_out)
        else:
            self._acknowledge(batch.id.number)
            self._documents_max = min(self._documents_max * 2, link.config.batch_documents_max)
        return len(named)

    def _note_left_out(self, batch: Prepared, done: set[tuple[Namespace, bytes]]) -> None:
        """Have those documents read from the hub whose version there no stream may bring, or has not brought for long."""
        link, seen_at = self._link, None
        for item in batch.items:
            waits_for_stream = (
                link.hub.tier.has_streams
                and not link.selection.has_filter(item.tracked.namespace)
                and item.tracked.shadow.attempts < LEFT_OUT_ATTEMPTS_MAX
            )
            if item.place not in done and not waits_for_stream:
                seen_at = link.hub.cluster_time() if seen_at is None else seen_at
                link.left_out[item.place] = LeftOut(item.id_value, seen_at)

    def _failed(self, batch: Prepared, failure: HubFailure) -> int:
        """Deal with an error before the commit was sent: nothing of the batch is or will be on the hub."""
        meaning = classify_failure(failure.code, failure.labels, committing=False)
        if meaning is Failure.ABORTED:
            raise _Retry
        if failure.code == DUPLICATE_KEY and not batch.looks:
            batch.looks = True  # somebody else has inserted one of them
            raise _Retry
        if failure.code == DUPLICATE_KEY and self._on_their_way != {batch.id.number}:
            self._alone = True
            self._finish(batch.id.number, lambda _: states.not_written)
            return 1
        if failure.code == DUPLICATE_KEY and not batch.vacates and len(batch.items) > 1:
            batch.vacates = True  # perhaps the batch moves a unique value from one document to another
            raise _Retry
        is_single = meaning is Failure.DOCUMENT and failure.index is not None
        if meaning in (Failure.DOCUMENT, Failure.TOO_MUCH) and not is_single and not batch.is_indivisible:
            self._documents_max = max(1, len(batch.items) // 2)  # find the one by halves
            self._finish(batch.id.number, lambda _: states.not_written)
            return 1
        if meaning is Failure.TOO_MUCH and len(batch.items) > 1:
            reason = f"the hub says: {failure.message}"
            self._link.write(lambda view: self._units.split_sent(view, batch.id.number, reason))
            self._finish(batch.id.number, lambda _: states.not_written)
            return 1
        if meaning in (Failure.DOCUMENT, Failure.TOO_MUCH):
            self._alone = False
            self._link.metrics.add("push_refused")
            self._finish(batch.id.number, _refusing(batch, failure))
            return 1
        self._finish(batch.id.number, lambda _: states.not_written)
        if failure.code is not None:
            self._documents_max = max(1, len(batch.items) // 2)  # an answer that we do not know: fewer may pass
        raise HubLostError(failure, denied=meaning is Failure.DENIED)

    def _finish(self, number: int, outcome: "Callable[[tuple[Namespace, bytes]], Callable[[Shadow], Shadow]]") -> None:
        """Move the documents of a batch to what `outcome` says of each, and close the batch."""
        link = self._link

        def job(view: WriteView) -> None:
            changed = []
            for tracked in link.shadows.of_batch(view, number, State.INFLIGHT):
                shadow = outcome((tracked.namespace, tracked.key))(tracked.shadow)
                changed.append(Tracked(tracked.namespace, tracked.key, tracked.id_document, shadow))
                if shadow.state is not State.AWAIT:
                    link.shadows.forget_pushed(view, tracked.namespace, tracked.key)
            link.shadows.save(view, changed)
            view.after_commit.append(lambda: link_log.quarantined(link.name, changed))
            if link.shadows.groups is not None:
                back = [(each.namespace, each.key) for each in changed if each.shadow.state is not State.AWAIT]
                link.shadows.groups.take_back(view, back)
            self._records.remove(view, number)

        link.write(job)

    def _acknowledge(self, number: int) -> None:
        """Close a batch that the hub has taken as a whole."""
        link = self._link

        def job(view: WriteView) -> None:
            link.shadows.acknowledge(view, number)
            self._records.remove(view, number)

        link.write(job)


class _Retry(Exception):  # noqa: N818  a signal within this module
    """The transaction aborted for a reason that passes."""


def _acknowledging(
    named: set[tuple[Namespace, bytes]], otherwise: Callable[[Shadow], Shadow]
) -> Callable[[tuple[Namespace, bytes]], Callable[[Shadow], Shadow]]:
    return lambda item: states.acknowledged if item in named else otherwise


def _as_written(written: Written) -> Callable[[tuple[Namespace, bytes]], Callable[[Shadow], Shadow]]:
    """What stays behind for the sake of others can go again as soon as they can."""

    def outcome(item: tuple[Namespace, bytes]) -> Callable[[Shadow], Shadow]:
        if item in written.named:
            return states.acknowledged
        return _left_out if item in written.left_out else states.not_written

    return outcome


def _left_out(shadow: Shadow) -> Shadow:
    delay = LEFT_OUT_MS << min(shadow.attempts, 5)
    return states.not_written(shadow, retry_at=int(time.time() * 1000) + delay)


def _refusing(batch: Prepared, failure: HubFailure) -> Callable[[tuple[Namespace, bytes]], Callable[[Shadow], Shadow]]:
    """The document that the hub refuses is put aside, with all others of its group; the rest can go again."""
    culprit, others = None, f"the hub refuses what the same transaction has written: {failure.message}"
    if failure.index is not None or len(batch.items) == 1:
        culprit = batch.items[failure.index or 0]
        others = (
            f"waits for {culprit.tracked.namespace} {culprit.id_value!r}, which the same transaction has written"
            f" and the hub refuses: {failure.message}"
        )
    group = batch.items[0].group if culprit is None else culprit.group
    together = set() if group is None else {item.place for item in batch.items if item.group == group}

    def outcome(item: tuple[Namespace, bytes]) -> Callable[[Shadow], Shadow]:
        if culprit is not None and item == culprit.place:
            return _refused(failure.message)
        return _refused(others) if item in together else states.not_written

    return outcome


def _refused(message: str) -> Callable[[Shadow], Shadow]:
    def refuse(shadow: Shadow) -> Shadow:
        delay = min(REFUSED_MS << min(shadow.attempts, 20), REFUSED_MS_MAX)
        return states.refused(shadow, message, retry_at=int(time.time() * 1000) + delay)

    return refuse
