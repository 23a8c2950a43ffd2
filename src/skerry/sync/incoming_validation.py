"""Whether the validator of a collection here would refuse a document that comes from the hub or from a merge."""

from skerry.engine.document_validation import check_valid
from skerry.engine.storage_engine import StorageEngine
from skerry.errors import DocumentValidationFailureError
from skerry.storage import ReadView
from skerry.values import documents
from skerry.values.namespace import Namespace


def has_validator(view: ReadView, storage: StorageEngine, namespace: Namespace) -> bool:
    """Whether a collection has a validator."""
    entry = storage.catalog.snapshot(view).get(namespace)
    return entry is not None and "validator" in entry.options


def refusal(view: ReadView, storage: StorageEngine, namespace: Namespace, raw: bytes) -> str | None:
    """Say why the validator refuses the document, None when it does not or there is no validator."""
    entry = storage.catalog.snapshot(view).get(namespace)
    if entry is None or "validator" not in entry.options:
        return None
    try:
        check_valid(documents.decode(raw), entry)
    except DocumentValidationFailureError as error:
        return error.message
    return None
