"""An archive as a file, or on the standard streams: opened, decompressed, and read once or twice."""

import contextlib
import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Self, cast

import skerry
from skerry.errors import DamagedDumpError
from skerry.mongodump.archive import ArchiveReader, ArchiveWriter, Prelude
from skerry.mongodump.metadata import CollectionMetadata
from skerry.values.namespace import Namespace

STANDARD_STREAM: Final = "-"


class ArchiveFile:
    """The archive at `path`, or on the standard input when that is "-", which can be read only once."""

    def __init__(self, path: str, *, is_compressed: bool) -> None:
        """Raises `DamagedDumpError` for something else than an archive, OSError for a file that cannot be read."""
        self._path = path
        self._is_compressed = is_compressed
        self.can_read_again = path != STANDARD_STREAM
        self.name = path if self.can_read_again else "the standard input"
        self._stream, self._reader = self._opened()
        with self._reading():
            self.collections: list[CollectionMetadata] = self._reader.prelude().collections

    def documents(self) -> Iterator[tuple[Namespace, bytes]]:
        """Yield every document; what the archive lacks is told at its end. Raises `DamagedDumpError`."""
        if self._stream.closed:
            self._stream, self._reader = self._opened()
            with self._reading():
                self._reader.prelude()
        with self._stream, self._reading():
            yield from self._reader.documents(self.collections)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _opened(self) -> tuple[IO[bytes], ArchiveReader]:
        stream: IO[bytes] = Path(self._path).open("rb") if self.can_read_again else sys.stdin.buffer  # noqa: SIM115
        if self._is_compressed:
            stream = cast("IO[bytes]", _Decompressed(stream))
        return stream, ArchiveReader(stream.read, self.name)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self._stream.close()
            raise DamagedDumpError(self.name, "a compressed archive of mongodump", str(error)) from error
        except BaseException:
            self._stream.close()
            raise


class _Decompressed(gzip.GzipFile):
    """Closes what it reads from with itself."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__(fileobj=source, mode="rb")
        self._source = source

    def close(self) -> None:
        super().close()
        self._source.close()


class ArchiveFileWriter:
    """Writes an archive to `path`, or to the standard output when that is "-". A context manager.

    A file appears under its name when it is whole, and replaces nothing.
    """

    def __init__(self, path: str, *, is_compressed: bool) -> None:
        """Raises FileExistsError when there is a file already, OSError when none can be made."""
        self._target = None if path == STANDARD_STREAM else Path(path)
        if self._target is not None and self._target.exists():
            raise FileExistsError(17, "is there already", path)
        self._part = None if self._target is None else self._target.with_name(self._target.name + ".part")
        self._raw: IO[bytes] = sys.stdout.buffer if self._part is None else self._part.open("wb")
        self._compressed = gzip.GzipFile(fileobj=self._raw, mode="wb", filename="") if is_compressed else None
        self._writer = ArchiveWriter((self._compressed or self._raw).write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._compressed is not None:
            self._compressed.close()
        self._raw.flush()
        if self._target is None or self._part is None:
            return
        os.fsync(self._raw.fileno())
        self._raw.close()
        if kind is None:
            self._part.rename(self._target)
        else:
            self._part.unlink()

    def begin(self, collections: list[CollectionMetadata], server_version: str) -> None:
        """Write what stands before the documents."""
        self._writer.begin(Prelude(server_version, collections), tool_version=f"skerry {skerry.__version__}")

    def collection(self, metadata: CollectionMetadata, batches: Iterator[bytes]) -> None:
        """Write the documents of one collection; `batches` are whole documents one behind the other."""
        for batch in batches:
            self._writer.documents(metadata.namespace, batch)
        self._writer.end(metadata.namespace)
