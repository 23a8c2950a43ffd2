"""Whether a collection is sound, in the form of MongoDB's `validate` (manual: validate)."""

from dataclasses import replace
from typing import Any

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine.collection_check import check_collection
from skerry.storage import ReadView
from skerry.storage.integrity import tables


def validation_report(view: ReadView, entry: CatalogEntry) -> dict[str, Any]:
    """Compare every document with every index entry and return the reply of `validate`."""
    names = tables(view)
    if f"c_{entry.file_id}" not in names:
        return _report(entry, 0, 0, {}, ["its table is gone, and its documents with it"])
    there = tuple(index for index in entry.indexes if f"i_{index.index_id}" in names)
    gone = [f"index {index.descriptor.name}: its table is gone" for index in entry.indexes if index not in there]
    check = check_collection(view, replace(entry, indexes=there))
    keys = {"_id_": check.documents, **{index.name: index.entries for index in check.indexes}}
    invalid = len(check.unreadable) + len(check.misplaced)
    return _report(entry, check.documents, invalid, keys, [*gone, *check.faults()])


def _report(entry: CatalogEntry, records: int, invalid: int, keys: dict[str, int], errors: list[str]) -> dict[str, Any]:
    return {
        "ns": str(entry.namespace),
        "nInvalidDocuments": invalid,
        "nrecords": records,
        "nIndexes": len(entry.indexes) + 1,
        "keysPerIndex": keys,
        "valid": not errors,
        "warnings": [],
        "errors": errors,
    }
