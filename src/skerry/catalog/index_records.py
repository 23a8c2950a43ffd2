"""What the master index keeps, as plain data: collections, leases on them, and what a coordinated commit has to check.

Times are milliseconds since 1970 here, and ISO 8601 in UTC (`2025-06-23T10:00:00.000Z`) where the index is shown.
"""

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from skerry.errors import ConfigurationError

HISTORY_LENGTH: Final = 50
"""As many changes of a collection are remembered, the newest."""

ADD_COLLECTION: Final = "ADD_COLLECTION"
UPDATE_METADATA: Final = "UPDATE_METADATA"
CONFLICT_RESOLVED: Final = "CONFLICT_RESOLVED"
COORDINATED: Final = "COORDINATED"
WRITE: Final = "WRITE"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may change `name` until when. A later lease on the same name always has a greater `fencing_number`.

    `is_live` is what the store's own clock said when the lease was read. `modification_token` is the collection's when the
    lease was taken, None when there was no collection, and `displaced_owner` whose expired lease it took the place of; a lease
    that is only read has neither.
    """

    name: str
    owner: str
    acquired_ms: int
    expires_ms: int
    fencing_number: int
    is_live: bool = True
    modification_token: str | None = None
    displaced_owner: str | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the lease as the index shows it."""
        return {
            "lockedBy": self.owner,
            "lockedAt": iso_of(self.acquired_ms),
            "expiresAt": iso_of(self.expires_ms),
        }


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """One collection; `extra` has whatever else was said of it."""

    name: str
    file_id: str | None
    created_ms: int
    last_modified_ms: int
    document_count: int
    modification_token: str
    lease: Lease | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return the collection as the index shows it."""
        return {
            "name": self.name,
            "fileId": self.file_id,
            "created": iso_of(self.created_ms),
            "lastModified": iso_of(self.last_modified_ms),
            "documentCount": self.document_count,
            "modificationToken": self.modification_token,
            "lockStatus": None if self.lease is None else self.lease.as_document(),
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a collection's history."""

    operation: str
    at_ms: int
    data: Mapping[str, Any]

    def as_document(self) -> dict[str, Any]:
        """Return the entry as the index shows it."""
        return {"operation": self.operation, "timestamp": iso_of(self.at_ms), "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class CommitGuard:
    """What must still hold when a coordinated operation commits, and what its commit says of it.

    The lease on `name` must still be `owner`'s, under the same fencing number; with `checks_token` the collection's
    modification token must still be `expected_token` (None: it has none). The commit gives the collection `new_token`.
    """

    name: str
    owner: str
    fencing_number: int
    operation: str
    timeout_ms: int
    checks_token: bool
    expected_token: str | None
    new_token: str

    def history_data(self) -> dict[str, Any]:
        """What the history keeps of the commit."""
        return {
            "operation": self.operation,
            "operationId": self.owner,
            "fencingNumber": self.fencing_number,
            "modificationToken": self.new_token,
        }


def fields_of(record: "Lease | CollectionRecord | Change | CommitGuard") -> dict[str, Any]:
    """Return a record's fields as they are; `dataclasses.asdict` copies, and takes 20 times as long."""
    return {name: getattr(record, name) for name in record.__slots__}


def now_ms() -> int:
    """Return the time by this machine's clock."""
    return int(time.time() * 1000)


def iso_of(ms: int) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds."""
    moment = datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def ms_of(setting: str, value: Any) -> int:
    """Return a time given as datetime (naive: UTC), ISO 8601 or milliseconds. Raises `ConfigurationError`."""
    if isinstance(value, datetime.datetime):
        moment = value
    elif isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    else:
        try:
            moment = datetime.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise ConfigurationError(setting, value, "a datetime, ISO 8601 or milliseconds since 1970") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return round(moment.timestamp() * 1000)
