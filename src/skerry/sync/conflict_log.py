"""The conflict log: every version that did not survive, in full, with what it lost to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.storage import ReadView, WriteView
from skerry.sync.protocol.conflict_resolution import Resolution
from skerry.values import documents
from skerry.values.namespace import Namespace

CONFLICTS_MAX: Final = 10_000  # the oldest resolved, then the oldest of all, make room; the number ever seen is kept
_LIST: Final = (
    "SELECT id, ns, key, at, resolved, record FROM sync_conflict WHERE link = ? AND id > ? ORDER BY id LIMIT ?"
)
_GET: Final = "SELECT id, ns, key, at, resolved, record FROM sync_conflict WHERE link = ? AND id = ?"


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
        kept = {name: None if raw is None else documents.decode(raw) for name, raw in versions.items()}
        record = {**kept, "winner": resolution.winner.value, "paths": list(resolution.paths), **facts}
        view.run(
            "INSERT INTO sync_conflict (link, ns, key, at, record) VALUES (?, ?, ?, ?, ?)",
            (self._link, str(namespace), key, view.wall_ms, documents.encode(record)),
        )
        excess = self.count(view) - CONFLICTS_MAX
        if excess > 0:
            view.run(
                "DELETE FROM sync_conflict WHERE id IN (SELECT id FROM sync_conflict WHERE link = ?"
                " ORDER BY resolved DESC, id LIMIT ?)",
                (self._link, excess),
            )

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
        return int(view.row("SELECT count(*) FROM sync_conflict WHERE link = ?", (self._link,))[0])


def _conflict(row: tuple[Any, ...]) -> Conflict:
    id, namespace, key, at, resolved, raw = row
    return Conflict(id, namespace, key, at, bool(resolved), documents.decode(raw))
