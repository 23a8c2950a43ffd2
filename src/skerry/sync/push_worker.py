"""Pushes the dirty set, batch by batch: one hub transaction each, marker first, every document compared with its base.

Crash cases: a batch is marked in the store, durably, before anything is sent; what became of one that has no answer is settled
by a fence, a document with the marker's own `_id`: either it gets in, and the batch can never commit, or the marker is there.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from skerry.storage import ReadView, WriteView
from skerry.sync.batch_fence import HubLostError, commit, outcome_of
from skerry.sync.fair_lock import FairLock
from skerry.sync.guarded_push import GuardedPush
from skerry.sync.guarded_writes import Guarded
from skerry.sync.hub import HubFailure, failure_of
from skerry.sync.hub_writes import MarkerTakenError, PushItem, write_batch
from skerry.sync.link import LeftOut, Link
from skerry.sync.origin import Identity
from skerry.sync.passed_on import origin_of
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import Shadow, State, content_hash
from skerry.sync.protocol.event_grouping import BatchId
from skerry.sync.protocol.push_batch import (
    DUPLICATE_KEY,
    Candidate,
    Failure,
    classify_failure,
    plan_batch,
)
from skerry.sync.push_records import OpenBatch, PushRecords
from skerry.sync.push_sessions import lsid_of
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
    vacates: bool = False
    """Whether all old versions go before any new one comes, so that unique values can be exchanged."""


class PushWorker:
    """Pushes for one link; `push` may be called from several threads at once, each sends a batch of its own."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._records = PushRecords(link.name)
        self._documents_max = link.config.batch_documents_max
        self.guarded = GuardedPush(link, self._records)
        self._left_behind: list[bytes] = []  # sessions whose connection broke within a transaction
        self._with_markers: set[str] = set()  # databases of the hub whose marker collection is known to be there
        self._preparing = threading.Lock()
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
                while self._left_behind:
                    link.hub.end_session(self._left_behind[-1])
                    self._left_behind.pop()
                batch = link.write(lambda view: self._prepare(view, lsid), durable=True)
                if batch is None:
                    return 0
                self._on_their_way.add(batch.id.number)
            facts = {"skerry.link": link.name, "skerry.batch": batch.id.number, "skerry.documents": len(batch.items)}
            try:
                with span("sync push", facts):
                    return self._send(session, batch)
            finally:
                self._on_their_way.discard(batch.id.number)

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
        link.shadows.retry_refused(view, view.wall_ms)
        waiting = link.shadows.dirty(
            view, excluded=link.selection.frozen, now_ms=view.wall_ms, limit=self._documents_max
        )
        items: list[PushItem] = []
        chosen = plan_batch(
            self._candidates(view, waiting, items),
            documents_max=self._documents_max,
            bytes_max=link.config.batch_bytes_max,
            now_ms=view.wall_ms,
        )
        if not chosen:
            return None
        stored = Identity.load(view, link.name)  # not from memory: another process may have had the link since
        assert stored is not None
        number = stored.next_batch
        stored.next_batch += 1
        stored.save(view, link.name)
        batch = link.identity.batch_id(number)
        db = items[chosen[0]].tracked.namespace.db
        self._records.add(view, OpenBatch(number, db, batch, lsid))
        sent = []
        for index in chosen:
            item, tracked = items[index], items[index].tracked
            shadow = states.sent(tracked.shadow, number, content_hash(item.local))
            item.tracked = Tracked(tracked.namespace, tracked.key, tracked.id_document, shadow)
            sent.append(item)
        link.shadows.save(view, [item.tracked for item in sent])
        return Prepared(batch, db, sent)

    def _candidates(self, view: WriteView, waiting: list[Tracked], items: list[PushItem]) -> Iterator[Candidate]:
        """Read the documents that may go with the oldest one, no more of them than are asked for; `items` takes them up."""
        collections = self._link.storage.catalog.snapshot(view)
        for tracked in waiting:
            if tracked.namespace.db != waiting[0].namespace.db:
                continue
            entry = collections.get(tracked.namespace)
            record = None if entry is None else view.record_by_key(entry.file_id, tracked.key)
            item = self._item(view, tracked, None if record is None else record[1])
            if item is not None:
                items.append(item)
                yield Candidate(tracked.namespace.db, len(item.local or b""), tracked.shadow.next_retry)

    def _item(self, view: WriteView, tracked: Tracked, local: bytes | None) -> PushItem | None:
        """Return what to push for a dirty document; None when it is as the hub has it, and so is settled here."""
        link, shadow = self._link, tracked.shadow
        namespace, key = tracked.namespace, tracked.key
        # what has left the scope travels as well, and goes from here with its echo
        if content_hash(local) != shadow.base or not link.selection.in_scope(namespace, local):
            base = link.shadows.base(view, namespace, key) if local is not None and shadow.base is not None else None
            origin = origin_of(view, link.shadows, namespace, key, local)
            return PushItem(tracked, local, base, one_way=link.selection.is_one_way(namespace), origin=origin)
        settled = states.integrated(shadow.base, shadow.position, shadow.last_hlc)
        if settled is None:
            link.shadows.remove(view, namespace, key)
        else:
            link.shadows.save(view, [Tracked(namespace, key, tracked.id_document, settled)])
            link.shadows.forget_base(view, namespace, key)
        return None

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
        named: set[tuple[Namespace, bytes]] = set()
        try:
            with link.hub.transaction(session):
                named = write_batch(link, session, batch.id, batch.db, batch.items, vacates=batch.vacates)
                unknown = commit(session) if named else None
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
        left = len(batch.items) - len(named)
        link.metrics.add("pushed", len(named))
        link.metrics.add("push_batches", 1 if named else 0)
        link.metrics.add("push_left_out", left)
        if left:
            self._finish(batch.id.number, _acknowledging(named, _left_out))
            self._note_left_out(batch, named)
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
        if failure.code == DUPLICATE_KEY and self._on_their_way != {batch.id.number}:
            self._alone = True
            self._finish(batch.id.number, lambda _: states.not_written)
            return 1
        if failure.code == DUPLICATE_KEY and not batch.vacates and len(batch.items) > 1:
            batch.vacates = True  # perhaps the batch moves a unique value from one document to another
            raise _Retry
        is_single = meaning is Failure.DOCUMENT and failure.index is not None
        if meaning in (Failure.DOCUMENT, Failure.TOO_MUCH) and not is_single and len(batch.items) > 1:
            self._documents_max = max(1, len(batch.items) // 2)  # find the one by halves
            self._finish(batch.id.number, lambda _: states.not_written)
            return 1
        if meaning in (Failure.DOCUMENT, Failure.TOO_MUCH):
            self._alone = False
            culprit = batch.items[failure.index or 0].tracked
            refused = (culprit.namespace, culprit.key)
            self._link.metrics.add("push_refused")
            self._finish(
                batch.id.number, lambda item: _refused(failure.message) if item == refused else states.not_written
            )
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


def _left_out(shadow: Shadow) -> Shadow:
    delay = LEFT_OUT_MS << min(shadow.attempts, 5)
    return states.not_written(shadow, retry_at=int(time.time() * 1000) + delay)


def _refused(message: str) -> Callable[[Shadow], Shadow]:
    def refuse(shadow: Shadow) -> Shadow:
        delay = min(REFUSED_MS << min(shadow.attempts, 20), REFUSED_MS_MAX)
        return states.refused(shadow, message, retry_at=int(time.time() * 1000) + delay)

    return refuse
