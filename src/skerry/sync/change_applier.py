"""Applies batches of the hub's events: documents, shadows, conflicts and the resume token in one transaction of the store."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from bson.int64 import Int64

from skerry.storage import WriteView
from skerry.sync.change_events import ChangeEvent, DocumentEvent, MarkerEvent, NoteEvent, StructureEvent, parse_event
from skerry.sync.change_stream_listener import StreamBatch
from skerry.sync.integration import Integration, RemoteVersion
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.sync.protocol.document_state import BEGINNING, Position, State, content_hash
from skerry.sync.protocol.event_grouping import Marker
from skerry.sync.protocol.hybrid_clock import clamped
from skerry.sync.protocol.reconciliation import decide, decide_read
from skerry.sync.resume_tokens import StreamPosition
from skerry.values import documents
from skerry.values.namespace import Namespace

_AHEAD_DOCUMENTS_MAX: Final = 50_000

Place = tuple[Namespace, bytes]


@dataclasses.dataclass(slots=True)
class _Settle:
    """An own marker: its documents are settled."""

    db: str
    marker: Marker
    position: Position


Step = _Settle | RemoteVersion | StructureEvent


class ChangeApplier:
    """Applies for one link; used by one thread. Holds where the stream stands."""

    def __init__(self, link: Link, resolve: Callable[[], None], on_note: Callable[[Any], None]) -> None:
        self._link = link
        self._resolve = resolve
        self._on_note = on_note
        self._looked_up: dict[Place, int] = {}  # documents that may show more than the stream has told, and until when
        self._floor = 0  # the same for all documents
        self.position = StreamPosition({})

    def start_at(self, position: StreamPosition) -> None:
        """Go on from a stored position."""
        self.position = position
        self._looked_up.clear()
        self._floor = position.looked_up_until

    def answer_with_look_ups_until(self, time: int) -> None:
        """Documents have been read from the hub at `time`: no event up to it may be taken at its word."""
        self._floor = max(self._floor, time)
        self.position.looked_up_until = max(self.position.looked_up_until, time)

    def note_reads(self, view: WriteView, until: int) -> None:
        """Take note in the transaction of `view` that documents have been read from the hub at `until`."""
        self.answer_with_look_ups_until(until)
        if self.position.token:
            self.position.save(view, self._link.name)

    def apply(self, batch: StreamBatch) -> int:
        """Apply a batch and return how many events it had. Raises pymongo's errors, and `BatchUnsettledError`."""
        link = self._link
        events = [event for raw in batch.events if (event := parse_event(bytes(raw.raw))) is not None]
        with link.lock:
            self._resolve()
            position = dataclasses.replace(self.position, token=batch.token or self.position.token)
            position.grouping = dataclasses.replace(self.position.grouping)
            steps, unclear = self._steps(events, position)
            found = self._look_up(unclear, position)

            def job(view: WriteView) -> None:
                link.refresh(view)
                with open_documents(view, link.storage, link.name) as local:
                    integration = Integration(link, view, local)
                    for step in steps:
                        self._take(view, integration, local.get, step, found)
                    retried = integration.refused
                    integration.refused = []
                    for remote, _ in retried:  # another change of the batch may have made room in the unique index
                        self._take_remote(integration, local.get, remote, {})
                    integration.take_together()
                    self.put_aside(view, integration)
                    integration.finish()
                position.save(view, link.name)

            link.write(job)
            self.position = position
        for event in events:
            if isinstance(event, NoteEvent):
                self._on_note(event.document)
        return len(batch.events)

    def retry_dead_letters(self) -> None:
        """Try once more what could not be applied, with the hub's present version."""
        link = self._link
        letters = link.read(link.dead_letters.entries)
        self.look_at({(letter.namespace, letter.key): letter.record["_id"] for letter in letters})

    def look_at(self, wanted: Mapping[Place, Any]) -> None:
        """Take in the hub's present versions of some documents, by `_id`. Raises what `apply` raises."""
        link = self._link
        for namespace in {namespace for namespace, _ in wanted}:
            ids = {key: id_value for (ns, key), id_value in wanted.items() if ns == namespace}
            with link.lock:
                self._resolve()
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
                            link.dead_letters.discard_of(view, remote.namespace, remote.key)
                            self._take_read(integration, local.get(remote.namespace, remote.key), remote)
                        integration.take_together()
                        self.put_aside(view, integration)
                        integration.finish()
                    self.note_reads(view, until)

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
        )
        integration.take(remote, action, here)

    def _steps(self, events: list[ChangeEvent], position: StreamPosition) -> tuple[list[Step | None], dict[Place, Any]]:
        """Attribute the events; keep the last of several of one document; say which documents have to be looked up."""
        link = self._link
        steps: list[Step | None] = []
        latest: dict[Place, int] = {}
        unclear: dict[Place, Any] = {}
        hub_now_ms = int(time.time() * 1000) + link.clock_offset_ms
        for event in events:
            marker = event.marker if isinstance(event, MarkerEvent) else None
            found = position.grouping.take(event.time, event.group, marker)
            if found.position <= position.high:
                continue
            position.high, position.time = found.position, event.time
            is_own = found.marker is not None and found.marker.batch.edge in link.identity.edges
            if isinstance(event, MarkerEvent):
                if is_own:
                    steps.append(_Settle(event.db, event.marker, found.position))
                    for coll, key in event.marker.stamps:
                        latest.pop((Namespace(event.db, coll), key), None)
            elif isinstance(event, StructureEvent):
                steps.append(event)
                latest.clear()
            elif isinstance(event, DocumentEvent) and link.selection.pulls(event.namespace):
                if is_own and event.is_update:
                    continue  # settled by the marker; other own events are compared, in case the hub stored something else
                place = (event.namespace, event.key)
                if event.is_update or event.time <= max(self._floor, self._looked_up.get(place, 0)):
                    unclear[place] = documents.decode(event.id_document)["_id"]
                stamp = clamped(_stamp(event, found.marker), hub_now_ms)
                if place in latest:
                    earlier = steps[latest[place]]
                    if isinstance(earlier, RemoteVersion):  # what it wrote is in the later version as well
                        stamp = max(stamp, earlier.stamp)
                    steps[latest[place]] = None
                latest[place] = len(steps)
                steps.append(
                    RemoteVersion(
                        event.namespace, event.key, event.id_document, event.raw, stamp, found.position, is_own
                    )
                )
        return steps, unclear

    def _look_up(self, unclear: dict[Place, Any], position: StreamPosition) -> dict[Place, bytes | None]:
        """Return the hub's present versions, and note until when they may be ahead of the stream."""
        if not unclear:
            return {}
        link = self._link
        found: dict[Place, bytes | None] = dict.fromkeys(unclear)
        by_collection: dict[Namespace, list[Any]] = {}
        for (namespace, _), id_value in unclear.items():
            by_collection.setdefault(namespace, []).append(id_value)
        for namespace, values in by_collection.items():
            for key, raw in link.hub.find_by_ids(namespace, values).items():
                found[namespace, key] = raw
        until = link.hub.cluster_time()
        if len(self._looked_up) > _AHEAD_DOCUMENTS_MAX:
            self._looked_up = {place: time for place, time in self._looked_up.items() if time > position.time}
        self._looked_up.update(dict.fromkeys(unclear, until))
        position.looked_up_until = max(position.looked_up_until, until)
        link.metrics.add("lookups", len(unclear))
        return found

    def _take(
        self,
        view: WriteView,
        integration: Integration,
        local: Callable[[Namespace, bytes], bytes | None],
        step: Step | None,
        found: dict[Place, bytes | None],
    ) -> None:
        if isinstance(step, RemoteVersion):
            self._take_remote(integration, local, step, found)
        elif isinstance(step, _Settle):
            for tracked in self._link.shadows.of_batch(view, step.marker.batch.number, State.AWAIT):
                integration.know(tracked.namespace, tracked.key, tracked)
            for coll, key in step.marker.stamps:
                integration.settle(Namespace(step.db, coll), key, step.marker.batch.number, step.position)
            self._link.metrics.add("echoes", len(step.marker.stamps))
        elif isinstance(step, StructureEvent):
            self._freeze(view, step)

    def _take_remote(
        self,
        integration: Integration,
        local: Callable[[Namespace, bytes], bytes | None],
        remote: RemoteVersion,
        found: dict[Place, bytes | None],
    ) -> None:
        place = (remote.namespace, remote.key)
        if place in found:
            remote.raw = found[place]
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
            self._link.dead_letters.put(view, remote.namespace, remote.key, record)
            self._link.metrics.add("dead_letters")


def _stamp(event: DocumentEvent, marker: Marker | None) -> int:
    """When the change was made: what the edge's marker says, else when the hub wrote it."""
    if marker is None:
        return event.stamp
    return marker.stamps.get((event.namespace.coll, event.key), event.stamp)
