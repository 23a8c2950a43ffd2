"""Puts a backup in the place of a data directory's database, after it has been proved sound.

    1. Fetch the archive into a scratch directory in the target; unpack it there while comparing it with its manifest.
    2. Open the copy, examine it as `doctor` does, and compare its counts with the manifest.
    3. Let the caller change what must not be in two databases at once (a node's identity on its links).
    4. Put it in place; the old database is kept aside until the new one is there for good (`storage.replacement`).

A crash at any moment leaves the old database or the new one, and at most files that `doctor` finds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skerry.catalog.file_service import FileService
from skerry.engine import oplog
from skerry.engine.backup import Progress, ignore_progress
from skerry.engine.backup_archive import Manifest, unpack
from skerry.engine.doctor import examine_store
from skerry.errors import DamagedBackupError, DatabaseExistsError, NotADatabaseError
from skerry.storage import Store, WriteView
from skerry.storage.migrations import check_schema_version
from skerry.storage.replacement import make_single_file, replace_database
from skerry.storage.scratch_directory import scratch_directory
from skerry.storage.store import DATABASE_FILE

_EXPECTED = "a backup of skerry"


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A backup that was put in place: where it came from and what it holds."""

    url: str
    directory: Path
    manifest: Manifest


def restore(
    url: str,
    directory: Path,
    *,
    overwrite: bool = False,
    adapt: Callable[[WriteView], None],
    files: FileService | None = None,
    on_progress: Progress = ignore_progress,
) -> RestoreReport:
    """Make `directory` hold the database of the backup at `url`; `adapt` changes the copy before it is put in place.

    `files` replaces the service that the URL calls for; `url` is then a name below its root. Raises `DatabaseExistsError` for a
    directory that is not empty, unless `overwrite`, `DatabaseInUseError` when anybody has its database open,
    `FileServiceError`, `InvalidManifestError`, `DamagedBackupError`, `NewerSchemaError`.
    """
    _check_target(directory, overwrite=overwrite)
    service, name = (files, url) if files is not None else FileService.beside(url)
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with scratch_directory(directory) as scratch:
            fetched, database = scratch / "fetched", scratch / DATABASE_FILE
            service.read_into(name, fetched, lambda done, total: on_progress("download", done, total))
            with database.open("xb") as target:
                manifest = unpack(
                    fetched, target, service.url_of(name), lambda done, total: on_progress("unpack", done, total)
                )
            fetched.unlink()
            check_schema_version(manifest.schema_version, service.url_of(name))
            _examine_and_adapt(scratch, manifest, service.url_of(name), adapt, on_progress)
            make_single_file(database)
            replace_database(directory, database)
    except BaseException:
        if is_new and not (directory / DATABASE_FILE).exists():
            _remove_what_we_made(directory)
        raise
    return RestoreReport(service.url_of(name), directory, manifest)


def _check_target(directory: Path, *, overwrite: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise NotADatabaseError(f"{directory} is a file; a data directory is needed", str(directory))
    if not overwrite and directory.exists() and any(directory.iterdir()):
        raise DatabaseExistsError(
            f"{directory} is not empty; allow it to be overwritten, or take another", str(directory)
        )


def _examine_and_adapt(
    scratch: Path, manifest: Manifest, url: str, adapt: Callable[[WriteView], None], on_progress: Progress
) -> None:
    on_progress("examine", 0, 1)
    store = Store(scratch)
    try:
        findings = examine_store(store)
        if findings:
            raise DamagedBackupError(url, _EXPECTED, f"{findings[0].where}: {findings[0].message}")
        with store.read() as view:
            found = view.row("SELECT count(*), coalesce(sum(document_count), 0) FROM collection")
            cluster_time = oplog.last_timestamp(view)
        if (*found, cluster_time) != (manifest.collections, manifest.documents, manifest.cluster_time):
            raise DamagedBackupError(url, _EXPECTED, "its counts are not those of the manifest")
        store.write(adapt, durable=True)
    finally:
        store.close()
    on_progress("examine", 1, 1)


def _remove_what_we_made(directory: Path) -> None:
    for file in ("writer.lock", "writer.turn"):
        (directory / file).unlink(missing_ok=True)
    try:
        directory.rmdir()
    except OSError:
        pass  # somebody else has put something there meanwhile
