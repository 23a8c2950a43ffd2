"""Collection validators: whether a document may be stored (MongoDB manual, Schema Validation).

`validationLevel: strict` and `validationAction: error` are what is offered; creation refuses others, so nothing is silently lax.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.errors import DocumentValidationFailureError
from skerry.matcher.compile import Filter, compile_filter
from skerry.values import documents


def check_valid(document: Mapping[str, Any], entry: CatalogEntry) -> None:
    """Raise `DocumentValidationFailureError` (121) when the collection's validator refuses `document`."""
    validator = entry.options["validator"]
    if not _compiled(documents.encode(validator)).matches(dict(document)):
        raise DocumentValidationFailureError(
            "Document failed validation",
            details={"errInfo": {"failingDocumentId": document.get("_id"), "details": {"operatorName": "validator"}}},
        )


@lru_cache(maxsize=256)
def _compiled(validator: bytes) -> Filter:
    return compile_filter(documents.decode(validator))
