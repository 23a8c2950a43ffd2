"""A consistent backup of everything while everybody goes on writing, verified before and after it leaves the machine.

1. Copy one committed state of the database into a scratch directory beside it.
2. Open the copy and examine it as `doctor` does: a backup of a damaged database is refused.
3. Pack it, with a manifest.
4. Write the archive to where it belongs, whole or not at all.
5. Read it back from there, and compare it with its manifest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from skerry.catalog.file_service import FileService
from skerry.engine import oplog
from skerry.engine.backup_archive import Manifest, pack, verify
from skerry.engine.doctor import examine_store
from skerry.engine.life_cycle import require_database
from skerry.errors import CorruptDatabaseError
from skerry.storage import Store
from skerry.storage.migrations import SCHEMA_VERSION
from skerry.storage.online_backup import copy_database
from skerry.storage.replacement import make_single_file
from skerry.storage.scratch_directory import scratch_directory
from skerry.storage.store import DATABASE_FILE

Progress = Callable[[str, int, int], None]
"""Told the stage ("copy", "examine", "pack", "upload", "verify", …), how much of it is done, and of how much."""

ARCHIVE_SUFFIX: Final = ".skerry.zip"


def ignore_progress(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was made and verified: where it is, its size in bytes, and what it holds."""

    url: str
    archive_bytes: int
    manifest: Manifest


def back_up(
    directory: Path, url: str, *, files: FileService | None = None, on_progress: Progress = ignore_progress
) -> BackupReport:
    """Back the database in `directory` up to the file `url`; a URL that ends in "/" is a folder, and gets a name by the time.

    `files` replaces the service that the URL calls for; `url` is then a name below its root. Raises `FileServiceError`,
    `DatabaseNotFoundError`, `CorruptDatabaseError` when there is something that `doctor` would find.
    """
    require_database(directory)
    now = datetime.now(UTC)
    if url == "" or url.endswith("/"):
        url += f"skerry-{now:%Y%m%dT%H%M%SZ}{ARCHIVE_SUFFIX}"
    service, name = (files, url) if files is not None else FileService.beside(url)
    with scratch_directory(directory) as scratch:
        copy, archive = scratch / DATABASE_FILE, scratch / "archive"
        _copy(directory, copy, on_progress)
        counts = _examine_copy(scratch, on_progress)

        def manifest(size: int, sha256: str) -> Manifest:
            return Manifest(
                now.isoformat(timespec="milliseconds"), version("skerry"), SCHEMA_VERSION, size, sha256, *counts
            )

        packed = pack(copy, archive, manifest, lambda done, total: on_progress("pack", done, total))
        copy.unlink()
        service.write_from(name, archive, lambda done, total: on_progress("upload", done, total))
        size = archive.stat().st_size
        archive.unlink()
        _verify(service, name, scratch / "fetched", on_progress)
    return BackupReport(service.url_of(name), size, packed)


def _verify(service: FileService, name: str, fetched: Path, on_progress: Progress) -> None:
    """Fetch the archive from where it is now, and compare it with its manifest."""
    service.read_into(name, fetched, lambda done, total: on_progress("download", done, total))
    verify(fetched, service.url_of(name), lambda done, total: on_progress("verify", done, total))


def _copy(directory: Path, target: Path, on_progress: Progress) -> None:
    store = Store(directory)
    try:
        copy_database(store, target, lambda done, total: on_progress("copy", done, total))
    finally:
        store.close()


def _examine_copy(scratch: Path, on_progress: Progress) -> tuple[int, int, int]:
    """Refuse a copy with any finding; return its collections, documents and cluster time."""
    on_progress("examine", 0, 1)
    store = Store(scratch)
    try:
        findings = examine_store(store)
        if findings:
            first = findings[0]
            raise CorruptDatabaseError(
                f"the database is damaged, run `skerry doctor` on it: {first.where}: {first.message}"
                + (f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""),
                str(scratch.parent),
            )
        with store.read() as view:
            collections, documents = view.row("SELECT count(*), coalesce(sum(document_count), 0) FROM collection")
            cluster_time = oplog.last_timestamp(view)
    finally:
        store.close()
    make_single_file(scratch / DATABASE_FILE)
    on_progress("examine", 1, 1)
    return collections, documents, cluster_time
