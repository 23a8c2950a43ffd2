"""Which documents wait to be pushed together, because local multi-document transactions wrote them together.

A group is what transactions that share documents wrote. A document has one row while it waits; once a batch carries it, that row
names the batch, and a later transaction gives it a row of a new group, which waits until the batch has come back.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from skerry.storage import ReadView, WriteView
from skerry.sync.protocol.document_state import State
from skerry.values.namespace import Namespace

Place = tuple[Namespace, bytes]
_Row = tuple[int, bytes]

_PLACE: Final = "SELECT place FROM sync_place WHERE link = ? AND ns = ?"
_IS_UNCLEAN: Final = (
    "EXISTS (SELECT 1 FROM sync_doc AS doc WHERE doc.place = {0}.place AND doc.key = {1} AND state <> 0)"
)
_TOUCHED: Final = f"SELECT place, {_IS_UNCLEAN.format('sync_place', '?')} FROM sync_place WHERE link = ? AND ns = ?"
_ROWS: Final = "FROM sync_group WHERE link = ? AND place = ? AND key = ?"
_OF_DOCUMENT: Final = f"FROM sync_group WHERE link = ? AND place = ({_PLACE}) AND key = ?"
_WAITING_IN: Final = f"SELECT grp {_ROWS} AND batch = 0"
_WAITING_OF: Final = f"SELECT grp {_OF_DOCUMENT} AND batch = 0"
_MOVE: Final = "UPDATE sync_group SET grp = ? WHERE link = ? AND grp = ? AND batch = 0"
_ADD: Final = "INSERT OR IGNORE INTO sync_group (link, place, key, grp, batch) VALUES (?, ?, ?, ?, ?)"
_SEND: Final = f"INSERT OR REPLACE INTO sync_group (link, place, key, grp, batch) VALUES (?, ({_PLACE}), ?, ?, ?)"
_DISSOLVE: Final = "DELETE FROM sync_group WHERE link = ? AND grp = ? AND batch = 0"
_SENT: Final = f"SELECT place, key, grp {_OF_DOCUMENT} AND batch > 0"
_FORGET_SENT: Final = f"DELETE {_OF_DOCUMENT} AND batch > 0"
_FORGET: Final = f"DELETE {_OF_DOCUMENT}"
_FORGET_BATCH: Final = "DELETE FROM sync_group WHERE link = ? AND batch = ?"
_OF_COLLECTION: Final = f"DELETE FROM sync_group WHERE link = ? AND place = ({_PLACE})"
_COUNT: Final = "SELECT count(DISTINCT grp) FROM sync_group WHERE link = ? AND batch = 0"
_MAKE_DUE: Final = (
    "UPDATE sync_doc SET next_retry = 0 WHERE state = ? AND (place, key) IN"
    f" (SELECT place, key FROM sync_group WHERE link = ? AND batch = 0 AND grp = ({_WAITING_OF}))"
)
_MEMBERS: Final = (
    "SELECT ns, key FROM sync_group CROSS JOIN sync_place USING (link, place) WHERE link = ? AND batch = 0 AND grp = ?"
)
_HAS_UNCLEAN: Final = (
    "SELECT 1 FROM sync_group CROSS JOIN sync_doc USING (place, key)"
    " WHERE sync_group.link = ? AND sync_group.batch = 0 AND grp = ? AND state <> 0 LIMIT 1"
)
_JOINED: Final = "CROSS JOIN sync_group USING (place, key) WHERE sync_group.link = ? AND sync_group.batch = 0"
_HELD: Final = (
    f"SELECT grp FROM sync_doc INDEXED BY sync_doc_dirty {_JOINED} AND state <> 0 AND state IN (?, ?, ?)"
    f" UNION SELECT grp FROM sync_doc INDEXED BY sync_doc_retry {_JOINED} AND state = ? AND next_retry > ?"
)
_HELD_BY_COLLECTIONS: Final = (
    "SELECT DISTINCT grp FROM sync_place CROSS JOIN sync_group USING (link, place) CROSS JOIN sync_doc USING (place, key)"
    " WHERE link = ? AND ns IN (SELECT value FROM json_each(?)) AND sync_group.batch = 0 AND state <> 0"
)


class TransactionGroups:
    """Reads and writes the groups of one link through views of the store; holds nothing itself."""

    def __init__(self, link: str) -> None:
        self._link = link

    def note_transaction(self, view: WriteView, places: Iterable[Place]) -> None:
        """Join what a transaction has written, as far as it waits to be pushed, with the groups these documents are in."""
        touched: list[_Row] = []
        members: list[_Row] = []
        for namespace, key in places:
            row = view.row(_TOUCHED, (key, self._link, str(namespace)))
            if row is not None:
                touched.append((row[0], key))
                if row[1]:
                    members.append((row[0], key))
        self._join(view, members, touched)

    def group_of(self, view: ReadView, namespace: Namespace, key: bytes) -> int | None:
        """Return the group in which a document waits."""
        row = view.row(_WAITING_OF, self._document(namespace, key))
        return None if row is None else int(row[0])

    def members(self, view: ReadView, group: int) -> list[Place]:
        """Return the documents of a waiting group, with those of which nothing is left to push."""
        return [(Namespace.parse(ns), key) for ns, key in view.rows(_MEMBERS, (self._link, group))]

    def held(self, view: ReadView, *, excluded: Sequence[str], now_ms: int) -> list[int]:
        """Return the groups that cannot be pushed now, because of one of their documents.

        It is on its way, was refused, is to be tried later, or is in one of the `excluded` collections.
        """
        under_way = (int(State.INFLIGHT), int(State.AWAIT), int(State.QUARANTINED))
        groups = view.rows(_HELD, (self._link, *under_way, self._link, int(State.DIRTY), now_ms))
        if excluded:
            groups += view.rows(_HELD_BY_COLLECTIONS, (self._link, json.dumps(excluded)))
        return [group for (group,) in groups]

    def send(self, view: WriteView, group: int, batch: int, places: Iterable[Place]) -> None:
        """Take note that a batch carries a group: `places` are what is left to push of it."""
        self.dissolve(view, group)
        view.run_many(_SEND, [(*self._document(ns, key), group, batch) for ns, key in places])

    def take_back(self, view: WriteView, places: Iterable[Place]) -> None:
        """Let documents wait again that a batch did not bring to the hub, with what was written of them since."""
        groups: dict[int, list[_Row]] = {}
        for namespace, key in places:
            document = self._document(namespace, key)
            for place, _, group in view.rows(_SENT, document):
                groups.setdefault(group, []).append((place, key))
            view.run(_FORGET_SENT, document)
        for group, members in groups.items():
            self._join(view, members, members, group)

    def dissolve(self, view: WriteView, group: int) -> None:
        """Let each document of a waiting group be pushed for itself."""
        view.run(_DISSOLVE, (self._link, group))

    def dissolve_all(self, view: WriteView) -> int:
        """Do so with all groups that wait; return how many there were."""
        count = int(view.row(_COUNT, (self._link,))[0])
        if count:
            view.run("DELETE FROM sync_group WHERE link = ? AND batch = 0", (self._link,))
        return count

    def make_due(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        """Have the refused documents of a document's group tried again now."""
        view.run(_MAKE_DUE, (int(State.QUARANTINED), self._link, *self._document(namespace, key)))

    def forget(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        """Take a document that is clean out of its groups."""
        group = self.group_of(view, namespace, key)
        view.run(_FORGET, self._document(namespace, key))
        self._forget_empty(view, group)

    def forget_removed(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        """Take note that nothing is known any more of a document.

        As long as others of its group wait, a transaction that has written it belongs to them: the one that deletes it, too.
        """
        self.forget_sent(view, namespace, key)
        self._forget_empty(view, self.group_of(view, namespace, key))

    def _forget_empty(self, view: WriteView, group: int | None) -> None:
        if group is not None and view.row(_HAS_UNCLEAN, (self._link, group)) is None:
            self.dissolve(view, group)

    def forget_sent(self, view: WriteView, namespace: Namespace, key: bytes) -> None:
        """Take note that the hub has what a batch carried of a document."""
        view.run(_FORGET_SENT, self._document(namespace, key))

    def forget_batch(self, view: WriteView, batch: int) -> None:
        """Take note that the hub has all that a batch carried."""
        view.run(_FORGET_BATCH, (self._link, batch))

    def forget_waiting(self, view: WriteView, namespace: Namespace) -> None:
        """Take the documents of a collection out of the groups that wait."""
        view.run(f"{_OF_COLLECTION} AND batch = 0", (self._link, self._link, str(namespace)))

    def forget_collection(self, view: WriteView, namespace: Namespace) -> None:
        """Take the documents of a collection out of all groups."""
        view.run(_OF_COLLECTION, (self._link, self._link, str(namespace)))

    def clear(self, view: WriteView) -> None:
        """Forget all groups: from now on each document is pushed for itself."""
        view.run("DELETE FROM sync_group WHERE link = ?", (self._link,))

    def _join(
        self, view: WriteView, members: Sequence[_Row], touched: Sequence[_Row], group: int | None = None
    ) -> None:
        """Make one waiting group of `members` and of the groups in which `touched` documents wait.

        The oldest takes in the others: as a rule it is the largest, so that few rows change however long it grows. Without any,
        its number is `group`, or a new one.
        """
        rows = (view.row(_WAITING_IN, (self._link, *each)) for each in touched)
        waiting = {int(row[0]) for row in rows if row is not None}
        if not waiting and len(members) < 2:
            return
        if not waiting:
            waiting = {view.next_timestamp() if group is None else group}
        oldest = min(waiting)
        view.run_many(_MOVE, [(oldest, self._link, other) for other in waiting if other != oldest])
        view.run_many(_ADD, [(self._link, *each, oldest, 0) for each in members])

    def _document(self, namespace: Namespace, key: bytes) -> tuple[str, str, str, bytes]:
        return self._link, self._link, str(namespace), key
