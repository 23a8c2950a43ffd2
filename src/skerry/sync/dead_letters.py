"""Dead letters: changes of the hub that could not be applied here, kept until they are superseded, retried or discarded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.storage import ReadView, WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace

_LIST: Final = "SELECT id, ns, key, at, record FROM sync_dead WHERE link = ? AND id > ? ORDER BY id LIMIT ?"
_GET: Final = "SELECT id, ns, key, at, record FROM sync_dead WHERE link = ? AND id = ?"
_RENEW: Final = "UPDATE sync_dead SET record = ? WHERE link = ? AND ns = ? AND key = ?"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One change that waits. `record` holds the `document` (null: a deletion), its `_id`, `error`, `code`, and `stamp`."""

    id: int
    namespace: Namespace
    key: bytes
    at_ms: int
    record: dict[str, Any]


class DeadLetters:
    """The dead letters of one link: at most one a document, the newest."""

    def __init__(self, link: str) -> None:
        self._link = link

    def put(self, view: WriteView, namespace: Namespace, key: bytes, record: Mapping[str, Any]) -> bool:
        """Keep a change, in the place of an older one of the document, whose number and time it takes over.

        False when there was an older one.
        """
        view.run(_RENEW, (documents.encode(record), self._link, str(namespace), key))
        if view.changes():
            return False
        view.run(
            "INSERT INTO sync_dead (link, ns, key, at, record) VALUES (?, ?, ?, ?, ?)",
            (self._link, str(namespace), key, view.wall_ms, documents.encode(record)),
        )
        return True

    def entries(self, view: ReadView, *, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """Return the oldest dead letters beyond the id `after`."""
        return [_letter(row) for row in view.rows(_LIST, (self._link, after, limit))]

    def get(self, view: ReadView, id: int) -> DeadLetter | None:
        row = view.row(_GET, (self._link, id))
        return None if row is None else _letter(row)

    def discard_of(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        view.run("DELETE FROM sync_dead WHERE link = ? AND ns = ? AND key = ?", (self._link, str(namespace), key))

    def discard(self, view: WriteView, id: int) -> bool:
        """Drop one dead letter; false when there is none of this id."""
        view.run("DELETE FROM sync_dead WHERE link = ? AND id = ?", (self._link, id))
        return view.changes() > 0

    def has_any(self, view: ReadView) -> bool:
        return view.row("SELECT 1 FROM sync_dead WHERE link = ? LIMIT 1", (self._link,)) is not None

    def count(self, view: ReadView) -> int:
        return int(view.row("SELECT count(*) FROM sync_dead WHERE link = ?", (self._link,))[0])


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    id, namespace, key, at, raw = row
    return DeadLetter(id, Namespace.parse(namespace), key, at, documents.decode(raw))
