"""How many, how large, how sound: collStats, dbStats and validate."""

from typing import Any

from bson.int64 import Int64

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine.storage_engine import StorageEngine
from skerry.errors import CommandNotSupportedOnViewError, NamespaceNotFoundError, SkerryError
from skerry.storage import ReadView
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

_CHUNK_RECORDS = 4096


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
            return _validate(view, entry)


def _validate(view: ReadView, entry: CatalogEntry) -> dict[str, Any]:
    errors: list[str] = []
    expected: dict[int, set[tuple[bytes, int]]] = {index.index_id: set() for index in entry.indexes}
    count = invalid = 0
    after: int | None = None
    more = True
    while more:
        rows, more = view.scan(entry.file_id, after=after, reverse=False, limit=_CHUNK_RECORDS)
        for rid, raw in rows:
            count += 1
            try:
                document = documents.decode(raw)
                if view.record_by_key(entry.file_id, key_string.encode(document["_id"])) != (rid, raw):
                    raise SkerryError("its _id is not what it is stored under")
                for index in entry.indexes:
                    expected[index.index_id].update((key, rid) for key in index.key_generator.keys(document)[0])
            except (SkerryError, KeyError) as error:
                invalid += 1
                errors.append(f"record {rid}: {error}")
        after = rows[-1][0] if rows else after
    keys: dict[str, int] = {"_id_": count}
    for index in entry.indexes:
        found = set(view.index_entries(index.index_id, entry.file_id))
        keys[index.descriptor.name] = len(found)
        missing, extra = expected[index.index_id] - found, found - expected[index.index_id]
        if missing or extra:
            errors.append(f"index {index.descriptor.name}: {len(missing)} entries missing, {len(extra)} too many")
    counted = _counts(view, entry)[0]
    if counted != count:
        errors.append(f"the catalogue counts {counted} documents, there are {count}")
    return {
        "ns": str(entry.namespace),
        "nInvalidDocuments": invalid,
        "nrecords": count,
        "nIndexes": len(keys),
        "keysPerIndex": keys,
        "valid": not errors,
        "warnings": [],
        "errors": errors,
    }


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
