"""The shadows of a link in the store: the last state both sides agreed on, and the base of what is not clean."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial
from typing import Any, Final, NamedTuple

from bson.int64 import Int64

from skerry.config.sync_config import Atomicity
from skerry.storage import ReadView, WriteView
from skerry.sync.protocol.document_state import Position, Shadow, State
from skerry.sync.transaction_groups import TransactionGroups
from skerry.values import documents
from skerry.values.namespace import Namespace

_COLUMNS: Final = (
    "key, id, state, first_write, first_hlc, last_hlc, base_hash, position, batch, pushed_hash, attempts, next_retry,"
    " error"
)
# CROSS JOIN keeps the order: the index gives the oldest first. It only serves queries that say `state <> 0`.
_UNCLEAN: Final = (
    "FROM sync_doc INDEXED BY sync_doc_dirty CROSS JOIN sync_place USING (place) WHERE state <> 0 AND link = ?"
)
_PLACE: Final = "SELECT place FROM sync_place WHERE link = ? AND ns = ?"
_PLACES: Final = "(SELECT place FROM sync_place WHERE link = ?)"
_NEW_PLACE: Final = "INSERT INTO sync_place (link, ns) VALUES (?, ?) RETURNING place"
# not joined: SQLite takes 10 µs for such a join of one row with one row, and 1 µs for this
_ONE: Final = f"SELECT {_COLUMNS} FROM sync_doc WHERE place = ({_PLACE}) AND key = ?"
_RANGE: Final = f"SELECT {_COLUMNS} FROM sync_doc WHERE place = ({_PLACE}) AND key > ? AND key <= ?"
_DUE_DIRTY: Final = (
    f"SELECT ns, {_COLUMNS} {_UNCLEAN} AND state = ? AND (next_retry IS NULL OR next_retry <= ?)"
    " AND ns NOT IN (SELECT value FROM json_each(?))"
)
_DIRTY: Final = f"{_DUE_DIRTY} ORDER BY first_write LIMIT ?"
_DIRTY_NOT_HELD: Final = (
    f"{_DUE_DIRTY} AND NOT EXISTS (SELECT 1 FROM sync_group WHERE sync_group.link = sync_place.link"
    " AND sync_group.place = sync_doc.place AND sync_group.key = sync_doc.key AND sync_group.batch = 0"
    " AND grp IN (SELECT value FROM json_each(?))) ORDER BY first_write LIMIT ?"
)
_RETRY: Final = (
    "UPDATE sync_doc INDEXED BY sync_doc_dirty SET state = ?, next_retry = NULL"
    f" WHERE state <> 0 AND state = ? AND next_retry <= ? AND place IN {_PLACES}"
)
_MAKE_DUE: Final = (
    "UPDATE sync_doc INDEXED BY sync_doc_dirty SET next_retry = 0"
    f" WHERE state <> 0 AND state = ? AND place IN {_PLACES}"
)
_WAITING: Final = f"SELECT ns, count(*) {_UNCLEAN} AND state IN (?, ?) GROUP BY ns ORDER BY ns"
_DUE: Final = f"SELECT 1 {_UNCLEAN} AND state = ? AND next_retry <= ? LIMIT 1"
_OF_STATE: Final = f"SELECT ns, {_COLUMNS} {_UNCLEAN} AND state = ?"
_COUNTS: Final = f"SELECT state, count(*), min(first_hlc) {_UNCLEAN} GROUP BY state"
_NAMESPACES: Final = (
    "SELECT ns FROM sync_place WHERE link = ?"
    " AND EXISTS (SELECT 1 FROM sync_doc WHERE sync_doc.place = sync_place.place)"
)
_SAVE: Final = "INSERT OR REPLACE INTO sync_doc VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CREATED: Final = "INSERT OR IGNORE INTO sync_doc (place, state, first_hlc, last_hlc, key, id, first_write)"
_ADD: Final = f"{_CREATED} VALUES (?, 1, ?, ?, ?, ?, ?)"
_ADD_ONE: Final = f"{_CREATED} SELECT place, 1, ?, ?, ?, ?, ? FROM sync_place WHERE link = ? AND ns = ?"
_TOUCH: Final = (
    f"UPDATE sync_doc SET last_hlc = max(?, last_hlc + 1) WHERE place = ({_PLACE}) AND key = ? AND state = 1"
)
_REMOVE: Final = f"DELETE FROM sync_doc WHERE place = ({_PLACE}) AND key = ?"
_REMOVE_ALL: Final = f"DELETE FROM sync_doc WHERE place = ({_PLACE})"
_REMOVE_UNCLEAN: Final = f"{_REMOVE_ALL} AND state <> 0"
_SEND: Final = (
    f"UPDATE sync_doc SET state = {int(State.INFLIGHT)}, batch = ?, pushed_hash = ? WHERE place = ? AND key = ?"
)
_ACKNOWLEDGE: Final = (
    "UPDATE sync_doc INDEXED BY sync_doc_batch SET state = 3, attempts = NULL, next_retry = NULL, error = NULL"
    f" WHERE batch = ? AND state = 2 AND place IN {_PLACES}"
)
_OF_BATCH: Final = (
    f"SELECT ns, {_COLUMNS} FROM sync_doc INDEXED BY sync_doc_batch CROSS JOIN sync_place USING (place)"
    " WHERE batch = ? AND state = ? AND link = ?"
)
# What an echo settles without a look at the document: no write here has overtaken what the batch carries.
_ECHOED: Final = (
    f"batch = ? AND state = {int(State.AWAIT)} AND place IN {_PLACES} AND pushed_hash IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM sync_base WHERE sync_base.link = ? AND sync_base.key = sync_doc.key"
    " AND sync_base.ns = (SELECT ns FROM sync_place WHERE sync_place.place = sync_doc.place))"
)
_ECHOED_PLACES: Final = (
    f"SELECT (SELECT ns FROM sync_place WHERE sync_place.place = sync_doc.place), key"
    f" FROM sync_doc INDEXED BY sync_doc_batch WHERE base_hash IS NOT NULL AND {_ECHOED}"
)
_ECHO: Final = (
    "UPDATE sync_doc INDEXED BY sync_doc_batch SET state = 0, base_hash = pushed_hash, position = ?, batch = NULL,"
    " pushed_hash = NULL, first_write = NULL, first_hlc = last_hlc, attempts = NULL, next_retry = NULL, error = NULL"
    f" WHERE {_ECHOED}"
)
_STATES: Final = tuple(State)
_REMOVE_CREATED: Final = f"{_REMOVE_ALL} AND state IN (1, 4) AND base_hash IS NULL"
_UNTRACK: Final = (
    "UPDATE sync_doc SET state = 0, attempts = NULL, next_retry = NULL, error = NULL"
    f" WHERE place = ({_PLACE}) AND state IN (1, 4)"
)
_KEPT_BYTES: Final = "SELECT coalesce(sum(length(doc)), 0) FROM sync_base WHERE link IN (?, ?)"
_KEEP: Final = "INSERT OR IGNORE INTO sync_base VALUES (?, ?, ?, ?)"
_REPLACE_KEPT: Final = "INSERT OR REPLACE INTO sync_base VALUES (?, ?, ?, ?)"
_KEPT: Final = "SELECT doc FROM sync_base WHERE link = ? AND ns = ? AND key = ?"
_FORGET: Final = "DELETE FROM sync_base WHERE link = ? AND ns = ? AND key = ?"


IN_DOUBT_MAX: Final = 4  # versions of one document


class InDoubt(NamedTuple):
    """What was pushed of a document without a clear outcome, later than the cluster time `since`."""

    pushed: tuple[bytes | None, ...]
    since: int


class Tracked(NamedTuple):
    """One document of a link: `key` is its `_id`'s key string, `id_document` the raw `{_id: …}`."""

    namespace: Namespace
    key: bytes
    id_document: bytes
    shadow: Shadow


class Shadows:
    """Reads and writes the shadows of one link through views of the store; holds nothing itself.

    `groups` says which documents are pushed together, where the link's atomicity asks for that.
    """

    def __init__(self, link: str, atomicity: Atomicity = Atomicity.PER_DOCUMENT) -> None:
        self._link = link
        self.groups = TransactionGroups(link) if atomicity is Atomicity.PER_TRANSACTION else None
        self._pushed = link + "\npushed"  # base documents under this name are on their way, overtaken by a write here
        self._in_doubt = link + "\nin doubt"  # records under this name are what was pushed without a clear outcome
        self._origins = link + "\norigin"  # records under this name say who made what is passed on

    def get(self, view: ReadView, namespace: Namespace, key: bytes) -> Tracked | None:
        row = view.row(_ONE, (self._link, str(namespace), key))
        return None if row is None else _tracked(namespace, row)

    def dirty(self, view: ReadView, *, excluded: Iterable[str], now_ms: int, limit: int) -> list[Tracked]:
        """Return up to `limit` dirty documents that may be tried now, the longest waiting first.

        `excluded` are collections that do not travel at present. Left out are also those whose group cannot go now.
        """
        staying = list(excluded)
        held = [] if self.groups is None else self.groups.held(view, excluded=staying, now_ms=now_ms)
        groups = [json.dumps(held)] if held else []
        bindings = (self._link, int(State.DIRTY), now_ms, json.dumps(staying), *groups, limit)
        found = view.rows(_DIRTY_NOT_HELD if held else _DIRTY, bindings)
        return [_tracked(_namespace(ns), row) for ns, *row in found]

    def retry_refused(self, view: WriteView, now_ms: int) -> int:
        """Make the quarantined documents dirty whose retry is due; return how many."""
        view.run(_RETRY, (int(State.DIRTY), int(State.QUARANTINED), now_ms, self._link))
        return view.changes()

    def has_due_retry(self, view: ReadView, now_ms: int) -> bool:
        """Whether a quarantined document is to be tried again."""
        return view.row(_DUE, (self._link, int(State.QUARANTINED), now_ms)) is not None

    def make_refused_due(self, view: WriteView) -> None:
        """Have the quarantined documents tried again now."""
        view.run(_MAKE_DUE, (int(State.QUARANTINED), self._link))

    def waiting(self, view: ReadView) -> dict[str, int]:
        """Return how many documents of each collection wait to be pushed or are on their way."""
        return dict(view.rows(_WAITING, (self._link, int(State.DIRTY), int(State.INFLIGHT))))

    def of_state(self, view: ReadView, state: State) -> list[Tracked]:
        return [_tracked(_namespace(ns), row) for ns, *row in view.rows(_OF_STATE, (self._link, int(state)))]

    def of_batch(self, view: ReadView, number: int, state: State) -> list[Tracked]:
        """Return the documents of a batch that are in this state."""
        return [_tracked(_namespace(ns), row) for ns, *row in view.rows(_OF_BATCH, (number, int(state), self._link))]

    def acknowledge(self, view: WriteView, number: int) -> None:
        """Do what `document_state.acknowledged` says for all documents of a batch that are in flight."""
        view.run(_ACKNOWLEDGE, (number, self._link))

    def settle_unchanged(self, view: WriteView, number: int, position: Position) -> None:
        """Do what `document_state.settled` says for a batch's documents that were not written since they were sent.

        Those that were, and deleted ones, stay as they are.
        """
        echoed = (number, self._link, self._pushed)
        if self.groups is not None:
            self.groups.forget_batch(view, number)
        bases = [(self._link, ns, key) for ns, key in view.rows(_ECHOED_PLACES, echoed)]
        view.run_many(_FORGET, bases)
        view.run(_ECHO, (position.encode(), *echoed))

    def between(self, view: ReadView, namespace: Namespace, after: bytes, last: bytes) -> Iterator[Tracked]:
        """Iterate over the documents with `after` < key <= `last`."""
        for row in view.rows(_RANGE, (self._link, str(namespace), after, last)):
            yield _tracked(namespace, row)

    def counts(self, view: ReadView) -> dict[State, tuple[int, int]]:
        """Return per state, but for clean ones, how many documents are in it, and the oldest stamp of a local write."""
        return {State(state): (count, oldest or 0) for state, count, oldest in view.rows(_COUNTS, (self._link,))}

    def unclean(self, view: ReadView) -> tuple[int, int]:
        """Return how many documents are not in step, and the oldest stamp of a local write among them, 0 for none."""
        found = self.counts(view).values()
        return sum(count for count, _ in found), min((oldest for _, oldest in found if oldest), default=0)

    def kept_bytes(self, view: ReadView) -> int:
        """Return how many bytes of base documents are kept."""
        return int(view.row(_KEPT_BYTES, (self._link, self._pushed))[0])

    def spill(self, view: WriteView) -> None:
        """Give up all base documents; the hashes stay, so that it is still seen what the hub has changed."""
        view.run("DELETE FROM sync_base WHERE link = ?", (self._link,))

    def stop_tracking(self, view: WriteView, namespace: Namespace) -> None:
        """Take the documents of a collection that wait for ones that do not: a comparison will find them again."""
        if self.groups is not None:
            self.groups.forget_waiting(view, namespace)
        view.run(_REMOVE_CREATED, (self._link, str(namespace)))
        view.run(_UNTRACK, (self._link, str(namespace)))
        view.run("DELETE FROM sync_base WHERE link = ? AND ns = ?", (self._link, str(namespace)))

    def save(self, view: WriteView, tracked: Iterable[Tracked]) -> None:
        """Store shadows."""
        place = cache(partial(self._place, view))
        view.run_many(_SAVE, [_row(place(each.namespace), each) for each in tracked])

    def send(self, view: WriteView, sent: Iterable[Tracked]) -> None:
        """Store what `document_state.sent` has made of shadows that are in the store."""
        place = cache(partial(self._place, view))
        rows = [(shadow.batch, shadow.pushed, place(namespace), key) for namespace, key, _, shadow in sent]
        view.run_many(_SEND, rows)

    def add_created(
        self, view: WriteView, namespace: Namespace, created: Sequence[tuple[bytes, bytes, int]], *, stamp: int
    ) -> bool:
        """Store shadows of documents just created here, as (key, `_id` document, order of writing).

        Those that have a shadow already are left as they are; true when there were none such.
        """
        if len(created) == 1:
            view.run(_ADD_ONE, (stamp, stamp, *created[0], self._link, str(namespace)))
            if view.changes():
                return True
        place = self._place(view, namespace)
        before = view.total_changes()
        view.run_many(_ADD, [(place, stamp, stamp, *each) for each in created])
        return view.total_changes() - before == len(created)

    def touch_dirty(self, view: WriteView, namespace: Namespace, key: bytes, *, stamp: int) -> bool:
        """Note one more write of a document that is dirty already: only its stamp moves. False when it is not."""
        view.run(_TOUCH, (stamp, self._link, str(namespace), key))
        return view.changes() > 0

    def remove(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        """Forget a document and everything kept for it."""
        view.run(_REMOVE, (self._link, str(namespace), key))
        self.forget_base(view, namespace, key)
        self.forget_pushed(view, namespace, key)
        view.run(_FORGET, (self._origins, str(namespace), key))
        view.run(_FORGET, (self._in_doubt, str(namespace), key))
        if self.groups is not None:
            self.groups.forget_removed(view, namespace, key)

    def remove_namespace(self, view: WriteView, namespace: Namespace) -> None:
        """Forget all documents of a collection that no longer travels."""
        if self.groups is not None:
            self.groups.forget_collection(view, namespace)
        for link in (self._link, self._pushed, self._in_doubt):
            view.run("DELETE FROM sync_base WHERE link = ? AND ns = ?", (link, str(namespace)))
        view.run(_REMOVE_ALL, (self._link, str(namespace)))

    def remove_unclean(self, view: WriteView, namespace: Namespace) -> None:
        """Forget the documents of a collection that wait to be pushed: from now on it only comes down."""
        if self.groups is not None:
            self.groups.forget_collection(view, namespace)
        view.run(_REMOVE_UNCLEAN, (self._link, str(namespace)))
        for link in (self._link, self._pushed, self._in_doubt):
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

    def forget_kept(self, view: WriteView, places: Iterable[tuple[Namespace, bytes]]) -> None:
        """Forget the base and the pushed version of documents that are clean."""
        named = list(places)
        if named:
            links = (self._link, self._pushed, self._in_doubt)
            view.run_many(_FORGET, [(link, str(namespace), key) for link in links for namespace, key in named])

    def keep_pushed(self, view: WriteView, namespace: Namespace, key: bytes, raw: bytes | None) -> None:
        """Keep the version that a batch carries, because a local write is about to overtake it."""
        view.run(_KEEP, (self._pushed, str(namespace), key, raw))

    def keep_origin(self, view: WriteView, namespace: Namespace, key: bytes, record: bytes) -> None:
        """Keep who made the present version of a document that waits to be passed on."""
        view.run(_REPLACE_KEPT, (self._origins, str(namespace), key, record))

    def origin(self, view: ReadView, namespace: Namespace, key: bytes) -> bytes | None:
        row = view.row(_KEPT, (self._origins, str(namespace), key))
        return None if row is None else row[0]

    def has_origins(self, view: ReadView) -> bool:
        """Whether `origin` knows of any document."""
        return view.row("SELECT 1 FROM sync_base WHERE link = ? LIMIT 1", (self._origins,)) is not None

    def pushed(self, view: ReadView, namespace: Namespace, key: bytes) -> bytes | None:
        row = view.row(_KEPT, (self._pushed, str(namespace), key))
        return None if row is None else row[0]

    def forget_pushed(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        view.run(_FORGET, (self._pushed, str(namespace), key))

    def keep_in_doubt(self, view: WriteView, tracked: Tracked, pushed: bytes | None, *, since: int) -> None:
        """Keep a version that was pushed from the document's base, and that the hub may have had, or may get."""
        before = [raw for raw in self.in_doubt(view, tracked) if raw != pushed]
        versions = [*before, pushed][-IN_DOUBT_MAX:]
        record = {"base": tracked.shadow.base, "pushed": versions, "since": Int64(since)}
        view.run(_REPLACE_KEPT, (self._in_doubt, str(tracked.namespace), tracked.key, documents.encode(record)))

    def in_doubt(self, view: ReadView, tracked: Tracked) -> list[bytes | None]:
        """Return what was pushed from the document's present base without a clear outcome."""
        row = view.row(_KEPT, (self._in_doubt, str(tracked.namespace), tracked.key))
        record = {"base": None, "pushed": []} if row is None else documents.decode(row[0])
        return list(record["pushed"]) if record["base"] == tracked.shadow.base else []

    def all_in_doubt(self, view: ReadView) -> dict[tuple[Namespace, bytes], InDoubt]:
        """Return the same of all documents, whatever their base is now."""
        found = {}
        for ns, key, raw in view.rows("SELECT ns, key, doc FROM sync_base WHERE link = ?", (self._in_doubt,)):
            record = documents.decode(raw)
            found[_namespace(ns), key] = InDoubt(tuple(record["pushed"]), int(record["since"]))
        return found

    def namespaces(self, view: ReadView) -> list[Namespace]:
        """Return the collections of which the link knows documents."""
        return [Namespace.parse(row[0]) for row in view.rows(_NAMESPACES, (self._link,))]

    def _place(self, view: WriteView, namespace: Namespace) -> int:
        """Return the number of a collection of this link. Not remembered: the transaction that made it may be undone."""
        names = (self._link, str(namespace))
        row = view.row(_PLACE, names) or view.row(_NEW_PLACE, names)
        return int(row[0])


def _row(place: int, each: Tracked) -> tuple[Any, ...]:
    shadow = each.shadow
    return (
        place,
        each.key,
        each.id_document,
        int(shadow.state),
        shadow.first_write,
        shadow.first_hlc,
        shadow.last_hlc,
        shadow.base,
        shadow.position.encode(),
        shadow.batch,
        shadow.pushed,
        shadow.attempts or None,
        shadow.next_retry,
        shadow.error,
    )


def _tracked(namespace: Namespace, row: Sequence[Any]) -> Tracked:
    key, id_document, state, first_write, first_hlc, last_hlc, base, position, batch, pushed, attempts, *rest = row
    shadow = Shadow(
        _STATES[state],
        base,
        Position.decode(position),
        batch,
        pushed,
        first_write,
        first_hlc,
        last_hlc,
        attempts or 0,
        *rest,
    )
    return Tracked(namespace, key, id_document, shadow)


_namespace: Final = lru_cache(1024)(Namespace.parse)
