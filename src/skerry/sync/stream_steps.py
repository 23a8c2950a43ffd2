"""What a batch of the hub's events asks for, in order: own markers to settle, documents to take, structure to note.

Several changes of one document in a batch become one step. Which version a step leads to is known from the event (a document that
was inserted or replaced), from a look-up, or, where both sides have written the document, from the updates' descriptions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from skerry.storage import ReadView
from skerry.sync.change_events import ChangeEvent, DocumentEvent, MarkerEvent, StructureEvent
from skerry.sync.described_versions import version_after
from skerry.sync.integration import RemoteVersion
from skerry.sync.link import Link
from skerry.sync.protocol.document_state import Position, State, content_hash
from skerry.sync.protocol.event_grouping import Marker
from skerry.sync.protocol.hybrid_clock import clamped
from skerry.sync.resume_tokens import StreamPosition
from skerry.sync.shadow import InDoubt
from skerry.values import documents
from skerry.values.namespace import Namespace

_AHEAD_DOCUMENTS_MAX: Final = 50_000

Place = tuple[Namespace, bytes]


@dataclass(slots=True)
class Settle:
    """An own marker: its documents are settled."""

    db: str
    marker: Marker
    position: Position


@dataclass(slots=True)
class Changed:
    """A document has come to a version of the hub.

    `updates` are the descriptions that lead from `remote.raw`, or from the base when `is_from_base`, to that version;
    `is_ahead`: it may have been read already when it was newer than these events.
    """

    remote: RemoteVersion
    updates: list[bytes] = field(default_factory=list)
    is_from_base: bool = False
    is_ahead: bool = False

    @property
    def place(self) -> Place:
        return self.remote.namespace, self.remote.key

    @property
    def is_known(self) -> bool:
        """Whether the event has brought the version itself."""
        return not self.updates and not self.is_ahead


Step = Settle | Changed | StructureEvent


class ReadsAhead:
    """Until which cluster time documents here may show more than the stream has told: what was read from the hub at that time."""

    def __init__(self) -> None:
        self._all = 0
        self._places: dict[Place, int] = {}

    def reaches(self, place: Place, time: int) -> bool:
        """Whether an event of `time` may be part of what has been read already."""
        return time <= max(self._all, self._places.get(place, 0))

    def note(self, places: Iterable[Place], until: int, *, passed: int) -> None:
        """Some documents have been read, not after `until`; what was read before `passed`, the stream has told since."""
        if len(self._places) > _AHEAD_DOCUMENTS_MAX:
            self._places = {place: time for place, time in self._places.items() if time > passed}
        self._places.update(dict.fromkeys(places, until))

    def note_all(self, until: int) -> None:
        """Any document may have been read."""
        self._all = max(self._all, until)


def steps_of(
    events: Iterable[ChangeEvent],
    position: StreamPosition,
    link: Link,
    ahead: ReadsAhead,
    in_doubt: Mapping[Place, InDoubt],
    *,
    now_ms: int,
) -> list[Step]:
    """Attribute events to the batches they belong to, move `position` behind them, and leave out what is no news.

    `now_ms` is the hub's wall clock, in milliseconds: no change is taken to be from later. `in_doubt` is what was pushed
    without a clear outcome: a step of its own, that what comes before and behind it is not taken together.
    """
    steps: list[Step | None] = []
    latest: dict[Place, int] = {}
    told_until = position.high.time
    for event in events:
        marker = event.marker if isinstance(event, MarkerEvent) else None
        found = position.grouping.take(event.time, event.group, marker)
        if found.position <= position.high:
            continue
        position.high, position.time = found.position, event.time
        is_own = found.marker is not None and found.marker.batch.edge in link.identity.edges
        if isinstance(event, MarkerEvent):
            if is_own:
                steps.append(Settle(event.db, event.marker, found.position))
                for coll, key in event.marker.stamps:
                    latest.pop((Namespace(event.db, coll), key), None)
        elif isinstance(event, StructureEvent):
            steps.append(event)
            latest.clear()
        elif isinstance(event, DocumentEvent) and link.selection.pulls(event.namespace):
            if is_own and event.lacks_document:
                continue  # settled by the marker; other own events are compared, in case the hub stored something else
            place = (event.namespace, event.key)
            earlier = None
            if place in latest:
                earlier, steps[latest[place]] = steps[latest[place]], None
            latest[place] = len(steps)
            stamp = clamped(_stamp(event, found.marker), now_ms)
            remote = RemoteVersion(*place, event.id_document, event.raw, stamp, found.position, is_own)
            doubted = in_doubt.get(place)
            if doubted is not None and event.time > told_until and _shows(event, doubted):
                steps.append(Changed(remote))
                del latest[place]
                continue
            changed = _changed(event, remote, earlier if isinstance(earlier, Changed) else None)
            changed.is_ahead = changed.is_ahead or ahead.reaches(place, event.time)
            steps.append(changed)
    return [step for step in steps if step is not None]


def _shows(event: DocumentEvent, doubted: InDoubt) -> bool:
    """Whether an event brings a version of ours, and none from before it that was the same."""
    return event.time > doubted.since and not event.lacks_document and event.raw in doubted.pushed


def _changed(event: DocumentEvent, remote: RemoteVersion, earlier: Changed | None) -> Changed:
    """Return the step of an event; what `earlier` wrote is in the later version as well."""
    if earlier is not None:
        remote.stamp = max(remote.stamp, earlier.remote.stamp)
    if event.description is None:
        return Changed(remote)
    if earlier is None:
        return Changed(remote, [event.description], is_from_base=True)
    remote.raw = earlier.remote.raw
    return Changed(remote, [*earlier.updates, event.description], earlier.is_from_base, earlier.is_ahead)


def follow_descriptions(view: ReadView, link: Link, steps: Iterable[Step]) -> None:
    """Work out the versions of documents that have been written here as well; those that stay unknown have to be looked up.

    A look-up may be ahead of the event, and then of its stamp: the last write would be taken for an earlier one.
    """
    versions: dict[Place, bytes | None] = {}
    for step in steps:
        if isinstance(step, Settle):  # no version from before a push of ours leads to one behind it
            versions.update(dict.fromkeys(((Namespace(step.db, coll), key) for coll, key in step.marker.stamps), None))
        if not isinstance(step, Changed):
            continue
        place = step.place
        if place in versions and versions[place] is None:
            step.is_ahead = True  # what is looked up for the step before is not older than this one
        if not step.is_known and not step.is_ahead:
            start = step.remote.raw
            if step.is_from_base:
                start = versions[place] if place in versions else _base_of_written(view, link, place)
            version = None if start is None else version_after(start, step.updates)
            if version is not None:
                step.remote.raw, step.updates = version, []
        versions[place] = step.remote.raw if step.is_known else None


def unclear(steps: Iterable[Step]) -> dict[Place, Any]:
    """Return the `_id`s of the documents whose version has to be looked up."""
    return {
        step.place: documents.decode(step.remote.id_document)["_id"]
        for step in steps
        if isinstance(step, Changed) and not step.is_known
    }


def _base_of_written(view: ReadView, link: Link, place: Place) -> bytes | None:
    """Return the version both sides agreed on last, if a document has been written here since and the version was kept."""
    tracked = link.shadows.get(view, *place)
    if tracked is None or tracked.shadow.state not in (State.DIRTY, State.QUARANTINED):
        return None
    base = link.shadows.base(view, *place)
    return base if content_hash(base) == tracked.shadow.base else None


def _stamp(event: DocumentEvent, marker: Marker | None) -> int:
    """When the change was made: what the edge's marker says, else when the hub wrote it."""
    if marker is None:
        return event.stamp
    return marker.stamps.get((event.namespace.coll, event.key), event.stamp)
