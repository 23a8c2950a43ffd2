"""The users of a database: kept in its file, but in no collection, so that only the user commands read and write them.

No change of a user is in the oplog: change streams do not show it and sync does not carry it. A version number grows with each
change: whoever remembers what a user may do compares it. Another process's change is seen within `SEEN_WITHIN_SECONDS`.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from skerry.engine.storage_engine import StorageEngine
from skerry.errors import CommandError, UnauthorizedError, UserNotFoundError
from skerry.storage import ReadView, WriteView
from skerry.values import documents

SEEN_WITHIN_SECONDS: Final = 1.0
USER_EXISTS: Final = 51003
_VERSION: Final = "users_version"

T = TypeVar("T")
Record = dict[str, Any]
"""A user as `usersInfo` shows it, with `credentials`."""


class Users:
    """The users of one store. Shared by all threads."""

    def __init__(self, storage: StorageEngine) -> None:
        self._storage = storage
        self._version = -1
        self._has_any = False
        self._due = 0.0
        self.version()

    def version(self) -> int:
        """Return the number of the newest change, as far as it is known here; cheap enough to be asked before each command."""
        now = time.monotonic()
        if now >= self._due:
            with self._storage.read() as view:
                self._look(view)
            self._due = now + SEEN_WITHIN_SECONDS
        return self._version

    def has_any(self) -> bool:
        """Whether there is any user."""
        self.version()
        return self._has_any

    def get(self, db: str, name: str) -> Record | None:
        """Return a user, None when there is none."""
        with self._storage.read() as view:
            return _get(view, db, name)

    def find(self, db: str | None) -> list[Record]:
        """Return the users of a database, or all, by name."""
        with self._storage.read() as view:
            if db is None:
                rows = view.rows("SELECT record FROM user_account ORDER BY db, name")
            else:
                rows = view.rows("SELECT record FROM user_account WHERE db = ? ORDER BY name", (db,))
        return [documents.decode(row[0]) for row in rows]

    def create(self, record: Mapping[str, Any], *, only_as_first: bool = False) -> None:
        """Add a user. Raises CommandError 51003 when it exists, UnauthorizedError when it may only be the first and is not."""
        db, name = record["db"], record["user"]

        def job(view: WriteView) -> None:
            if only_as_first and _count(view):
                raise UnauthorizedError("there is a user already: log in to make another")
            if _get(view, db, name) is not None:
                raise CommandError(f'User "{name}@{db}" already exists', USER_EXISTS)
            _put(view, record)

        self._write(job)

    def change(self, db: str, name: str, change: Callable[[Record], Record]) -> None:
        """Put what `change` makes of a user in its place. Raises UserNotFoundError."""

        def job(view: WriteView) -> None:
            record = _get(view, db, name)
            if record is None:
                raise _not_found(db, name)
            _put(view, change(record))

        self._write(job)

    def remove(self, db: str, name: str) -> None:
        """Remove a user. Raises UserNotFoundError."""

        def job(view: WriteView) -> None:
            view.run("DELETE FROM user_account WHERE db = ? AND name = ?", (db, name))
            if view.changes() == 0:
                raise _not_found(db, name)

        self._write(job)

    def remove_all(self, db: str) -> int:
        """Remove the users of a database; return how many there were."""

        def job(view: WriteView) -> int:
            view.run("DELETE FROM user_account WHERE db = ?", (db,))
            return view.changes()

        return self._write(job)

    def _write(self, job: Callable[[WriteView], T]) -> T:
        def run(view: WriteView) -> T:
            result = job(view)
            version, has_any = int(view.setting(_VERSION) or 0) + 1, _count(view) > 0
            view.set_setting(_VERSION, version)
            view.after_commit.append(lambda: self._set(version, has_any=has_any))
            return result

        return self._storage.store.write(run, durable=True)

    def _look(self, view: ReadView) -> None:
        version = int(view.setting(_VERSION) or 0)
        if version > self._version:
            self._set(version, has_any=_count(view) > 0)

    def _set(self, version: int, *, has_any: bool) -> None:
        if version > self._version:
            # In this order: whoever sees the new version sees whether there are users.
            self._has_any = has_any
            self._version = version


def _get(view: ReadView, db: str, name: str) -> Record | None:
    row = view.row("SELECT record FROM user_account WHERE db = ? AND name = ?", (db, name))
    return None if row is None else documents.decode(row[0])


def _put(view: WriteView, record: Mapping[str, Any]) -> None:
    raw = documents.encode(record)
    documents.check_size(raw)
    view.run("INSERT OR REPLACE INTO user_account VALUES (?, ?, ?)", (record["db"], record["user"], raw))


def _count(view: ReadView) -> int:
    return int(view.row("SELECT count(*) FROM user_account")[0])


def _not_found(db: str, name: str) -> UserNotFoundError:
    return UserNotFoundError(f"User '{name}@{db}' not found")
