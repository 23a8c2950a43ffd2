"""The archive format: read as mongo-tools describe it, every damage noticed, written so that the reader agrees."""

import io

import bson
import pytest
from dump_bytes import SHOP, archive_bytes, crc64_of

from skerry.errors import DamagedDumpError
from skerry.mongodump.archive import ArchiveReader, ArchiveWriter, Prelude
from skerry.mongodump.metadata import CollectionMetadata
from skerry.values.namespace import Namespace

LINES = Namespace("logs", "lines")


def read_all(data: bytes) -> list[tuple[str, int]]:
    reader = ArchiveReader(io.BytesIO(data).read, "the archive")
    collections = reader.prelude().collections
    return [(str(namespace), bson.decode(document)["_id"]) for namespace, document in reader.documents(collections)]


def test_documents_come_with_their_collection_in_the_order_of_the_archive() -> None:
    assert read_all(SHOP) == [
        ("shop.orders", 1),
        ("logs.lines", 0),
        ("logs.lines", 1),
        ("logs.lines", 2),
        ("shop.orders", 2),
        ("admin.system.version", "featureCompatibilityVersion"),
    ]


def test_the_prelude_has_options_indexes_and_kinds() -> None:
    prelude = ArchiveReader(io.BytesIO(SHOP).read, "the archive").prelude()
    orders, few, *_ = prelude.collections
    assert prelude.server_version == "8.0.4"
    assert orders.options == {"validator": {"qty": {"$gte": 0}}}
    assert list(orders.indexes[1]["key"].items()) == [("item", -1), ("qty", 1)]
    assert (orders.is_view, few.is_view) == (False, True)


def test_an_archive_that_is_cut_anywhere_is_refused() -> None:
    for length in range(len(SHOP)):
        with pytest.raises(DamagedDumpError):
            read_all(SHOP[:length])


def test_a_changed_byte_of_a_document_is_found_by_the_checksum() -> None:
    place = SHOP.index(b"rope")
    changed = SHOP[:place] + b"soap" + SHOP[place + 4 :]
    with pytest.raises(DamagedDumpError, match=r"the checksum of shop\.orders is -?\d+, and should be -?\d+"):
        read_all(changed)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK\x03\x04 something else", "does not begin with the archive's magic number"),
        (b"\x1f\x8b\x08\x00 compressed", "it is compressed: --gzip"),
        (b"", "does not begin with the archive's magic number"),
        (archive_bytes({"a.b": None}, []), r"it ends before a\.b is complete"),
        (archive_bytes({}, [("a.b", [{"_id": 1}])]), r"it ends before a\.b is complete"),
        (archive_bytes({}, [("a.b", None), ("a.b", [])]), r"a\.b goes on after its end"),
        (archive_bytes({}, []) + b"\xff\xff\xff\xff", "a terminator stands where a namespace header should"),
        (archive_bytes({}, [("a.", [])]), "a header names no collection"),
    ],
)
def test_what_breaks_the_format_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(DamagedDumpError, match=reason):
        read_all(data)


def test_another_version_of_the_format_is_refused() -> None:
    with pytest.raises(DamagedDumpError, match=r"its format is '9\.9'"):
        read_all(SHOP.replace(b"0.1\0", b"9.9\0", 1))


def test_what_is_written_is_byte_for_byte_what_the_format_says() -> None:
    written = io.BytesIO()
    writer = ArchiveWriter(written.write)
    writer.begin(Prelude("8.0.0", [CollectionMetadata(LINES)]), tool_version="0")
    one, two = bson.encode({"_id": 1}), bson.encode({"_id": 2})
    writer.documents(LINES, one)
    writer.documents(LINES, two)
    writer.end(LINES)
    data = written.getvalue()
    assert read_all(data) == [("logs.lines", 1), ("logs.lines", 2)]
    ending = bson.encode({"db": "logs", "collection": "lines", "EOF": True, "CRC": bson.Int64(crc64_of(one + two))})
    assert data.endswith(two + b"\xff\xff\xff\xff" + ending + b"\xff\xff\xff\xff")
