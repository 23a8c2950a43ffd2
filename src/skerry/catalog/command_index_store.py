"""The master index of a skerry reached through a pymongo client: in this process by `connect()`, or behind a socket.

Each method is one call of skerry's own command `masterIndex`, which the node answers from its tables. So all who share a
directory share its leases, through whichever door they come.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pymongo.errors import OperationFailure

from skerry.catalog.index_records import Change, CollectionRecord, CommitGuard, Lease, fields_of
from skerry.errors import coordination_error_of

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection
    from pymongo.database import Database

COMMAND: Final = "masterIndex"


class CommandIndexStore:
    """The index of one database, through its client. Closing the client is the caller's business."""

    def __init__(self, database: "Database[Any]") -> None:
        self._database = database

    @property
    def database_name(self) -> str:
        return self._database.name

    def collection(self, name: str) -> CollectionRecord | None:
        return _record(self._call("collection", name=name))

    def collections(self) -> list[CollectionRecord]:
        return [record for each in self._call("collections") if (record := _record(each)) is not None]

    def add(self, name: str, fields: Mapping[str, Any]) -> CollectionRecord:
        record = _record(self._call("add", name=name, fields=dict(fields)))
        assert record is not None
        return record

    def update(self, name: str, fields: Mapping[str, Any], operation: str) -> CollectionRecord | None:
        return _record(self._call("update", name=name, fields=dict(fields), operation=operation))

    def remove(self, name: str) -> bool:
        return bool(self._call("remove", name=name))

    def history(self, name: str) -> list[Change]:
        return [Change(**each) for each in self._call("history", name=name)]

    def leases(self) -> list[Lease]:
        return [Lease(**each) for each in self._call("leases")]

    def lease(self, name: str) -> Lease | None:
        return _lease(self._call("lease", name=name))

    def take_lease(self, name: str, owner: str, duration_ms: int) -> Lease | None:
        return _lease(self._call("take_lease", name=name, owner=owner, duration_ms=duration_ms))

    def renew_lease(self, name: str, owner: str, duration_ms: int) -> bool:
        return bool(self._call("renew_lease", name=name, owner=owner, duration_ms=duration_ms))

    def release_lease(self, name: str, owner: str) -> bool:
        return bool(self._call("release_lease", name=name, owner=owner))

    def drop_expired_leases(self) -> int:
        return int(self._call("drop_expired_leases"))

    def guard(self, session: "ClientSession", guard: CommitGuard) -> bool:
        send_guard(session, self._database.name, guard)
        return True

    def settle(self, guard: CommitGuard, collection: "Collection[Any]") -> None:
        """Nothing: the commit has counted."""

    def flush(self) -> None:
        self._call("flush")

    def close(self) -> None:
        """Nothing: the client is the caller's."""

    def _call(self, method: str, **arguments: Any) -> Any:
        return _run(self._database, method, arguments, None)


def send_guard(session: "ClientSession", database_name: str, guard: CommitGuard) -> None:
    """Attach a guard to the open transaction of a session with a skerry."""
    _run(session.client[database_name], "guard", {"guard": fields_of(guard)}, session)


def _run(database: "Database[Any]", method: str, arguments: Mapping[str, Any], session: "ClientSession | None") -> Any:
    """Raises `CoordinationError` where the reply tells one, else what pymongo raises."""
    try:
        return database.command({COMMAND: method, "arguments": dict(arguments)}, session=session)["result"]
    except OperationFailure as error:
        told = coordination_error_of(error.details or {})
        if told is None:
            raise
        raise told from error


def _lease(document: Mapping[str, Any] | None) -> Lease | None:
    return None if document is None else Lease(**document)


def _record(document: Mapping[str, Any] | None) -> CollectionRecord | None:
    return None if document is None else CollectionRecord(**{**document, "lease": _lease(document["lease"])})
