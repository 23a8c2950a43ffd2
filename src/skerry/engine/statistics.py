"""How many, how large, how sound: collStats, dbStats and validate."""

from typing import Any

from bson.int64 import Int64

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine.storage_engine import StorageEngine
from skerry.engine.validation import validation_report
from skerry.errors import CommandNotSupportedOnViewError, NamespaceNotFoundError
from skerry.storage import ReadView
from skerry.values.namespace import Namespace


class Statistics:
    """The commands of one engine that measure or check what is stored."""

    def __init__(self, engine: StorageEngine) -> None:
        self._engine = engine

    def collection_stats(self, namespace: Namespace, scale: int = 1) -> dict[str, Any]:
        """Return `collStats`; sizes in bytes divided by `scale`. A collection that does not exist is empty."""
        with self._engine.catalogue() as (view, catalog):
            entry = catalog.snapshot(view).get(namespace)
            if entry is not None and "viewOn" in entry.options:
                raise CommandNotSupportedOnViewError(f"Namespace {namespace} is a view, not a collection")
            if entry is None:
                return {"ns": str(namespace), **_sizes(0, 0, 0, scale), "nindexes": 0, **_index_sizes({}, scale)}
            count, size = _counts(view, entry)
            indexes = {index.descriptor.name: view.table_bytes(f"i_{index.index_id}") for index in entry.indexes}
            indexes = {"_id_": view.table_bytes(f"sqlite_autoindex_c_{entry.file_id}_1"), **indexes}
            return {
                "ns": str(namespace),
                **_sizes(count, size, view.table_bytes(f"c_{entry.file_id}"), scale),
                "nindexes": len(indexes),
                **_index_sizes(indexes, scale),
                "scaleFactor": scale,
            }

    def database_stats(self, db: str, scale: int = 1) -> dict[str, Any]:
        """Return `dbStats`; sizes in bytes divided by `scale`."""
        with self._engine.catalogue() as (view, catalog):
            entries = catalog.snapshot(view).in_database(db)
        collections = [entry for entry in entries if "viewOn" not in entry.options]
        each = [self.collection_stats(entry.namespace) for entry in collections]
        objects, size = sum(one["count"] for one in each), sum(one["size"] for one in each)
        storage, index = sum(one["storageSize"] for one in each), sum(one["totalIndexSize"] for one in each)
        return {
            "db": db,
            "collections": len(collections),
            "views": len(entries) - len(collections),
            "objects": Int64(objects),
            "avgObjSize": size / objects if objects else 0,
            "dataSize": size / scale,
            "storageSize": storage / scale,
            "indexes": sum(one["nindexes"] for one in each),
            "indexSize": index / scale,
            "totalSize": (storage + index) / scale,
            "scaleFactor": scale,
        }

    def validate_collection(self, namespace: Namespace) -> dict[str, Any]:
        """Check every document and index entry of a collection (manual: `validate`). Raises `NamespaceNotFoundError`."""
        with self._engine.catalogue() as (view, catalog):
            entry = catalog.snapshot(view).get(namespace)
            if entry is None:
                raise NamespaceNotFoundError(f"Collection '{namespace}' does not exist to validate.")
            if "viewOn" in entry.options:
                raise CommandNotSupportedOnViewError(f"Namespace {namespace} is a view, not a collection")
            return validation_report(view, entry)


def _counts(view: ReadView, entry: CatalogEntry) -> tuple[int, int]:
    row = view.row("SELECT document_count, document_bytes FROM collection WHERE file_id = ?", (entry.file_id,))
    return row[0], row[1]


def _sizes(count: int, size: int, storage: int, scale: int) -> dict[str, Any]:
    return {
        "size": size // scale,
        "count": count,
        "avgObjSize": size // count if count else 0,
        "storageSize": storage // scale,
        "capped": False,
    }


def _index_sizes(indexes: dict[str, int], scale: int) -> dict[str, Any]:
    return {
        "totalIndexSize": sum(indexes.values()) // scale,
        "indexSizes": {name: size // scale for name, size in indexes.items()},
    }
