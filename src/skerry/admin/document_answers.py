"""What the API says of one document, field by field; documents are Extended JSON, times milliseconds, moments since 1970."""

from typing import Any

from skerry.admin.responses import Answer


class LocalChange(Answer):
    """`origin`: "local", or the link that brought it."""

    at_ms: int
    operation: str
    origin: str


class Push(Answer):
    """A batch that brought the document to the hub: `edge` sent it, `origin` wrote it."""

    edge: str
    incarnation: Any
    batch: int
    origin: str
    written_at_ms: int
    is_delete: bool


class ConflictOfDocument(Answer):
    id: int
    at_ms: int
    winner: str
    resolved: bool


class DocumentFacts(Answer):
    """What the fields mean: `skerry.sync.document_history`."""

    namespace: str
    id: Any
    direction: str
    frozen: str | None
    state: str
    meaning: str
    is_at_base: bool | None
    written_at_ms: int | None
    attempts: int | None
    next_retry_ms: int | None
    error: str | None
    local: dict[str, Any] | None
    base: dict[str, Any] | None
    origin: str | None
    local_changes: list[LocalChange]
    conflicts: list[ConflictOfDocument]
    hub: dict[str, Any] | None
    hub_error: str | None
    is_same: bool | None
    pushed: list[Push] | None
