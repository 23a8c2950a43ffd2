"""Who did what, and when: every order that came in over the admin API, done or refused, and every wrong token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.engine.engine import Engine
from skerry.storage import WriteView

ENTRIES_MAX: Final = 100_000
_ADD: Final = "INSERT INTO admin_audit (at, who, address, action, status, details) VALUES (?, ?, ?, ?, ?, ?)"
_LIST: Final = (
    "SELECT id, at, who, address, action, status, details FROM admin_audit"
    " WHERE id < ? AND (? IS NULL OR who = ?) AND at >= ? ORDER BY id DESC LIMIT ?"
)
_NEWEST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One order. `action` is method and path, `status` the HTTP status that answered it, `at_ms` since 1970."""

    id: int
    at_ms: int
    who: str
    address: str
    action: str
    status: int
    details: dict[str, Any]


class AuditLog:
    """The audit log of one store; the oldest entries make room."""

    def __init__(self, engine: Engine) -> None:
        self._store = engine.storage.store

    def add(self, who: str, address: str, action: str, status: int, details: Mapping[str, Any]) -> None:
        """Add an entry."""

        def job(view: WriteView) -> None:
            view.run(_ADD, (view.wall_ms, who, address, action, status, json.dumps(details)))
            newest = view.row("SELECT max(id) FROM admin_audit")[0]
            view.run("DELETE FROM admin_audit WHERE id <= ?", (newest - ENTRIES_MAX,))

        self._store.write(job, durable=False)

    def entries(
        self, *, before: int | None = None, who: str | None = None, since_ms: int = 0, limit: int = 100
    ) -> list[AuditEntry]:
        """Return the newest entries first, before the id `before`."""
        bindings = (_NEWEST if before is None else before, who, who, since_ms, limit)
        with self._store.read() as view:
            rows = view.rows(_LIST, bindings)
        return [
            AuditEntry(id, at, who_, address, action, status, json.loads(details))
            for id, at, who_, address, action, status, details in rows
        ]
