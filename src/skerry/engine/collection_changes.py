"""A dropped or renamed collection as its observers see it: one change for each of its documents, in the same transaction.

MongoDB's own streams report structure only. An observer that follows documents would otherwise keep what is gone here, and bring
it back. Nothing is read for a collection that nobody observes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine.op_observer import Change, ChangeSink, OpObserver
from skerry.storage import WriteView
from skerry.values import key_string
from skerry.values.namespace import Namespace

DOCUMENTS_AT_ONCE: Final = 500  # what is held in memory of a collection of any size


class CollectionChanges:
    """Tells observers of what happens to all documents of a collection; for one transaction of the store."""

    def __init__(self, view: WriteView, observers: Sequence[OpObserver], origin: str) -> None:
        self._view = view
        self._observers = observers
        self._origin = origin

    def removed(self, entry: CatalogEntry) -> None:
        """Report every document as deleted; to be called while they are still there."""
        self._tell(entry, entry.namespace, lambda raw: (raw, None))

    def added(self, entry: CatalogEntry, namespace: Namespace) -> None:
        """Report every document as inserted into `namespace`."""
        self._tell(entry, namespace, lambda raw: (None, raw))

    def _tell(
        self, entry: CatalogEntry, namespace: Namespace, versions: Callable[[bytes], tuple[bytes | None, bytes | None]]
    ) -> None:
        sinks = self._sinks(entry, namespace)
        if not sinks:
            return
        for chunk in self._chunks(entry):
            at = self._view.next_timestamp()
            changes = [Change(namespace, key, *versions(raw), at, self._origin) for key, raw in chunk]
            for sink in sinks:
                sink(changes)

    def _sinks(self, entry: CatalogEntry, namespace: Namespace) -> list[ChangeSink]:
        if "viewOn" in entry.options:
            return []
        asked = [observer.sink(self._view, namespace, self._origin) for observer in self._observers]
        return [sink for sink in asked if sink is not None]

    def _chunks(self, entry: CatalogEntry) -> Iterator[list[tuple[bytes, bytes]]]:
        after: bytes | None = None
        more = True
        while more:
            found, more = self._view.scan_keys(
                entry.file_id,
                key_string.LOWEST,
                key_string.HIGHEST + b"\x00",
                after=after,
                reverse=False,
                limit=DOCUMENTS_AT_ONCE,
            )
            if found:
                after = found[-1][0]
                yield [(key, raw) for key, _, raw in found]
