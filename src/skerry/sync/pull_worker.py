"""The receiving side of a link while it is connected: the stream, the walks, and what to do when the stream breaks."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bson.int64 import Int64
from pymongo.errors import PyMongoError

from skerry.engine.engine import Engine
from skerry.storage import WriteView
from skerry.sync import hub_collections, link_log, resume_tokens
from skerry.sync.backlog_gauge import count_backlog
from skerry.sync.change_applier import ChangeApplier
from skerry.sync.change_stream_listener import ChangeStreamListener
from skerry.sync.full_sync import COPIED_STORE, FullSync, WalkRecord
from skerry.sync.hub import failure_of, now
from skerry.sync.hub_probe import headroom, probe
from skerry.sync.integration import Integration
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.sync.polling import Polling
from skerry.sync.protocol.capability import Headroom
from skerry.sync.protocol.dirty_limits import WARNING_FROM
from skerry.sync.protocol.document_state import BEGINNING, State
from skerry.sync.protocol.push_batch import StreamFailure, classify_stream_failure
from skerry.sync.push_worker import PushWorker
from skerry.sync.registration import register_with_hub
from skerry.sync.resume_tokens import StreamPosition
from skerry.sync.selection import FULL, selected
from skerry.tracing import span
from skerry.values.namespace import Namespace

AWAIT_MS: Final = 500  # also bounds how long stopping takes
IDLE_SAVE_SECONDS: Final = 15.0
DEAD_LETTER_SECONDS: Final = 30.0
HEADROOM_SECONDS: Final = 30.0
TRACK_AGAIN_SECONDS: Final = 1.0
TOO_LARGE: Final = 10334  # BSONObjectTooLarge


class PullWorker:
    """Pulls for one link; used by one thread, but for `request_full_sync` and `flushed`."""

    def __init__(self, link: Link, push: PushWorker) -> None:
        self._link = link
        self._push = push
        self.applier = ChangeApplier(link, push, self._note)
        self.walk = FullSync(link, push, self.applier)
        self._listener: ChangeStreamListener | None = None
        self._with_content = True  # whether events say what was written
        self._full_sync_wanted = False
        self._saved = self._tried_dead = self._moved = time.monotonic()
        self._looked_back = -HEADROOM_SECONDS
        self._track_at = 0.0
        self._letters_wanted: deque[int] = deque()
        self._last_token: Mapping[str, Any] = {}
        self._polling = Polling(link, self.walk, self._meet_collections)
        self.flushed = 0
        self.headroom: Headroom | None = None
        self.heard_at: float | None = None

    def request_full_sync(self) -> None:
        """Compare all collections anew, as soon as possible."""
        self._full_sync_wanted = True

    def request_dead_letter_retry(self, id: int | None = None) -> None:
        """Try what was put aside again, as soon as possible: one dead letter, or all of them."""
        if id is None:
            self._tried_dead = -DEAD_LETTER_SECONDS
        else:
            self._letters_wanted.append(id)

    @property
    def is_full_sync_wanted(self) -> bool:
        """Whether a comparison was asked for and has not begun."""
        return self._full_sync_wanted

    def connect(self) -> None:
        """Meet the hub, open the stream where it was left, plan the copies that are missing.

        Raises `HubUnfitError`, `BatchUnsettledError` and pymongo's errors.
        """
        link = self._link
        self._with_content = True
        facts = link.hub.facts = probe(link.hub)
        link.clock_offset_ms = facts.clock_offset_ms
        self._push.guarded.note_reads = self.applier.note_reads
        self._push.guarded.reads_until = lambda: self.applier.position.looked_up_until
        with link.lock:
            link.register()  # again, because another process may have had the link meanwhile
            is_clone = register_with_hub(link)
            self._push.resolve()
        self.walk.load()
        stored = link.read(lambda view: StreamPosition.load(view, link.name))
        if not facts.tier.has_streams:
            self.applier.start_at(stored or StreamPosition({}))
            self._polling.connected(is_clone=is_clone)
        elif stored is None or is_clone or not stored.token:
            self._start_anew(COPIED_STORE if is_clone else "first")
        else:
            self.applier.start_at(stored)
            self._meet_collections()
            self._resume(stored)
        if not self.walk.is_planned:
            self.walk.plan(self._meet_collections(), "the selection changed", again=False)

    def step(self) -> None:
        """Do the next piece of work: a chunk of a walk, then the events that wait."""
        if self._full_sync_wanted:
            self.walk.plan(self._meet_collections(), "asked for", again=True)
            self._full_sync_wanted = False  # not before, so that whoever waits for it sees one of the two
        self._track_again()
        self._retry_put_aside()
        self.walk.step()
        if not self._link.hub.tier.has_streams:
            self._read_left_out(is_at_end=True)
            self.heard_at = time.monotonic()
            self.flushed = self._polling.step(self.flushed)
            return
        assert self._listener is not None
        try:
            batch = self._listener.next_batch(1 if self.walk.is_pending else AWAIT_MS)
        except PyMongoError as error:
            self._recover(error, by_token=True)
            return
        self.heard_at = time.monotonic()
        if batch.token != self._last_token:
            self._moved, self._last_token = self.heard_at, batch.token
        if batch.events or batch.is_last or self.heard_at - self._saved > IDLE_SAVE_SECONDS:
            started = time.perf_counter()
            with span("sync pull", {"skerry.link": self._link.name, "skerry.events": len(batch.events)}):
                self.applier.apply(batch)
            if batch.events:
                self._link.metrics.observe("apply", time.perf_counter() - started)
            self._saved = self.heard_at
        self._read_left_out(is_at_end=not batch.events)
        if batch.is_last:
            self._resume(self.applier.position)
        self._keep_moving()

    def flush(self, number: int) -> None:
        """Write a note to the hub that comes back as an event: all events before it have been applied then."""
        link = self._link
        if not link.hub.tier.has_streams:
            self._polling.flush(number)
            return
        note = {"flush": link.identity.edge}
        link.hub.markers(link.selection.home).replace_one({"_id": note}, {"_id": note, "n": Int64(number)}, upsert=True)

    def disconnect(self) -> None:
        """Close the stream; its position is stored."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _open(self, *, after: Mapping[str, Any] | None = None, at_time: int | None = None) -> Mapping[str, Any]:
        self.disconnect()
        link = self._link
        own = link.push_sessions.lsids() if link.hub.tier.has_transactions else ()
        listener = ChangeStreamListener(link.hub, link.selection, own_sessions=own, with_content=self._with_content)
        try:
            token = listener.open(after=after, at_time=at_time)
        except PyMongoError:
            listener.close()
            raise
        self._listener = listener
        self._link.metrics.add("stream_opened")
        return token

    def _resume(self, position: StreamPosition) -> None:
        try:
            self._open(after=position.token)
        except PyMongoError as error:
            self._recover(error, by_token=True)

    def _recover(self, error: PyMongoError, *, by_token: bool) -> None:
        """Go on after the stream has failed; raises `error` when the link itself is the trouble."""
        failure = failure_of(error)
        if failure.code == TOO_LARGE and self._with_content:
            self._with_content = False  # for the rest of the connection: the same event comes again
            self._resume(self.applier.position)
            return
        meaning = classify_stream_failure(failure.code, failure.labels, by_token=by_token)
        if failure.code is None or meaning in (StreamFailure.DENIED, StreamFailure.REOPEN):
            raise error
        position = self.applier.position
        if meaning is StreamFailure.START_AT_TIME and position.time:
            try:
                self._open(at_time=position.time)
            except PyMongoError as again:
                self._recover(again, by_token=False)
            else:
                position.grouping.start_again(position.high)
                self.applier.answer_with_look_ups_until(position.time)
            return
        self._start_anew(f"history lost: {failure.message}")

    def _start_anew(self, reason: str) -> None:
        """Take a new place in the stream, then compare everything: what was written here and not pushed stays."""
        link = self._link
        with link.lock:
            self._push.resolve()
            token = self._open()
            position = StreamPosition(dict(token), looked_up_until=link.hub.cluster_time())
            link.write(lambda view: self._begin(view, position), durable=True)
            self.applier.start_at(position)
        if reason != "first":
            link.metrics.add("history_lost")
        self.walk.plan(self._meet_collections(), reason, again=True)
        if reason != "first":
            link_log.history_lost(link.name, reason, self.walk.record.pending)

    def _begin(self, view: WriteView, position: StreamPosition) -> None:
        """Settle what awaits an echo that the new stream will not bring, and store the new place."""
        link = self._link
        with open_documents(view, link.storage, link.name) as local:
            integration = Integration(link, view, local)
            for tracked in link.shadows.of_state(view, State.AWAIT):
                integration.settle(tracked.namespace, tracked.key, None, BEGINNING)
            integration.finish()
        resume_tokens.forget(view, link.name)
        position.save(view, link.name)

    def namespaces(self) -> list[Namespace]:
        """Return the collections of both sides that travel."""
        return self._selected(self._link.hub.collections(self._link.selection.database))

    def _meet_collections(self) -> list[Namespace]:
        """Return the same, after those that are another collection on the hub than before have been frozen."""
        there = self._link.hub.collections(self._link.selection.database)
        hub_collections.take_note(self._link, there)
        return self._selected(there)

    def _selected(self, there: Iterable[Namespace]) -> list[Namespace]:
        link = self._link
        here = link.read(lambda view: [*local_collections(link.engine, view), *link.shadows.namespaces(view)])
        return selected({*here, *there}, link.selection)

    def _track_again(self) -> None:
        """Capture what was not tracked any more, and compare it, once enough of what waited is on the hub."""
        link = self._link
        now_at = time.monotonic()
        link.read(link.refresh)
        if FULL not in link.selection.untracked.values() or now_at < self._track_at:
            return
        self._track_at = now_at + TRACK_AGAIN_SECONDS
        if link.limits.fullness(link.read(lambda view: count_backlog(view, link.shadows))) < WARNING_FROM:

            def job(view: WriteView) -> WalkRecord:
                # in one transaction: what is tracked again, but never compared, would be lost
                return self.walk.planned_again(view, link.track_again(view), "not tracked for a while")

            with link.lock:
                self.walk.record = link.write(job, durable=True)

    def _read_left_out(self, *, is_at_end: bool) -> None:
        """Read the documents that pushes left out, unless the stream may bring them: it knows when they were written."""
        reached, waiting = self.applier.position.time, self._link.left_out
        ready = [place for place, left_out in list(waiting.items()) if is_at_end or left_out.seen_at <= reached]
        if ready:
            self.applier.look_at({place: waiting.pop(place).id_value for place in ready})

    def _keep_moving(self) -> None:
        """Write to the hub when its stream has stood still, so that the token does not age."""
        now_at = time.monotonic()
        link = self._link
        if now_at - self._looked_back > HEADROOM_SECONDS:
            self._looked_back = now_at
            self.headroom = headroom(link.hub, self.applier.position.time)
        if now_at - self._moved > link.config.heartbeat_ms / 1000:
            self._moved = now_at
            beat = {"_id": {"beat": link.identity.edge}}
            link.hub.markers(link.selection.home).replace_one(beat, {**beat, "at": now()}, upsert=True)

    def _retry_put_aside(self) -> None:
        while self._letters_wanted:
            self.applier.retry_dead_letter(self._letters_wanted.popleft())
        if time.monotonic() - self._tried_dead > DEAD_LETTER_SECONDS:
            self._tried_dead = time.monotonic()
            self.applier.retry_dead_letters()

    def _note(self, document: Mapping[str, Any]) -> None:
        if document["_id"] == {"flush": self._link.identity.edge}:
            self.flushed = max(self.flushed, int(document["n"]))


def local_collections(engine: Engine, view: Any) -> list[Namespace]:
    """Return the collections (not views) of this store."""
    entries = engine.storage.catalog.snapshot(view).collections.values()
    return [entry.namespace for entry in entries if "viewOn" not in entry.options]
