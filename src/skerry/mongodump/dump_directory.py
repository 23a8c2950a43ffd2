"""The other form of a dump: a directory for each database, with `COLLECTION.bson` and `COLLECTION.metadata.json`, or both `.gz`.

A file's name is the collection's, percent-encoded; one that would be too long is cut and ends with a hash (mongo-tools'
`outputPath`), and the metadata then has the whole name. Documents stand in the file one behind the other; there is no checksum.
"""

import base64
import gzip
import hashlib
import struct
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from skerry.errors import DamagedDumpError
from skerry.mongodump.archive import DOCUMENT_BYTES_MAX
from skerry.mongodump.metadata import CollectionMetadata, metadata_text, parse_metadata
from skerry.values.namespace import Namespace

_FILE_NAME_CHARACTERS_MAX: Final = 238
_KEPT_CHARACTERS: Final = 208
_EXPECTED: Final = "a whole file of mongodump"
_METADATA: Final = ".metadata.json"
_DOCUMENTS: Final = ".bson"


class DumpDirectory:
    """A dump in `directory`, of which `collections` and `documents` may be read any number of times."""

    def __init__(self, directory: Path, *, is_compressed: bool) -> None:
        """Raises `DamagedDumpError` for a directory without a dump, OSError for one that cannot be read."""
        self._directory = directory
        self._ending = ".gz" if is_compressed else ""
        self.name = str(directory)
        self.can_read_again = True
        self._files = {each.namespace: (each, path) for each, path in self._found()}
        if not self._files:
            raise DamagedDumpError(self.name, "a dump", self._why_empty())

    @property
    def collections(self) -> list[CollectionMetadata]:
        """All collections of the dump, in alphabetical order."""
        return [each for each, _ in self._files.values()]

    def documents(self) -> Iterator[tuple[Namespace, bytes]]:
        """Yield every document, collection after collection. Raises `DamagedDumpError`."""
        for metadata, path in self._files.values():
            if path is not None:
                for document in self._documents_of(path):
                    yield metadata.namespace, document

    def _found(self) -> Iterator[tuple[CollectionMetadata, Path | None]]:
        for folder in sorted(each for each in self._directory.iterdir() if each.is_dir()):
            files = {each.name for each in folder.iterdir()}
            stems = {_without(name, ending + self._ending) for name in files for ending in (_METADATA, _DOCUMENTS)}
            for stem in sorted(stems - {""}):
                namespace = Namespace(folder.name, urllib.parse.unquote(stem))
                described = folder / (stem + _METADATA + self._ending)
                text = self._text(described) if described.name in files else ""
                metadata = parse_metadata(text, namespace, str(described))
                documents = folder / (stem + _DOCUMENTS + self._ending)
                if documents.name in files:
                    yield metadata, documents
                elif metadata.is_view or metadata.is_time_series:
                    yield metadata, None
                else:
                    raise DamagedDumpError(str(described), _EXPECTED, f"there is no {documents.name} beside it")

    def _text(self, path: Path) -> str:
        try:
            return (gzip.decompress(path.read_bytes()) if self._ending else path.read_bytes()).decode()
        except (EOFError, UnicodeDecodeError, zlib.error, gzip.BadGzipFile) as error:
            raise DamagedDumpError(str(path), _EXPECTED, str(error)) from error

    def _documents_of(self, path: Path) -> Iterator[bytes]:
        with gzip.open(path) if self._ending else path.open("rb") as file:
            try:
                while start := file.read(4):
                    (length,) = struct.unpack("<i", start) if len(start) == 4 else (0,)
                    if not 5 <= length <= DOCUMENT_BYTES_MAX:
                        raise DamagedDumpError(str(path), _EXPECTED, f"a document claims to have {length} bytes")
                    document = start + file.read(length - 4)
                    if len(document) < length or document[-1]:
                        raise DamagedDumpError(str(path), _EXPECTED, "it is cut off in a document")
                    yield document
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DamagedDumpError(str(path), _EXPECTED, str(error)) from error

    def _why_empty(self) -> str:
        other = f"*/*{_DOCUMENTS}" if self._ending else f"*/*{_DOCUMENTS}.gz"
        if any(self._directory.glob(other)):
            return (
                "its files are not compressed: leave out --gzip" if self._ending else "its files are compressed: --gzip"
            )
        if any(self._directory.glob(f"*{_DOCUMENTS}{self._ending}")):
            return "it is the directory of one database; give the one above it"
        return "no database in it has a collection"


class DumpDirectoryWriter:
    """Writes a dump into `directory`, which has to be new or empty."""

    def __init__(self, directory: Path, *, is_compressed: bool) -> None:
        self._directory = directory
        self._is_compressed = is_compressed

    def begin(self, collections: list[CollectionMetadata], _server_version: str) -> None:
        """Make the directories and describe the collections. Raises FileExistsError for a directory that is not empty."""
        if self._directory.exists() and any(self._directory.iterdir()):
            raise FileExistsError(17, "is not empty", str(self._directory))
        for each in collections:
            self._write(each.namespace, _METADATA, [metadata_text(each).encode()])

    def collection(self, metadata: CollectionMetadata, batches: Iterator[bytes]) -> None:
        """Write the documents of one collection; `batches` are whole documents one behind the other."""
        if not metadata.is_view:
            self._write(metadata.namespace, _DOCUMENTS, batches)

    def _write(self, namespace: Namespace, ending: str, pieces: Iterator[bytes] | list[bytes]) -> None:
        folder = self._directory / namespace.db
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (file_stem(namespace.coll) + ending + (".gz" if self._is_compressed else ""))
        with gzip.open(path, "xb") if self._is_compressed else path.open("xb") as file:
            for piece in pieces:
                file.write(piece)


def file_stem(collection: str) -> str:
    """Return the name of a collection's files without its ending."""
    stem = urllib.parse.quote(collection, safe="")
    if len(stem) <= _FILE_NAME_CHARACTERS_MAX:
        return stem
    digest = hashlib.sha1(collection.encode(), usedforsecurity=False).digest()
    return f"{stem[:_KEPT_CHARACTERS]}%24{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _without(name: str, ending: str) -> str:
    return name.removesuffix(ending) if name.endswith(ending) else ""
