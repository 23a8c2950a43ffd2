"""An operator's decision about a conflict: a kept version, or another document, put in place as a write of this node."""

from typing import Any, Final

from skerry.admin.responses import ApiError, not_found
from skerry.engine.operation_context import OperationContext
from skerry.storage import WriteView
from skerry.sync.conflict_log import Conflict
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

KEEP: Final = "result"
DOCUMENT: Final = "document"
CHOICES: Final = (KEEP, "local", "remote", "base", DOCUMENT)
_VERSIONS: Final = ("result", "local", "remote", "base")


def resolve(link: Link, id: int, choice: str, document: dict[str, Any] | None, *, force: bool) -> Conflict:
    """Put the chosen version in place, unless it is there, and mark the conflict as resolved, in one transaction.

    `result` leaves what the protocol made. Raises `ApiError`: 404 for an unknown conflict, 409 when the document has changed
    since (then `force` is needed), 400 for a document with another `_id`; and what refuses a user's write as well:
    `DocumentValidationFailureError` of the collection's validator, `DuplicateKeyError`. Nothing is changed then.
    """

    def job(view: WriteView) -> Conflict:
        conflict = link.conflicts.get(view, id)
        if conflict is None:
            raise not_found(f"conflict {id}")
        if choice != KEEP:
            _put(link, view, conflict, _wanted(conflict, choice, document), force=force)
        link.conflicts.mark_resolved(view, id)
        return conflict

    return link.storage.write(job, OperationContext())


def id_of(conflict: Conflict) -> Any:
    """Return the `_id` of the document in conflict."""
    return next(version["_id"] for name in _VERSIONS if (version := conflict.record.get(name)) is not None)


def _wanted(conflict: Conflict, choice: str, document: dict[str, Any] | None) -> bytes | None:
    if choice != DOCUMENT:
        version = conflict.record.get(choice)
        return None if version is None else documents.encode(version)
    if document is None:
        return None
    raw, id_value = documents.prepare_for_insert(documents.encode({"_id": id_of(conflict), **document}))
    if key_string.encode(id_value) != key_string.encode(id_of(conflict)):
        raise ApiError(400, "bad_value", "the document has another _id than the one in conflict")
    return raw


def _put(link: Link, view: WriteView, conflict: Conflict, wanted: bytes | None, *, force: bool) -> None:
    namespace, key = Namespace.parse(conflict.namespace), key_string.encode(id_of(conflict))
    with open_documents(view, link.storage, "", validate=True) as local:
        present = local.get(namespace, key)
        result = conflict.record.get("result")
        if not force and present != (None if result is None else documents.encode(result)):
            message = "the document has been changed since the conflict; look at it, then ask again with force"
            raise ApiError(409, "changed_since", message)
        if present != wanted:
            local.put(namespace, key, present, wanted)
