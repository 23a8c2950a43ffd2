"""Applies batches of the hub's events: documents, shadows, conflicts and the resume token in one transaction of the store."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bson.int64 import Int64

from skerry.storage import WriteView
from skerry.sync import hub_collections, link_log
from skerry.sync.change_events import ChangeEvent, DocumentEvent, MarkerEvent, NoteEvent, StructureEvent, parse_event
from skerry.sync.change_stream_listener import StreamBatch
from skerry.sync.integration import Integration, RemoteVersion
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.sync.protocol.document_state import BEGINNING, content_hash
from skerry.sync.protocol.reconciliation import decide, decide_read
from skerry.sync.push_worker import PushWorker
from skerry.sync.resume_tokens import StreamPosition
from skerry.sync.stream_steps import Changed, Place, ReadsAhead, Settle, Step, follow_descriptions, steps_of, unclear
from skerry.values import documents
from skerry.values.namespace import Namespace


class ChangeApplier:
    """Applies for one link; used by one thread. Holds where the stream stands."""

    def __init__(self, link: Link, push: PushWorker, on_note: Callable[[Any], None]) -> None:
        self._link = link
        self._push = push
        self._on_note = on_note
        self._ahead = ReadsAhead()
        self.position = StreamPosition({})

    def start_at(self, position: StreamPosition) -> None:
        """Go on from a stored position. What was read ahead of it is only known document by document if it was reached here."""
        here = self.position
        if (position.token, position.high, position.looked_up_until) != (here.token, here.high, here.looked_up_until):
            self._ahead = ReadsAhead()
            self._ahead.note_all(position.looked_up_until)
        self.position = position

    def answer_with_look_ups_until(self, time: int) -> None:
        """Documents have been read from the hub at `time`: no event up to it may be taken at its word."""
        self._ahead.note_all(time)
        self.position.looked_up_until = max(self.position.looked_up_until, time)

    def note_reads(self, view: WriteView, until: int) -> None:
        """Take note in the transaction of `view` that any documents have been read from the hub at `until`."""
        self.answer_with_look_ups_until(until)
        self._keep_reads(view, until)

    def _keep_reads(self, view: WriteView, until: int) -> None:
        self.position.looked_up_until = max(self.position.looked_up_until, until)
        if self.position.token:
            self.position.save(view, self._link.name)

    def apply(self, batch: StreamBatch) -> int:
        """Apply a batch and return how many events it had. Raises pymongo's errors, and `BatchUnsettledError`."""
        link = self._link
        events = [event for raw in batch.events if (event := parse_event(bytes(raw.raw))) is not None]
        if (counts := self._settle_beside_pushes(events, batch.token)) is None:
            with link.lock:
                self._push.resolve()
                steps, position = self._plan(events, batch.token)
                link.read(lambda view: follow_descriptions(view, link, steps))
                counts = self._store(steps, self._look_up(unclear(steps), position), position)
        if events:
            link_log.applied(link.name, len(events), _namespaces(events), counts)
        for event in events:
            if isinstance(event, NoteEvent):
                self._on_note(event.document)
        return len(batch.events)

    def _plan(self, events: Sequence[ChangeEvent], token: Mapping[str, Any]) -> tuple[list[Step], StreamPosition]:
        """Return what events ask for, and the position behind them."""
        link = self._link
        position = dataclasses.replace(self.position, token=token or self.position.token)
        position.grouping = dataclasses.replace(self.position.grouping)
        hub_now_ms = int(time.time() * 1000) + link.clock_offset_ms
        in_doubt = {} if link.hub.tier.has_transactions else link.read(link.shadows.all_in_doubt)
        return steps_of(events, position, link, self._ahead, in_doubt, now_ms=hub_now_ms), position

    def _settle_beside_pushes(self, events: Sequence[ChangeEvent], token: Mapping[str, Any]) -> dict[str, int] | None:
        """Settle own batches while others are on their way: they have no document in common.

        Returns what was counted, None when there is more to do than that.
        """
        is_own = all(isinstance(event, MarkerEvent | NoteEvent) for event in events)
        if not is_own or not self._link.hub.tier.has_transactions:
            return None
        with self._link.lock.shared():
            steps, position = self._plan(events, token)
            numbers = {step.marker.batch.number for step in steps if isinstance(step, Settle)}
            return self._store(steps, {}, position) if self._push.are_settled(numbers) else None

    def _store(self, steps: list[Step], found: dict[Place, bytes | None], position: StreamPosition) -> dict[str, int]:
        """Do the steps and store the position behind them, in one transaction; return what was counted."""
        link = self._link

        def job(view: WriteView) -> dict[str, int]:
            link.refresh(view)
            with open_documents(view, link.storage, link.name) as local:
                integration = Integration(link, view, local)
                for step in steps:
                    self._take(view, integration, local.get, step, found)
                retried = integration.refused
                integration.refused = []
                for remote, _ in retried:  # another change of the batch may have made room in the unique index
                    self._take_remote(integration, local.get, remote)
                integration.take_together()
                self.put_aside(view, integration)
                integration.finish()
            position.save(view, link.name)
            return integration.counts

        counts = link.write(job)
        self.position = position
        return counts

    def retry_dead_letters(self) -> None:
        """Try once more what could not be applied, with the hub's present version."""
        link, after = self._link, 0
        while letters := link.read(lambda view, after=after: link.dead_letters.entries(view, after=after)):  # type: ignore[misc]
            self.look_at({(letter.namespace, letter.key): letter.record["_id"] for letter in letters})
            after = letters[-1].id

    def retry_dead_letter(self, id: int) -> None:
        """The same for one of them, if it is still there."""
        letter = self._link.read(lambda view: self._link.dead_letters.get(view, id))
        if letter is not None:
            self.look_at({(letter.namespace, letter.key): letter.record["_id"]})

    def look_at(self, wanted: Mapping[Place, Any]) -> None:
        """Take in the hub's present versions of some documents, by `_id`. Raises what `apply` raises."""
        link = self._link
        for namespace in {namespace for namespace, _ in wanted}:
            ids = {key: id_value for (ns, key), id_value in wanted.items() if ns == namespace}
            with link.lock:
                self._push.resolve()
                there = link.hub.find_by_ids(namespace, list(ids.values()))
                until = link.hub.cluster_time()
                stamp = link.stamp_of_reading(until)
                found = [
                    RemoteVersion(namespace, key, documents.encode({"_id": id_value}), there.get(key), stamp, BEGINNING)
                    for key, id_value in ids.items()
                ]

                def job(view: WriteView, found: list[RemoteVersion] = found, until: int = until) -> None:
                    link.refresh(view)
                    with open_documents(view, link.storage, link.name) as local:
                        integration = Integration(link, view, local)
                        for remote in found:
                            self._take_read(integration, local.get(remote.namespace, remote.key), remote)
                        integration.take_together()
                        self.put_aside(view, integration)
                        integration.finish()
                    kept = {(remote.namespace, remote.key) for remote, _ in integration.refused}
                    for remote in found:
                        if (remote.namespace, remote.key) not in kept:
                            link.dead_letters.discard_of(view, remote.namespace, remote.key)
                    self._ahead.note(((each.namespace, each.key) for each in found), until, passed=self.position.time)
                    self._keep_reads(view, until)

                link.write(job)

    def _take_read(self, integration: Integration, here: bytes | None, remote: RemoteVersion) -> None:
        tracked = integration.shadow(remote.namespace, remote.key)
        adds_up = self._link.rules.of(remote.namespace).adds_up
        action = decide_read(
            None if tracked is None else tracked.shadow,
            local=content_hash(here),
            remote=content_hash(remote.raw),
            adds_up=adds_up,
            trusts_absence=self._link.selection.trusts_absence(remote.namespace),
            in_doubt={content_hash(raw) for raw in integration.in_doubt(tracked)},
        )
        integration.take(remote, action, here)

    def _look_up(self, wanted: dict[Place, Any], position: StreamPosition) -> dict[Place, bytes | None]:
        """Return the hub's present versions, and note until when they may be ahead of the stream."""
        if not wanted:
            return {}
        link = self._link
        found: dict[Place, bytes | None] = dict.fromkeys(wanted)
        by_collection: dict[Namespace, list[Any]] = {}
        for (namespace, _), id_value in wanted.items():
            by_collection.setdefault(namespace, []).append(id_value)
        for namespace, values in by_collection.items():
            for key, raw in link.hub.find_by_ids(namespace, values).items():
                found[namespace, key] = raw
        until = link.hub.cluster_time()
        self._ahead.note(wanted, until, passed=position.time)
        position.looked_up_until = max(position.looked_up_until, until)
        link.metrics.add("lookups", len(wanted))
        return found

    def _take(
        self,
        view: WriteView,
        integration: Integration,
        local: Callable[[Namespace, bytes], bytes | None],
        step: Step,
        found: dict[Place, bytes | None],
    ) -> None:
        if isinstance(step, Changed):
            if not step.is_known:
                step.remote.raw = found[step.place]
            self._take_remote(integration, local, step.remote)
        elif isinstance(step, Settle):
            integration.settle_batch(step.db, step.marker, step.position)
            self._link.metrics.add("echoes", len(step.marker.stamps))
        else:
            self._freeze(view, step)

    def _take_remote(
        self,
        integration: Integration,
        local: Callable[[Namespace, bytes], bytes | None],
        remote: RemoteVersion,
    ) -> None:
        place = (remote.namespace, remote.key)
        tracked = integration.shadow(*place)
        if remote.is_own and tracked is not None and tracked.shadow.base == content_hash(remote.raw):
            return  # the hub has stored just what its marker has settled
        here = local(*place)
        action = decide(
            None if tracked is None else tracked.shadow,
            local=content_hash(here),
            remote=content_hash(remote.raw),
            position=remote.position,
            adds_up=self._link.rules.of(remote.namespace).adds_up,
            trusts_absence=self._link.selection.trusts_absence(remote.namespace),
            in_doubt={content_hash(raw) for raw in integration.in_doubt(tracked)},
        )
        integration.take(remote, action, here)

    def _freeze(self, view: WriteView, event: StructureEvent) -> None:
        """Stop the collections that the hub dropped or renamed: to follow it here would destroy what is only here."""
        link = self._link
        known = link.storage.catalog.snapshot(view).collections
        for namespace in known:
            concerns = namespace in event.namespaces or Namespace(namespace.db, "") in event.namespaces
            if concerns and (link.selection.captures(namespace) or link.selection.pulls(namespace)):
                link.freeze(view, namespace, f"the hub reported {event.operation}")
        hub_collections.forget(view, link.name, event.namespaces)

    def put_aside(self, view: WriteView, integration: Integration) -> None:
        """Keep what a unique index refused as dead letters."""
        for remote, error in integration.refused:
            record = {
                "_id": documents.decode(remote.id_document)["_id"],
                "document": None if remote.raw is None else documents.decode(remote.raw),
                "error": error.message,
                "code": error.code,
                "stamp": Int64(remote.stamp),
            }
            link, (namespace, id_value, code) = self._link, (remote.namespace, record["_id"], error.code)
            if link.dead_letters.put(view, namespace, remote.key, record):
                view.after_commit.append(partial(link_log.put_aside, link.name, namespace, id_value, code))
            link.metrics.add("dead_letters")


def _namespaces(events: Sequence[ChangeEvent]) -> set[str]:
    return {str(event.namespace) for event in events if isinstance(event, DocumentEvent)}
