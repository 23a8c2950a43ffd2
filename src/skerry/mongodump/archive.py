"""The archive of `mongodump --archive`: a stream of bytes to documents and back, without files.

    magic number, header document, a metadata document for each collection, terminator,
    then segments: a namespace header, documents, terminator; the last segment of a collection has no documents, and its
    header says EOF and the CRC-64 of all of them. Segments of several collections may alternate.

Source: mongo-tools' `common/archive/spec.md`. The checksum is CRC-64/XZ, which Go calls ECMA.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import bson
from bson.errors import InvalidBSON
from bson.int64 import Int64
from fastcrc import crc64

from skerry.errors import DamagedDumpError
from skerry.mongodump.metadata import CollectionMetadata, metadata_text, parse_metadata
from skerry.values.namespace import Namespace

MAGIC: Final = bytes.fromhex("6de29981")
FORMAT_VERSION: Final = "0.1"
DOCUMENT_BYTES_MAX: Final = 16 * 1024 * 1024 + 16 * 1024
"""MongoDB's own BSONObjMaxInternalSize: some documents of its own are a little larger than a user's may be."""

_TERMINATOR: Final = b"\xff\xff\xff\xff"
_DOCUMENT_BYTES_MIN: Final = 5
_LENGTH: Final = struct.Struct("<i")
_EXPECTED: Final = "a whole archive of mongodump"
_SIGNED: Final = 1 << 63


@dataclass(slots=True)
class _Progress:
    """One collection while its segments are read."""

    crc: int = 0
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Prelude:
    """What an archive says before its documents."""

    server_version: str
    collections: list[CollectionMetadata] = field(default_factory=list)


class ArchiveReader:
    """Reads one archive from the beginning, once: first `prelude`, then `documents`.

    `read(n)` gives up to n bytes and none at the end; `name` is what errors call the archive.
    """

    def __init__(self, read: Callable[[int], bytes], name: str) -> None:
        self._read = read
        self._name = name

    def prelude(self) -> Prelude:
        """Return header and collections. Raises `DamagedDumpError`."""
        magic = self._bytes(4, "its beginning", may_end=True)
        if magic != MAGIC:
            if magic[:2] == b"\x1f\x8b":
                raise self._damaged("it is compressed: --gzip")
            raise self._damaged("it does not begin with the archive's magic number")
        header = self._decoded(self._document("the header") or b"", "the header")
        if header.get("version", FORMAT_VERSION) != FORMAT_VERSION:
            raise self._damaged(f"its format is {header['version']!r}, and only {FORMAT_VERSION!r} is known")
        found = Prelude(str(header.get("server_version", "")))
        while (raw := self._document("the list of collections")) is not None:
            entry = self._decoded(raw, "the list of collections")
            namespace = self._namespace(entry)
            place = f"{self._name}, {namespace}"
            found.collections.append(parse_metadata(entry.get("metadata") or "", namespace, place))
        return found

    def documents(self, expected: Iterable[CollectionMetadata]) -> Iterator[tuple[Namespace, bytes]]:
        """Yield every document with its collection, in the order of the archive.

        Raises `DamagedDumpError` where the archive is cut, breaks the format, or differs from its checksums, and at its end when
        a collection of `expected` that is no view has not been completed.
        """
        seen: dict[Namespace, _Progress] = {}
        while (raw := self._document("a namespace header", may_end=True)) != b"":
            if raw is None:
                raise self._damaged("a terminator stands where a namespace header should")
            header = self._decoded(raw, "a namespace header")
            namespace = self._namespace(header)
            progress = seen.setdefault(namespace, _Progress())
            if progress.is_complete:
                raise self._damaged(f"{namespace} goes on after its end")
            while (document := self._document(str(namespace))) is not None:
                if header.get("EOF"):
                    raise self._damaged(f"{namespace} has documents after its end")
                progress.crc = crc64.xz(document, progress.crc)
                yield namespace, document
            if header.get("EOF"):
                progress.is_complete = True
                self._compare(namespace, progress.crc, header.get("CRC"))
        missing = {each.namespace for each in expected if not each.is_view} | set(seen)
        missing -= {namespace for namespace, progress in seen.items() if progress.is_complete}
        if missing:
            raise self._damaged(f"it ends before {', '.join(sorted(map(str, missing)))} is complete")

    def _compare(self, namespace: Namespace, crc: int, written: object) -> None:
        if _signed(crc) != written:
            raise self._damaged(f"the checksum of {namespace} is {_signed(crc)}, and should be {written}")

    def _namespace(self, header: Mapping[str, Any]) -> Namespace:
        db, coll = header.get("db"), header.get("collection")
        if not isinstance(db, str) or not isinstance(coll, str) or not coll:
            raise self._damaged("a header names no collection")
        return Namespace(db, coll)

    def _document(self, place: str, *, may_end: bool = False) -> bytes | None:
        """One document as bytes, None for a terminator, b"" at the end of the archive if it `may_end` here."""
        start = self._bytes(4, place, may_end=may_end)
        if not start:
            return b""
        if start == _TERMINATOR:
            return None
        (length,) = _LENGTH.unpack(start)
        if not _DOCUMENT_BYTES_MIN <= length <= DOCUMENT_BYTES_MAX:
            raise self._damaged(f"a document in {place} claims to have {length} bytes")
        rest = self._bytes(length - 4, place)
        if rest[-1]:
            raise self._damaged(f"a document in {place} does not end where it says")
        return start + rest

    def _bytes(self, number: int, place: str, *, may_end: bool = False) -> bytes:
        found = self._read(number)
        while len(found) < number:
            more = self._read(number - len(found))
            if not more:
                if may_end and not found:
                    return b""
                raise self._damaged(f"it is cut off in {place}")
            found += more
        return found

    def _decoded(self, raw: bytes, place: str) -> dict[str, Any]:
        try:
            return bson.decode(raw)
        except InvalidBSON as error:
            raise self._damaged(f"{place} is no BSON: {error}") from error

    def _damaged(self, reason: str) -> DamagedDumpError:
        return DamagedDumpError(self._name, _EXPECTED, reason)


class ArchiveWriter:
    """Writes one archive, collection after collection: `begin`, then for each `documents` any number of times, and `end`."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._crc = 0

    def begin(self, prelude: Prelude, *, tool_version: str) -> None:
        """Write what stands before the documents."""
        header = {
            "concurrent_collections": 1,
            "version": FORMAT_VERSION,
            "server_version": prelude.server_version,
            "tool_version": tool_version,
        }
        self._write(MAGIC + bson.encode(header))
        for each in prelude.collections:
            entry = {
                "db": each.namespace.db,
                "collection": each.namespace.coll,
                "metadata": metadata_text(each),
                "size": 0,
                "type": each.kind,
            }
            self._write(bson.encode(entry))
        self._write(_TERMINATOR)

    def documents(self, namespace: Namespace, documents: bytes) -> None:
        """Write whole documents, one behind the other, of the collection that has not been ended yet."""
        self._crc = crc64.xz(documents, self._crc)
        self._write(_header(namespace, eof=False, crc=0) + documents + _TERMINATOR)

    def end(self, namespace: Namespace) -> None:
        """Write that the collection has no more documents, and the checksum of those it had."""
        self._write(_header(namespace, eof=True, crc=_signed(self._crc)) + _TERMINATOR)
        self._crc = 0


def _header(namespace: Namespace, *, eof: bool, crc: int) -> bytes:
    return bson.encode({"db": namespace.db, "collection": namespace.coll, "EOF": eof, "CRC": Int64(crc)})


def _signed(crc: int) -> int:
    return crc - 2 * _SIGNED if crc >= _SIGNED else crc
