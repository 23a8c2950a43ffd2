"""`FileService`: files outside the database, in a local folder, in memory, on S3 or wherever fsspec reaches.

Rules: a file is there whole or not at all (`folder_writes` for local folders; an object store's put is atomic by itself; any
other storage gets a temporary name and a rename). What may go better a little later is tried again, the rest is refused at once.
Every error is a `FileServiceError` with the operation and the URL. Nothing is cached: others may write the same files.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeVar

from skerry.catalog.file_failures import is_transient, raise_translated
from skerry.catalog.folder_writes import SUFFIX, delete_durably, write_atomically
from skerry.errors import ConfigurationError, MissingFileError

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""

_logger: Final = logging.getLogger("skerry.files")
CHUNK_BYTES: Final = 4 * 1024 * 1024
_PUT_IS_ATOMIC: Final = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "s3", "s3a"})
_MEMORY: Final = "memory"
_FOLDER: Final = "file"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often something is tried, and how long the pauses are: the first, and by which factor the next is longer."""

    attempts: int = 3
    delay_ms: int = 1000
    backoff: float = 2.0


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file: its name below the root, its size in bytes, and when it was last written, where the storage knows."""

    name: str
    size: int
    modified: datetime | None


def ignore_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


class FileService:
    """The files below one URL (`./folder`, `memory://…`, `s3://bucket/…`). Any thread may use it.

    `options` are those of the fsspec storage. Raises `ConfigurationError` for a URL whose storage is unknown or not installed.
    """

    def __init__(self, url: str, *, options: Mapping[str, Any] | None = None, retries: Retries | None = None) -> None:
        self.url = url if url.endswith("://") else url.rstrip("/") or url
        self._retries = retries or Retries()
        fsspec = _required("fsspec", url)
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False, **(options or {}))
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                "url", url, f"a storage that is installed (pip install 'skerry[s3]'): {error}"
            ) from error
        protocol = self._files.protocol
        self._protocol: str = protocol if isinstance(protocol, str) else protocol[0]

    @classmethod
    def beside(cls, url: str, **settings: Any) -> "tuple[FileService, str]":
        """Return the service of the folder that a file's URL is in, and the file's name there."""
        folder, _, name = url.rpartition("/")
        if not name:
            raise ConfigurationError("url", url, "the URL of a file")
        if not folder:
            folder = "/" if url.startswith("/") else "."
        elif folder.endswith((":/", "//")):
            folder += "/"
        return cls(folder, **settings), name

    def write(self, name: str, content: bytes) -> None:
        """Make the file hold `content`, in place of whatever it was."""
        self._attempt("write", name, lambda path: self._put(path, content, ignore_progress))

    def write_from(self, name: str, source: Path, on_progress: Progress = ignore_progress) -> None:
        """Make the file hold what the local file `source` holds."""
        self._attempt("write", name, lambda path: self._put(path, source, on_progress))

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        content: bytes = self._attempt("read", name, self._files.cat_file)
        return content

    def read_into(self, name: str, target: Path, on_progress: Progress = ignore_progress) -> None:
        """Copy a file to the local file `target`, which is left incomplete when that fails."""

        def copy(path: str) -> None:
            total = int(self._files.info(path)["size"])
            done = 0
            with self._files.open(path, "rb") as stream, target.open("wb") as copied:
                while chunk := stream.read(CHUNK_BYTES):
                    copied.write(chunk)
                    done += len(chunk)
                    on_progress(done, max(total, done))

        self._attempt("read", name, copy)

    def list(self, prefix: str = "") -> list[FileInfo]:
        """Return the files directly below the root whose names begin with `prefix`, by name; none when the root is not there."""

        def look(root: str) -> list[FileInfo]:
            try:
                rows = self._files.ls(root, detail=True)
            except FileNotFoundError:
                return []
            found = [_info(row) for row in rows if row["type"] == "file"]
            return sorted((file for file in found if not file.name.endswith(SUFFIX)), key=lambda file: file.name)

        return [file for file in self._attempt("list", "", look) if file.name.startswith(prefix)]

    def info(self, name: str) -> FileInfo:
        """Return size and time of a file. Raises `MissingFileError`."""
        return replace(self._attempt("look at", name, lambda path: _info(self._files.info(path))), name=name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(self._attempt("look at", name, self._files.isfile))

    def delete(self, name: str) -> bool:
        """Remove a file; false when there was none."""

        def remove(path: str) -> bool:
            if not self._files.isfile(path):
                return False
            if self._protocol == _FOLDER:
                delete_durably(Path(path))
            else:
                self._files.rm_file(path)
            return True

        try:
            return self._attempt("delete", name, remove)
        except MissingFileError:  # somebody was faster
            return False

    def url_of(self, name: str) -> str:
        """Return the URL of a file."""
        return f"{self.url}/{name}" if name else self.url

    def _put(self, path: str, source: bytes | Path, on_progress: Progress) -> None:
        """Write in the way in which this storage does it atomically."""
        if self._protocol == _FOLDER:
            write_atomically(Path(path), _chunks(source, on_progress))
        elif self._protocol == _MEMORY:
            self._files.pipe_file(
                path, b"".join(_chunks(source, on_progress))
            )  # a stream would show what is half written
        elif self._protocol in _PUT_IS_ATOMIC:
            self._upload(path, source, on_progress)
        else:
            temporary = f"{self._files._parent(path)}/.{PurePosixPath(path).name}.{secrets.token_hex(6)}{SUFFIX}"
            try:
                self._upload(temporary, source, on_progress)
                self._files.mv(temporary, path)
            except BaseException:
                if self._files.exists(temporary):
                    self._files.rm_file(temporary)
                raise

    def _upload(self, path: str, source: bytes | Path, on_progress: Progress) -> None:
        if isinstance(source, bytes):
            self._files.pipe_file(path, source)
            return
        hooks = {"progress": lambda total, done, **_: on_progress(done, total or done)}
        callback = _required("fsspec", self.url).callbacks.Callback(hooks=hooks)
        self._files.put_file(str(source), path, callback=callback)

    def _attempt(self, operation: str, name: str, function: Callable[[str], T]) -> T:
        """Call `function` with the path of the file, again after a pause when the failure may pass."""
        path = self._path(name)
        tenacity = _required("tenacity", self.url)
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_transient),
            stop=tenacity.stop_after_attempt(self._retries.attempts),
            wait=tenacity.wait_exponential(multiplier=self._retries.delay_ms / 1000, exp_base=self._retries.backoff),
            before_sleep=tenacity.before_sleep_log(_logger, logging.WARNING),
            reraise=True,
        )
        try:
            result: T = attempts(function, path)
        except Exception as error:
            raise_translated(error, operation, self.url_of(name))
        return result

    def _path(self, name: str) -> str:
        parts = name.split("/")
        if name and (any(part in ("", ".", "..") for part in parts) or "\x00" in name):
            raise ConfigurationError("file name", name, "a name below the root")
        return f"{self._root.rstrip('/')}/{name}" if name else self._root


def _required(module: str, url: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigurationError("url", url, f"{module} to be installed: pip install 'skerry[files]'") from error


def _chunks(source: bytes | Path, on_progress: Progress) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    total = source.stat().st_size
    done = 0
    with source.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
            done += len(chunk)
            on_progress(done, total)


def _info(row: Mapping[str, Any]) -> FileInfo:
    modified = row.get("mtime") or row.get("LastModified") or row.get("last_modified") or row.get("created")
    if isinstance(modified, int | float):
        modified = datetime.fromtimestamp(modified, UTC)
    return FileInfo(
        PurePosixPath(row["name"]).name, int(row["size"]), modified if isinstance(modified, datetime) else None
    )
