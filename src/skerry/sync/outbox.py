"""The outbox: every local write puts its document into the dirty set of the links it concerns, in the write's own transaction.

Which links there are stands in the store, so each process that has the directory open captures for a link that another runs.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from skerry.engine.engine import Engine
from skerry.engine.op_observer import Change, ChangeSink
from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.protocol.coalesce import Keep, note_local_write
from skerry.sync.protocol.hybrid_clock import stamp_at
from skerry.sync.selection import Selection
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


class Outbox:
    """An `OpObserver`. Shared by all threads; what it caches is renewed when the catalogue's version changes."""

    def __init__(self) -> None:
        self._known: tuple[object, tuple[_Capturing, ...]] = (None, ())
        self._listeners: tuple[Callable[[], None], ...] = ()

    def sink(self, view: WriteView, namespace: Namespace, origin: str) -> ChangeSink | None:
        shadows = [
            link.shadows for link in self._links(view) if origin != link.name and link.selection.captures(namespace)
        ]
        if not shadows:
            return None

        def capture(changes: Sequence[Change]) -> None:
            for each in shadows:
                _capture(view, each, changes)
            view.after_commit.extend(self._listeners)

        return capture

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
            links = tuple(_Capturing(name, Selection.from_document(r), Shadows(name)) for name, r in records.items())
            self._known = (version, links)
        return links


def attach(engine: Engine) -> Outbox:
    """Return the engine's outbox, making it its observer if it has none yet."""
    with _ATTACHING:
        for observer in engine.storage.observers:
            if isinstance(observer, Outbox):
                return observer
        outbox = Outbox()
        engine.observe(outbox)
        return outbox


def _capture(view: WriteView, shadows: Shadows, changes: Sequence[Change]) -> None:
    """Note changes of one link; runs of inserts, which rarely have a shadow, go in at once."""
    stamp = stamp_at(view.wall_ms)
    for is_insert, run in groupby(changes, lambda change: change.before is None):
        if is_insert:
            _note_inserts(view, shadows, list(run), stamp)
        else:
            for change in run:
                _note(view, shadows, change, stamp)


def _note_inserts(view: WriteView, shadows: Shadows, changes: list[Change], stamp: int) -> None:
    namespace, id_document = changes[0].namespace, documents.id_document
    created = [(key, id_document(after or b""), timestamp) for _, key, _, after, timestamp, _ in changes]
    if shadows.add_created(view, namespace, created, stamp=stamp):
        return
    for change in changes:
        tracked = shadows.get(view, namespace, change.key)
        if tracked is None or tracked.shadow.first_write != change.timestamp:
            _note(view, shadows, change, stamp)


def _note(view: WriteView, shadows: Shadows, change: Change, stamp: int) -> None:
    namespace, key = change.namespace, change.key
    if change.after is not None and shadows.touch_dirty(view, namespace, key, stamp=stamp):
        return
    tracked = shadows.get(view, namespace, key)
    old = None if tracked is None else tracked.shadow
    noted = note_local_write(old, is_delete=change.after is None, order=change.timestamp, stamp=stamp)
    if noted.shadow is None:
        if old is not None:
            shadows.remove(view, namespace, key)
        return
    if noted.keep is Keep.BASE:
        shadows.keep_base(view, namespace, key, change.before)
    elif noted.keep is Keep.PUSHED:
        shadows.keep_pushed(view, namespace, key, change.before)
    raw = change.before if change.after is None else change.after
    assert raw is not None
    id_document = documents.id_document(raw) if tracked is None else tracked.id_document
    shadows.save(view, [Tracked(namespace, key, id_document, noted.shadow)])
