"""The outbox: every local write puts its document into the dirty set of the links it concerns, in the write's own transaction.

Which links there are stands in the store, so each process that has the directory open captures for a link that another runs.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any, Final

from skerry.config.sync_config import Atomicity, OnFull
from skerry.engine.engine import Engine
from skerry.engine.op_observer import Change, ChangeSink
from skerry.engine.storage_engine import StorageEngine
from skerry.errors import TemporarilyUnavailableError
from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.backlog_gauge import BacklogGauge
from skerry.sync.passed_on import note_markers
from skerry.sync.protocol.coalesce import Keep, note_local_write
from skerry.sync.protocol.dirty_limits import DirtyLimits
from skerry.sync.protocol.document_state import State, content_hash
from skerry.sync.protocol.hybrid_clock import stamp_at
from skerry.sync.selection import FULL, MARKERS, Selection
from skerry.sync.shadow import Shadows, Tracked
from skerry.values import documents
from skerry.values.namespace import Namespace

_ATTACHING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Capturing:
    """A link that wants to know of local writes."""

    name: str
    selection: Selection
    shadows: Shadows
    gauge: BacklogGauge

    def concerned(self, view: WriteView, namespace: Namespace, changes: Sequence[Change]) -> Sequence[Change]:
        """Leave out documents that are not in the scope of the link and never were."""
        if not self.selection.has_filter(namespace):
            return changes
        return [
            change
            for change in changes
            if (change.after is not None and self.selection.in_scope(namespace, change.after))
            or self.shadows.get(view, namespace, change.key) is not None
        ]


class Outbox:
    """An `OpObserver`. Shared by all threads; what it caches is renewed when the catalogue's version changes."""

    def __init__(self, storage: StorageEngine) -> None:
        self._storage = storage
        self._known: tuple[object, tuple[_Capturing, ...]] = (None, ())
        self._listeners: tuple[Callable[[], None], ...] = ()

    def sink(self, view: WriteView, namespace: Namespace, origin: str) -> ChangeSink | None:
        if namespace.coll == MARKERS:
            passing = [link.shadows for link in self._links(view) if origin != link.name]
            return partial(note_markers, view, self._storage, passing) if passing else None
        links = [link for link in self._links(view) if origin != link.name and link.selection.captures(namespace)]
        if not links:
            return None

        def capture(changes: Sequence[Change]) -> None:
            for link in links:
                concerned = link.concerned(view, namespace, changes)
                if concerned:
                    self._capture(view, link, namespace, concerned)
            view.after_commit.extend(self._listeners)

        return capture

    def on_transaction_commit(self, view: WriteView, places: Sequence[tuple[Namespace, bytes]], origin: str) -> None:
        """Have what a multi-document transaction has written pushed together, by the links that ask for it."""
        _, links = self._known  # as the sinks of this transaction have just found them
        for link in links:
            if link.shadows.groups is not None and origin != link.name:
                captured = [place for place in places if link.selection.captures(place[0])]
                link.shadows.groups.note_transaction(view, captured)

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each commit of this process that may have made something dirty."""
        self._listeners = (*self._listeners, callback)

    def unsubscribe(self, callback: Callable[[], None]) -> None:
        self._listeners = tuple(each for each in self._listeners if each != callback)

    def _links(self, view: ReadView) -> tuple[_Capturing, ...]:
        """Return the links as `view` sees them: another thread may look at another state of the store."""
        version = view.setting("catalog_version")
        known_version, links = self._known
        if version != known_version:
            records = link_records.load_all(view, link_records.SELECTION)
            limits = link_records.load_all(view, link_records.LIMITS)
            grouping = link_records.load_all(view, link_records.ATOMICITY)
            links = tuple(
                _capturing(name, record, limits.get(name), grouping.get(name)) for name, record in records.items()
            )
            self._known = (version, links)
        return links

    def _capture(self, view: WriteView, link: _Capturing, namespace: Namespace, changes: Sequence[Change]) -> None:
        """Note changes, and see that no more waits than may."""
        noted = _Noted()
        _capture(view, link.shadows, changes, noted)
        if not noted.documents or not link.gauge.is_exceeded(view, documents=noted.documents, bytes_kept=noted.bytes):
            return
        on_full = link.gauge.limits.on_full
        if on_full is OnFull.BLOCK:
            raise TemporarilyUnavailableError(
                f"too much waits to be sent to the hub of link {link.name!r}; the write is refused until it has been"
            )
        if on_full is OnFull.SPILL:
            link.shadows.spill(view)
            return
        link.shadows.stop_tracking(view, namespace)
        stored = link_records.load(view, link.name, link_records.SELECTION)
        selection = link.selection if stored is None else Selection.from_document(stored)
        untracked = {**selection.untracked, str(namespace): FULL}
        changed = replace(selection, untracked=untracked, version=selection.version + 1)
        link_records.save(view, link.name, link_records.SELECTION, changed.to_document())
        self._storage.catalog.renew(view)


def attach(engine: Engine) -> Outbox:
    """Return the engine's outbox, making it its observer if it has none yet."""
    with _ATTACHING:
        for observer in engine.storage.observers:
            if isinstance(observer, Outbox):
                return observer
        outbox = Outbox(engine.storage)
        engine.observe(outbox)
        return outbox


@dataclass(slots=True)
class _Noted:
    """How many documents began to wait, at most, and the bytes kept for them."""

    documents: int = 0
    bytes: int = 0


def _capturing(
    name: str, selection: Mapping[str, Any], limits: Mapping[str, Any] | None, atomicity: Mapping[str, Any] | None
) -> _Capturing:
    shadows = Shadows(name, Atomicity.PER_DOCUMENT if atomicity is None else Atomicity(atomicity["atomicity"]))
    gauge = BacklogGauge(shadows, DirtyLimits.from_document(limits))
    return _Capturing(name, Selection.from_document(selection), shadows, gauge)


def _capture(view: WriteView, shadows: Shadows, changes: Sequence[Change], noted: _Noted) -> None:
    """Note changes of one link; runs of inserts, which rarely have a shadow, go in at once."""
    stamp = stamp_at(view.wall_ms)
    for is_insert, run in groupby(changes, lambda change: change.before is None):
        if is_insert:
            _note_inserts(view, shadows, list(run), stamp, noted)
        else:
            for change in run:
                _note(view, shadows, change, stamp, noted)


def _note_inserts(view: WriteView, shadows: Shadows, changes: list[Change], stamp: int, noted: _Noted) -> None:
    namespace, id_document = changes[0].namespace, documents.id_document
    created = [(key, id_document(after or b""), timestamp) for _, key, _, after, timestamp, _ in changes]
    noted.documents += len(created)
    if shadows.add_created(view, namespace, created, stamp=stamp):
        return
    for change in changes:
        tracked = shadows.get(view, namespace, change.key)
        if tracked is None or tracked.shadow.first_write != change.timestamp:
            _note(view, shadows, change, stamp, noted)


def _note(view: WriteView, shadows: Shadows, change: Change, stamp: int, so_far: _Noted) -> None:
    namespace, key = change.namespace, change.key
    if change.after is not None and shadows.touch_dirty(view, namespace, key, stamp=stamp):
        return
    tracked = shadows.get(view, namespace, key)
    old = None if tracked is None else tracked.shadow
    if old is not None and old.state is State.QUARANTINED and shadows.groups is not None:
        shadows.groups.make_due(view, namespace, key)  # it is tried again, and the others go with it
    noted = note_local_write(old, is_delete=change.after is None, order=change.timestamp, stamp=stamp)
    if noted.shadow is None:
        if old is not None:
            shadows.remove(view, namespace, key)
        return
    before = content_hash(change.before)
    # Another version than the one agreed on, written while nothing was captured, would make a wrong base.
    if noted.keep is Keep.BASE and old is not None:
        so_far.documents += 1
        if before == old.base:
            shadows.keep_base(view, namespace, key, change.before)
            so_far.bytes += len(change.before or b"")
    elif noted.keep is Keep.PUSHED and old is not None and before == old.pushed:
        shadows.keep_pushed(view, namespace, key, change.before)
    raw = change.before if change.after is None else change.after
    assert raw is not None
    id_document = documents.id_document(raw) if tracked is None else tracked.id_document
    shadows.save(view, [Tracked(namespace, key, id_document, noted.shadow)])
