"""One contract for every storage: a local folder, memory, S3, and one without an atomic put."""

import errno
import os
import secrets
import threading
import time
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractFileSystem

from skerry.catalog.file_service import FileService, Retries
from skerry.catalog.folder_writes import SUFFIX
from skerry.errors import (
    ConfigurationError,
    FileIOError,
    FileServiceError,
    MissingFileError,
    PermissionDeniedError,
    QuotaExceededError,
)

AT_ONCE = Retries(attempts=3, delay_ms=0)


class PlainFileSystem(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A storage that has renames and no atomic put, such as SFTP."""

    protocol = "plain"
    put_file = AbstractFileSystem.put_file  # the local one copies in one go

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(LocalFileSystem._strip_protocol(path.removeprefix("plain://")))


fsspec.register_implementation("plain", PlainFileSystem, clobber=True)


@pytest.fixture(params=["folder", "memory", "plain", pytest.param("s3", marks=pytest.mark.slow)])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileService:
    """A service on an empty root."""
    kind = request.param
    if kind == "folder":
        return FileService(str(tmp_path / "files"), retries=AT_ONCE)
    if kind == "memory":
        return FileService(f"memory://{secrets.token_hex(4)}/files", retries=AT_ONCE)
    if kind == "plain":
        (tmp_path / "plain").mkdir()
        return FileService(f"plain://{tmp_path}/plain", retries=AT_ONCE)
    options = request.getfixturevalue("s3_options")
    bucket = f"bucket-{secrets.token_hex(4)}"
    fsspec.filesystem("s3", **options).mkdir(bucket)
    return FileService(f"s3://{bucket}/files", options=options, retries=AT_ONCE)


def test_what_was_written_is_read_and_replaced_whole(files: FileService) -> None:
    files.write("a.json", b"one")
    assert files.read("a.json") == b"one"
    files.write("a.json", "zwei 🚣".encode())
    assert files.read("a.json").decode() == "zwei 🚣"
    assert files.info("a.json").size == len("zwei 🚣".encode())
    assert files.info("a.json").modified is not None
    assert [file.name for file in files.list()] == ["a.json"]


def test_a_large_local_file_travels_there_and_back_and_tells_its_progress(files: FileService, tmp_path: Path) -> None:
    content = os.urandom(9_000_000)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    told: list[tuple[int, int]] = []
    files.write_from("big", source, lambda done, total: told.append((done, total)))
    files.read_into("big", target)
    assert target.read_bytes() == content
    assert told[-1] == (9_000_000, 9_000_000)


def test_files_are_listed_by_name_and_prefix_and_an_absent_root_is_empty(files: FileService) -> None:
    assert files.list() == []
    for name in ("b2", "a", "b1"):
        files.write(name, b"x")
    assert [file.name for file in files.list()] == ["a", "b1", "b2"]
    assert [file.name for file in files.list("b")] == ["b1", "b2"]


def test_deleting_twice_is_told_by_the_answer_only(files: FileService) -> None:
    files.write("a", b"x")
    assert files.exists("a")
    assert files.delete("a") is True
    assert files.delete("a") is False
    assert not files.exists("a")


@pytest.mark.parametrize("operation", ["read", "info"])
def test_a_missing_file_is_an_error_with_its_facts(files: FileService, operation: str) -> None:
    with pytest.raises(MissingFileError) as caught:
        getattr(files, operation)("nowhere")
    assert caught.value.url == files.url_of("nowhere")
    assert caught.value.code == "FILE_NOT_FOUND"
    assert caught.value.operation


@pytest.mark.parametrize("name", ["../a", "a//b", "/a", "a/.", "a\x00"])
def test_a_name_cannot_leave_the_root(files: FileService, name: str) -> None:
    with pytest.raises(ConfigurationError):
        files.read(name)


class Failing:
    """Stands in for a storage's function: raises the given errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self, _path: str) -> bytes:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return b"at last"


def service_with(monkeypatch: pytest.MonkeyPatch, failing: Failing) -> FileService:
    files = FileService(f"memory://{secrets.token_hex(4)}", retries=AT_ONCE)
    monkeypatch.setattr(files._files, "cat_file", failing)
    return files


def client_library_error(name: str, library: str = "botocore.exceptions") -> Exception:
    kind: type[Exception] = type(name, (Exception,), {"__module__": library})
    return kind("from the client library")


def test_what_passes_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Failing(ConnectionResetError(), client_library_error("EndpointConnectionError"))
    assert service_with(monkeypatch, failing).read("a") == b"at last"
    assert failing.calls == 3


@pytest.mark.parametrize(
    ("error", "kind", "calls"),
    [
        (FileNotFoundError("no"), MissingFileError, 1),
        (PermissionError("no"), PermissionDeniedError, 1),
        (client_library_error("NoCredentialsError"), PermissionDeniedError, 1),
        (OSError(errno.ENOSPC, "full"), QuotaExceededError, 1),
        (OSError(errno.ENAMETOOLONG, "long"), FileIOError, 1),
        (OSError(errno.EBUSY, "Please reduce your request rate."), QuotaExceededError, 3),
        (TimeoutError("slow"), FileIOError, 3),
        (client_library_error("ServerDisconnectedError", "aiohttp.client_exceptions"), FileIOError, 3),
    ],
)
def test_every_kind_of_failure_has_its_class_and_is_tried_as_often_as_it_is_worth(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[FileServiceError], calls: int
) -> None:
    failing = Failing(error, error, error, error)
    with pytest.raises(kind) as caught:
        service_with(monkeypatch, failing).read("a")
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error
    assert failing.calls == calls


def test_a_mistake_of_ours_is_not_dressed_up_as_a_storage_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        service_with(monkeypatch, Failing(ZeroDivisionError())).read("a")


@pytest.mark.parametrize("url", ["nowhere://x/y", "s4://bucket/key"])
def test_an_unknown_storage_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigurationError, match="url"):
        FileService(url)


@pytest.mark.parametrize(
    ("url", "folder", "name"),
    [
        ("a.zip", ".", "a.zip"),
        ("/a.zip", "/", "a.zip"),
        ("./b/a.zip", "./b", "a.zip"),
        ("memory://a.zip", "memory://", "a.zip"),
        ("memory://b/a.zip", "memory://b", "a.zip"),
    ],
)
def test_the_url_of_a_file_is_taken_apart(url: str, folder: str, name: str) -> None:
    service, found = FileService.beside(url)
    assert (service.url, found) == (folder, name)


def test_readers_of_a_folder_see_the_old_or_the_new_file_and_never_a_part(tmp_path: Path) -> None:
    files = FileService(str(tmp_path))
    contents = {bytes([letter]) * 300_000 for letter in b"abc"}
    files.write("a", min(contents))
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / "a").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        for content in contents:
            files.write("a", content)
    stop.set()
    reader.join()
    assert seen <= contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_writer_left_is_not_listed_and_goes_with_the_next_write(tmp_path: Path) -> None:
    leftover = tmp_path / f".a.0123{SUFFIX}"
    leftover.write_bytes(b"half")
    files = FileService(str(tmp_path))
    assert files.list() == []
    files.write("a", b"whole")
    assert not leftover.exists()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(files: FileService, tmp_path: Path) -> None:
    def fail(_done: int, _total: int) -> None:
        raise ZeroDivisionError

    source = tmp_path / "source"
    source.write_bytes(os.urandom(9_000_000))
    files.write("a", b"old")
    if files.url.startswith("s3"):  # an upload in one request is over before it tells
        source.unlink()
        with pytest.raises(MissingFileError):
            files.write_from("a", source)
    else:
        with pytest.raises(ZeroDivisionError):
            files.write_from("a", source, fail)
    assert files.read("a") == b"old"
    assert [Path(name).name for name in files._files.ls(files._root, detail=False)] == ["a"]
