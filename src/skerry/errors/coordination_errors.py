"""What can go wrong between instances that share collections: in the master index, with a lease, in a coordinated operation.

    SkerryError
    ├── ConfigurationError(setting, value, allowed)         CONFIGURATION_ERROR (see `exceptions`)
    └── CoordinationError
        ├── CollectionNotFoundError(name)                   COLLECTION_NOT_FOUND
        ├── LockTimeoutError(resource, timeout_ms)          LOCK_TIMEOUT
        ├── MasterIndexError(operation, reason)             MASTER_INDEX_ERROR
        ├── LockAcquisitionFailureError(resource, reason)   LOCK_ACQUISITION_FAILURE
        ├── ModificationConflictError(resource, expected, actual, reason)   MODIFICATION_CONFLICT
        └── CoordinationTimeoutError(operation, timeout_ms, reason)         COORDINATION_TIMEOUT

`code` is the name by which the error is known outside Python. Over the wire an error travels as a command error whose field
`coordinationError` has that name and the facts, so that the other side raises the very same.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from skerry.errors.exceptions import CommandError, SkerryError

REPLY_FIELD: Final = "coordinationError"


class CoordinationError(SkerryError):
    """The root; `facts` are the attributes of the class, by name. `mongodb_code` is its number in a MongoDB reply."""

    code: ClassVar[str]
    mongodb_code: ClassVar[int]

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts

    def command_error(self) -> CommandError:
        """Return the error as a reply carries it."""
        return CommandError(str(self), self.mongodb_code, details={REPLY_FIELD: {"code": self.code, **self.facts}})


class CollectionNotFoundError(CoordinationError):
    """The master index does not know the collection."""

    code = "COLLECTION_NOT_FOUND"
    mongodb_code = 26

    def __init__(self, name: str) -> None:
        super().__init__(f"the master index has no collection {name!r}", name=name)
        self.name = name


class LockTimeoutError(CoordinationError):
    """The index itself could not be changed in time, because others kept changing it."""

    code = "LOCK_TIMEOUT"
    mongodb_code = 24

    def __init__(self, resource: str, timeout_ms: int) -> None:
        super().__init__(f"no access to {resource} within {timeout_ms} ms", resource=resource, timeout_ms=timeout_ms)
        self.resource = resource
        self.timeout_ms = timeout_ms


class MasterIndexError(CoordinationError):
    """The index could not be read or written."""

    code = "MASTER_INDEX_ERROR"
    mongodb_code = 96

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"master index: {operation} failed: {reason}", operation=operation, reason=reason)
        self.operation = operation
        self.reason = reason


class LockAcquisitionFailureError(CoordinationError):
    """Another operation kept the lease for as long as this one could wait."""

    code = "LOCK_ACQUISITION_FAILURE"
    mongodb_code = 24

    def __init__(self, resource: str, reason: str) -> None:
        super().__init__(f"no lease on {resource!r}: {reason}", resource=resource, reason=reason)
        self.resource = resource
        self.reason = reason


class ModificationConflictError(CoordinationError):
    """Somebody changed the collection; `expected` and `actual` are modification tokens, None where there is none."""

    code = "MODIFICATION_CONFLICT"
    mongodb_code = 112

    def __init__(self, resource: str, expected: str | None, actual: str | None, reason: str) -> None:
        super().__init__(
            f"{resource!r} was modified: {reason} (token {actual}, not {expected})",
            resource=resource,
            expected=expected,
            actual=actual,
            reason=reason,
        )
        self.resource = resource
        self.expected = expected
        self.actual = actual
        self.reason = reason


class CoordinationTimeoutError(CoordinationError):
    """The operation took too long: its own time is over, or its lease has passed to another. Nothing of it was kept."""

    code = "COORDINATION_TIMEOUT"
    mongodb_code = 50

    def __init__(self, operation: str, timeout_ms: int, reason: str) -> None:
        super().__init__(
            f"operation {operation!r} ended after {timeout_ms} ms: {reason}",
            operation=operation,
            timeout_ms=timeout_ms,
            reason=reason,
        )
        self.operation = operation
        self.timeout_ms = timeout_ms
        self.reason = reason


_KINDS: Final[Mapping[str, type[CoordinationError]]] = {
    kind.code: kind
    for kind in (
        CollectionNotFoundError,
        LockTimeoutError,
        MasterIndexError,
        LockAcquisitionFailureError,
        ModificationConflictError,
        CoordinationTimeoutError,
    )
}


def coordination_error_of(reply: Mapping[str, Any]) -> CoordinationError | None:
    """Return the error that a failed command's reply carries, None when it is of another kind."""
    told = reply.get(REPLY_FIELD)
    if not isinstance(told, Mapping):
        return None
    kind = _KINDS.get(told.get("code", ""))
    return None if kind is None else kind(**{name: value for name, value in told.items() if name != "code"})
