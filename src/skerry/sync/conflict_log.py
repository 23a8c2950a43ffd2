"""The conflict log: every version that did not survive, in full, with what it lost to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.protocol.conflict_resolution import Resolution
from skerry.values import documents
from skerry.values.namespace import Namespace

CONFLICTS_MAX: Final = 10_000  # the oldest resolved, then the oldest of all, make room; the number ever seen is kept
_LIST: Final = (
    "SELECT id, ns, key, at, resolved, record FROM sync_conflict WHERE link = ? AND id > ? ORDER BY id LIMIT ?"
)
_GET: Final = "SELECT id, ns, key, at, resolved, record FROM sync_conflict WHERE link = ? AND id = ?"

_MAKE_ROOM: Final = (
    "DELETE FROM sync_conflict WHERE id IN (SELECT id FROM sync_conflict INDEXED BY sync_conflict_room"
    " WHERE link = ? ORDER BY resolved DESC, id LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """One conflict. `record` holds `base`, `local`, `remote`, `result` (documents or null), `winner`, `paths`, both stamps."""

    id: int
    namespace: str
    key: bytes
    at_ms: int
    resolved: bool
    record: dict[str, Any]


class ConflictLog:
    """The conflicts of one link."""

    def __init__(self, link: str) -> None:
        self._link = link

    def add(
        self,
        view: WriteView,
        namespace: Namespace,
        key: bytes,
        versions: Mapping[str, bytes | None],
        resolution: Resolution,
        facts: Mapping[str, Any],
    ) -> None:
        """Keep a conflict; `versions` are the raw `base`, `local`, `remote` and `result`."""
        decoded = {name: None if raw is None else documents.decode(raw) for name, raw in versions.items()}
        record = {**decoded, "winner": resolution.winner.value, "paths": list(resolution.paths), **facts}
        view.run(
            "INSERT INTO sync_conflict (link, ns, key, at, record) VALUES (?, ?, ?, ?, ?)",
            (self._link, str(namespace), key, view.wall_ms, documents.encode(record)),
        )
        kept = self._noted(view)
        if kept is None:  # a store of an earlier version
            kept = self._counted(view) - 1
        excess = kept + 1 - CONFLICTS_MAX
        if excess > 0:
            view.run(_MAKE_ROOM, (self._link, excess))
        link_records.save(view, self._link, link_records.CONFLICTS, {"kept": min(kept + 1, CONFLICTS_MAX)})

    def entries(self, view: ReadView, *, after: int = 0, limit: int = 100) -> list[Conflict]:
        """Return conflicts in the order in which they were found, beyond the id `after`."""
        return [_conflict(row) for row in view.rows(_LIST, (self._link, after, limit))]

    def get(self, view: ReadView, id: int) -> Conflict | None:
        row = view.row(_GET, (self._link, id))
        return None if row is None else _conflict(row)

    def mark_resolved(self, view: WriteView, id: int) -> bool:
        """Note that an operator has dealt with a conflict; false when there is none of this id."""
        view.run("UPDATE sync_conflict SET resolved = 1 WHERE link = ? AND id = ?", (self._link, id))
        return view.changes() > 0

    def count(self, view: ReadView) -> int:
        """Return how many conflicts are kept."""
        kept = self._noted(view)
        return self._counted(view) if kept is None else kept

    def _noted(self, view: ReadView) -> int | None:
        """Return the number kept beside the log: to count anew at each conflict would take longer the longer the log is."""
        record = link_records.load(view, self._link, link_records.CONFLICTS)
        return None if record is None else int(record["kept"])

    def _counted(self, view: ReadView) -> int:
        return int(view.row("SELECT count(*) FROM sync_conflict WHERE link = ?", (self._link,))[0])


def _conflict(row: tuple[Any, ...]) -> Conflict:
    id, namespace, key, at, resolved, raw = row
    return Conflict(id, namespace, key, at, bool(resolved), documents.decode(raw))
