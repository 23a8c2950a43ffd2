"""The shadows of a link in the store: the last state both sides agreed on, and the base of what is not clean."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from skerry.storage import ReadView, WriteView
from skerry.sync.protocol.document_state import Position, Shadow, State
from skerry.values.namespace import Namespace

_ONE: Final = "SELECT * FROM sync_doc WHERE link = ? AND ns = ? AND key = ?"
_DIRTY: Final = (
    "SELECT * FROM sync_doc WHERE link = ? AND state = ? AND (next_retry IS NULL OR next_retry <= ?)"
    " AND ns NOT IN (SELECT value FROM json_each(?)) ORDER BY first_write LIMIT ?"
)
_RETRY: Final = "UPDATE sync_doc SET state = ?, next_retry = NULL WHERE link = ? AND state = ? AND next_retry <= ?"
_DUE: Final = "SELECT 1 FROM sync_doc WHERE link = ? AND state = ? AND next_retry <= ? LIMIT 1"
_OF_STATE: Final = "SELECT * FROM sync_doc WHERE link = ? AND state = ?"
_RANGE: Final = "SELECT * FROM sync_doc WHERE link = ? AND ns = ? AND key > ? AND key <= ?"
_SAVE: Final = "INSERT OR REPLACE INTO sync_doc VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD: Final = _SAVE.replace("REPLACE", "IGNORE")
_REMOVE: Final = "DELETE FROM sync_doc WHERE link = ? AND ns = ? AND key = ?"
_KEEP: Final = "INSERT OR IGNORE INTO sync_base VALUES (?, ?, ?, ?)"
_REPLACE_KEPT: Final = "INSERT OR REPLACE INTO sync_base VALUES (?, ?, ?, ?)"
_KEPT: Final = "SELECT doc FROM sync_base WHERE link = ? AND ns = ? AND key = ?"
_FORGET: Final = "DELETE FROM sync_base WHERE link = ? AND ns = ? AND key = ?"
_COUNTS: Final = "SELECT state, count(*), min(first_hlc) FROM sync_doc WHERE link = ? AND state <> 0 GROUP BY state"


@dataclass(frozen=True, slots=True)
class Tracked:
    """One document of a link: `key` is its `_id`'s key string, `id_document` the raw `{_id: …}`."""

    namespace: Namespace
    key: bytes
    id_document: bytes
    shadow: Shadow


class Shadows:
    """Reads and writes the shadows of one link through views of the store; holds nothing itself."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._pushed = (
            link + "\npushed"
        )  # base documents under this name are versions on their way, overtaken by a write here

    def get(self, view: ReadView, namespace: Namespace, key: bytes) -> Tracked | None:
        row = view.row(_ONE, (self._link, str(namespace), key))
        return None if row is None else _tracked(row)

    def dirty(self, view: ReadView, *, excluded: Iterable[str], now_ms: int, limit: int) -> list[Tracked]:
        """Return up to `limit` dirty documents that may be tried now, the longest waiting first.

        `excluded` are collections that do not travel at present.
        """
        bindings = (self._link, int(State.DIRTY), now_ms, json.dumps(list(excluded)), limit)
        return [_tracked(row) for row in view.rows(_DIRTY, bindings)]

    def retry_refused(self, view: WriteView, now_ms: int) -> int:
        """Make the quarantined documents dirty whose retry is due; return how many."""
        view.run(_RETRY, (int(State.DIRTY), self._link, int(State.QUARANTINED), now_ms))
        return view.changes()

    def has_due_retry(self, view: ReadView, now_ms: int) -> bool:
        """Whether a quarantined document is to be tried again."""
        return view.row(_DUE, (self._link, int(State.QUARANTINED), now_ms)) is not None

    def of_state(self, view: ReadView, state: State) -> list[Tracked]:
        return [_tracked(row) for row in view.rows(_OF_STATE, (self._link, int(state)))]

    def between(self, view: ReadView, namespace: Namespace, after: bytes, last: bytes) -> Iterator[Tracked]:
        """Iterate over the documents with `after` < key <= `last`."""
        for row in view.rows(_RANGE, (self._link, str(namespace), after, last)):
            yield _tracked(row)

    def counts(self, view: ReadView) -> dict[State, tuple[int, int]]:
        """Return per state, but for clean ones, how many documents are in it, and the oldest stamp of a local write."""
        return {State(state): (count, oldest or 0) for state, count, oldest in view.rows(_COUNTS, (self._link,))}

    def save(self, view: WriteView, tracked: Iterable[Tracked]) -> None:
        """Store shadows."""
        view.run_many(_SAVE, [self._row(each) for each in tracked])

    def add_new(self, view: WriteView, tracked: list[Tracked]) -> int:
        """Store shadows of documents that have none and return how many those were."""
        before = view.row("SELECT total_changes()")[0]
        view.run_many(_ADD, [self._row(each) for each in tracked])
        return int(view.row("SELECT total_changes()")[0]) - int(before)

    def remove(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        """Forget a document and everything kept for it."""
        view.run(_REMOVE, (self._link, str(namespace), key))
        self.forget_base(view, namespace, key)
        self.forget_pushed(view, namespace, key)

    def remove_namespace(self, view: WriteView, namespace: Namespace) -> None:
        """Forget all documents of a collection that no longer travels."""
        for link in (self._link, self._pushed):
            view.run("DELETE FROM sync_base WHERE link = ? AND ns = ?", (link, str(namespace)))
        view.run("DELETE FROM sync_doc WHERE link = ? AND ns = ?", (self._link, str(namespace)))

    def remove_unclean(self, view: WriteView, namespace: Namespace) -> None:
        """Forget the documents of a collection that wait to be pushed: from now on it only comes down."""
        view.run("DELETE FROM sync_doc WHERE link = ? AND ns = ? AND state <> 0", (self._link, str(namespace)))
        for link in (self._link, self._pushed):
            view.run("DELETE FROM sync_base WHERE link = ? AND ns = ?", (link, str(namespace)))

    def keep_base(self, view: WriteView, namespace: Namespace, key: bytes, raw: bytes | None) -> None:
        """Keep the base document; one already kept stays."""
        view.run(_KEEP, (self._link, str(namespace), key, raw))

    def replace_base(self, view: WriteView, namespace: Namespace, key: bytes, raw: bytes | None) -> None:
        view.run(_REPLACE_KEPT, (self._link, str(namespace), key, raw))

    def base(self, view: ReadView, namespace: Namespace, key: bytes) -> bytes | None:
        """Return the base document as far as it is kept."""
        row = view.row(_KEPT, (self._link, str(namespace), key))
        return None if row is None else row[0]

    def forget_base(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        view.run(_FORGET, (self._link, str(namespace), key))

    def keep_pushed(self, view: WriteView, namespace: Namespace, key: bytes, raw: bytes | None) -> None:
        """Keep the version that a batch carries, because a local write is about to overtake it."""
        view.run(_KEEP, (self._pushed, str(namespace), key, raw))

    def pushed(self, view: ReadView, namespace: Namespace, key: bytes) -> bytes | None:
        row = view.row(_KEPT, (self._pushed, str(namespace), key))
        return None if row is None else row[0]

    def forget_pushed(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        view.run(_FORGET, (self._pushed, str(namespace), key))

    def namespaces(self, view: ReadView) -> list[Namespace]:
        """Return the collections of which the link knows documents."""
        rows = view.rows("SELECT DISTINCT ns FROM sync_doc WHERE link = ?", (self._link,))
        return [Namespace.parse(row[0]) for row in rows]

    def _row(self, each: Tracked) -> tuple[Any, ...]:
        shadow = each.shadow
        return (
            self._link,
            str(each.namespace),
            each.key,
            each.id_document,
            int(shadow.state),
            shadow.base,
            shadow.position.encode(),
            shadow.batch,
            shadow.pushed,
            shadow.first_write,
            shadow.first_hlc,
            shadow.last_hlc,
            shadow.attempts,
            shadow.next_retry,
            shadow.error,
        )


def _tracked(row: tuple[Any, ...]) -> Tracked:
    _, namespace, key, id_document, state, base, position, *rest = row
    return Tracked(
        Namespace.parse(namespace), key, id_document, Shadow(State(state), base, Position.decode(position), *rest)
    )
