"""The master index as a JSON document, for keeping elsewhere: written from the catalogue, checked when it is read.

    {"version": 1, "created": ISO, "lastUpdated": ISO,
     "collections": {"shop.orders": {"name": "shop.orders", "fileId": "c_7", "created": ISO, "lastUpdated": ISO,
                                     "documentCount": 12, "uuid": "…", "options": {…}, "indexes": [{…}, …]}}}

Tokens and leases are left out: they mean nothing later. `options` and `indexes` are canonical extended JSON; a document without
them, or without `uuid` or `lastUpdated`, is read too. Every way in which a document can be malformed has an error of its own.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from bson import json_util

from skerry.catalog.catalog_entry import CatalogEntry, CollectionMetadata
from skerry.catalog.collection_options import check_options
from skerry.errors import (
    IndexCollectionsCorruptError,
    IndexCollectionsMissingError,
    IndexEntryError,
    IndexStructureError,
    IndexVersionError,
    InvalidJsonError,
    SkerryError,
)
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.values.documents import CODEC_OPTIONS
from skerry.values.namespace import Namespace

VERSION: Final = 1
_EXPECTED: Final = "an index document"
_FILE_ID: Final = re.compile(r"c_([1-9]\d*)")
_JSON_OPTIONS: Final = json_util.CANONICAL_JSON_OPTIONS.with_options(
    tz_aware=CODEC_OPTIONS.tz_aware,
    uuid_representation=CODEC_OPTIONS.uuid_representation,
    datetime_conversion=CODEC_OPTIONS.datetime_conversion,
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordedCollection:
    """One collection as an index document has it; `file_id` is None when it names no table of ours."""

    namespace: Namespace
    file_id: int | None
    uuid: bytes | None
    options: dict[str, Any]
    indexes: tuple[IndexDescriptor, ...]


def write_index_document(collections: Iterable[tuple[CatalogEntry, CollectionMetadata]], *, now: datetime) -> bytes:
    """Return the document of these collections."""
    rows = {str(entry.namespace): _row(entry, metadata) for entry, metadata in collections}
    created = _iso(now)
    document = {
        "version": VERSION,
        "created": created,
        "lastUpdated": max((row["lastUpdated"] for row in rows.values()), default=created),
        "collections": rows,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def read_index_document(raw: bytes, url: str) -> list[RecordedCollection]:
    """Return the collections of a document, by name; `url` names it in errors.

    Raises `InvalidJsonError`, `IndexStructureError`, `IndexVersionError`, `IndexCollectionsMissingError`,
    `IndexCollectionsCorruptError`, `IndexEntryError`.
    """
    try:
        document = json.loads(raw)
    except ValueError as error:  # also what is no UTF-8
        raise InvalidJsonError(url, _EXPECTED, f"invalid JSON: {error}") from error
    if not isinstance(document, dict):
        raise IndexStructureError(url, _EXPECTED, f"invalid data structure: {type(document).__name__}")
    version = document.get("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        raise IndexVersionError(url, _EXPECTED, f"version {version!r}; this skerry reads version {VERSION}")
    if "collections" not in document:
        raise IndexCollectionsMissingError(url, _EXPECTED, "it has no collections")
    rows = document["collections"]
    if not isinstance(rows, dict):
        raise IndexCollectionsCorruptError(url, _EXPECTED, f"its collections are no object: {type(rows).__name__}")
    found = [_RowReader(url, name, row).read() for name, row in sorted(rows.items())]
    _check_tables_are_distinct(url, found)
    return found


class _RowReader:
    """Reads one entry of `collections`; every complaint names collection and field."""

    def __init__(self, url: str, name: str, row: Any) -> None:
        self._url = url
        self._name = name
        if not isinstance(row, dict):
            raise IndexEntryError(url, name, "", f"expected an object, not {type(row).__name__}")
        self._row: Mapping[str, Any] = row

    def read(self) -> RecordedCollection:
        namespace = self._namespace()
        for field in ("created", "lastUpdated", "lastModified"):
            text = self._typed(field, str, None)
            if text is not None:
                self._checked(field, partial(datetime.fromisoformat, text))
        count = self._typed("documentCount", int, 0)
        if count < 0:
            raise self._error("documentCount", "it is negative")
        return RecordedCollection(namespace, self._file_id(), self._uuid(), self._options(), self._indexes())

    def _namespace(self) -> Namespace:
        name = self._typed("name", str, None)
        if name is None:
            raise self._error("name", "it is missing")
        if name != self._name:
            raise self._error("name", f"it is {name!r}")

        def parse() -> Namespace:
            parsed = Namespace.parse(name)
            return Namespace.checked(parsed.db, parsed.coll)

        return self._checked("name", parse)

    def _file_id(self) -> int | None:
        if "fileId" not in self._row:
            raise self._error("fileId", "it is missing")
        file_id = self._typed("fileId", str, None)
        found = None if file_id is None else _FILE_ID.fullmatch(file_id)
        return None if found is None else int(found[1])

    def _uuid(self) -> bytes | None:
        text = self._typed("uuid", str, None)
        return None if text is None else self._checked("uuid", lambda: uuid.UUID(text).bytes)

    def _options(self) -> dict[str, Any]:
        options = self._typed("options", dict, {})
        return self._checked("options", lambda: check_options(_from_extended(options)))

    def _indexes(self) -> tuple[IndexDescriptor, ...]:
        specs = self._typed("indexes", list, [])
        return self._checked(
            "indexes", lambda: tuple(IndexDescriptor.from_spec(_from_extended(spec)) for spec in specs)
        )

    def _typed(self, field: str, kind: type[Any], default: Any) -> Any:
        """Return the field's value, `default` when it is missing or null."""
        value = self._row.get(field)
        if value is None:
            return default
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._error(field, f"expected {kind.__name__}, not {value!r}")
        return value

    def _checked(self, field: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except (SkerryError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._error(field, str(error)) from error

    def _error(self, field: str, reason: str) -> IndexEntryError:
        return IndexEntryError(self._url, self._name, field, reason)


def _check_tables_are_distinct(url: str, found: list[RecordedCollection]) -> None:
    owners: dict[int, RecordedCollection] = {}
    for each in found:
        if each.file_id is not None and owners.setdefault(each.file_id, each) is not each:
            other = owners[each.file_id].namespace
            raise IndexEntryError(url, str(each.namespace), "fileId", f"c_{each.file_id} belongs to {other} too")


def _row(entry: CatalogEntry, metadata: CollectionMetadata) -> dict[str, Any]:
    return {
        "name": str(entry.namespace),
        "fileId": f"c_{entry.file_id}",
        "created": _iso(datetime.fromtimestamp(metadata.created_ms / 1000, UTC)),
        "lastUpdated": _iso(datetime.fromtimestamp(metadata.last_modified_ms / 1000, UTC)),
        "documentCount": metadata.document_count,
        "uuid": str(uuid.UUID(bytes=entry.uuid)),
        "options": _to_extended(entry.options),
        "indexes": [_to_extended(index.descriptor.to_spec()) for index in entry.indexes],
    }


def _to_extended(value: Mapping[str, Any]) -> Any:
    return json.loads(json_util.dumps(value, json_options=_JSON_OPTIONS))


def _from_extended(value: Any) -> Any:
    return json_util.loads(json.dumps(value), json_options=_JSON_OPTIONS)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
