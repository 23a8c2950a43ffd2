"""The index as a JSON document: there and back, and every way in which it can be malformed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bson.int64 import Int64

from skerry.catalog.catalog_entry import CatalogEntry, CollectionMetadata, IndexEntry
from skerry.catalog.index_document import read_index_document, write_index_document
from skerry.errors import (
    IndexCollectionsCorruptError,
    IndexCollectionsMissingError,
    IndexEntryError,
    IndexStructureError,
    IndexVersionError,
    InvalidFileFormatError,
    InvalidJsonError,
)
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.values.namespace import Namespace

NOW = datetime(2026, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
INDEX = IndexDescriptor.from_spec(
    {"key": {"a": 1, "b": -1}, "name": "ab", "unique": True, "partialFilterExpression": {"a": {"$gt": Int64(1 << 40)}}}
)


def entry(name: str, file_id: int, **options: Any) -> tuple[CatalogEntry, CollectionMetadata]:
    indexes = (IndexEntry(3, INDEX, frozenset()),)
    return (
        CatalogEntry(file_id, Namespace("shop", name), bytes(range(16)), options, indexes),
        CollectionMetadata(f"shop.{name}", file_id, 1_000, 2_000, 12, 345, "1-a"),
    )


def read(document: Any) -> list[Any]:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_index_document(raw, "file.json")


def test_what_is_written_is_read_again_with_every_type() -> None:
    raw = write_index_document([entry("orders", 7, validator={"n": {"$gt": Int64(1 << 40)}})], now=NOW)
    (found,) = read(raw)
    assert found.namespace == Namespace("shop", "orders")
    assert found.file_id == 7
    assert found.uuid == bytes(range(16))
    assert found.options == {"validator": {"n": {"$gt": Int64(1 << 40)}}}
    assert found.indexes == (INDEX,)
    assert isinstance(found.indexes[0].partial_filter["a"]["$gt"], Int64)


def test_the_document_has_the_shape_of_the_master_index_without_tokens_and_locks() -> None:
    document = json.loads(write_index_document([entry("orders", 7)], now=NOW))
    assert document["version"] == 1
    assert document["created"] == "2026-05-06T07:08:09.123Z"
    assert document["lastUpdated"] == "1970-01-01T00:00:02.000Z"
    row = document["collections"]["shop.orders"]
    assert {"name": "shop.orders", "fileId": "c_7", "documentCount": 12}.items() <= row.items()
    assert row["created"] == "1970-01-01T00:00:01.000Z"
    assert "modificationToken" not in row


def test_a_row_with_no_more_than_name_and_file_is_enough() -> None:
    (found,) = read({"collections": {"a.b": {"name": "a.b", "fileId": "1BxTheirs"}}})
    assert (found.file_id, found.uuid, found.options, found.indexes) == (None, None, {}, ())


@pytest.mark.parametrize(
    ("document", "kind", "words"),
    [
        (b"{", InvalidJsonError, "invalid JSON"),
        (b"", InvalidJsonError, "invalid JSON"),
        (b"\xff\xfe{}", InvalidJsonError, "invalid JSON"),
        ([], IndexStructureError, "invalid data structure: list"),
        ("text in text", IndexStructureError, "invalid data structure: str"),
        (None, IndexStructureError, "invalid data structure: NoneType"),
        ({"version": 2, "collections": {}}, IndexVersionError, "version 2"),
        ({"version": "1.0.0", "collections": {}}, IndexVersionError, "version '1.0.0'"),
        ({"version": True, "collections": {}}, IndexVersionError, "version True"),
        ({"version": 1}, IndexCollectionsMissingError, "no collections"),
        ({"collections": []}, IndexCollectionsCorruptError, "no object: list"),
        ({"collections": None}, IndexCollectionsCorruptError, "no object: NoneType"),
    ],
)
def test_every_malformed_document_has_an_error_of_its_own(
    document: Any, kind: type[InvalidFileFormatError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        read(document)
    assert type(caught.value) is kind
    assert caught.value.url == "file.json"
    assert caught.value.code == "INVALID_FILE_FORMAT"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "a.c"}, "name"),
        ({"name": 7}, "name"),
        ({"fileId": 7}, "fileId"),
        ({"created": "yesterday"}, "created"),
        ({"lastUpdated": 12}, "lastUpdated"),
        ({"documentCount": -1}, "documentCount"),
        ({"documentCount": True}, "documentCount"),
        ({"documentCount": "3"}, "documentCount"),
        ({"uuid": "no uuid"}, "uuid"),
        ({"options": []}, "options"),
        ({"options": {"capped": True}}, "options"),
        ({"options": {"validator": 3}}, "options"),
        ({"indexes": {}}, "indexes"),
        ({"indexes": [7]}, "indexes"),
        ({"indexes": [{"name": "x"}]}, "indexes"),
        ({"indexes": [{"name": "x", "key": {"a": "text"}}]}, "indexes"),
    ],
)
def test_a_malformed_row_names_collection_and_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(IndexEntryError) as caught:
        read({"collections": {"a.b": {"name": "a.b", "fileId": "c_1", **change}}})
    assert (caught.value.collection, caught.value.field) == ("a.b", field)


@pytest.mark.parametrize("name", ["", "a", ".b", "a.", "a b.c", "a.$c"])
def test_a_name_that_no_collection_may_have_is_refused(name: str) -> None:
    with pytest.raises(IndexEntryError) as caught:
        read({"collections": {name: {"name": name, "fileId": "c_1"}}})
    assert caught.value.field == "name"


@pytest.mark.parametrize("row", [None, [], "x", 7])
def test_a_row_that_is_no_object_is_refused(row: Any) -> None:
    with pytest.raises(IndexEntryError, match="expected an object") as caught:
        read({"collections": {"a.b": row}})
    assert caught.value.field == ""


def test_a_row_without_a_file_and_two_with_the_same_are_refused() -> None:
    with pytest.raises(IndexEntryError, match="missing"):
        read({"collections": {"a.b": {"name": "a.b"}}})
    rows = {name: {"name": name, "fileId": "c_4"} for name in ("a.b", "a.c")}
    with pytest.raises(IndexEntryError, match=r"belongs to a\.b too"):
        read({"collections": rows})
