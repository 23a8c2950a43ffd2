"""A database from its making to its recovery, for programs: `skerry.create_database` and what belongs to it.

`path` is always the data directory; `url` a file of any storage that `catalog.file_service` reaches: a path, `memory://…`,
`s3://bucket/key`.
"""

import os
from pathlib import Path
from typing import Any

from pymongo import MongoClient

import skerry
from skerry.config import EngineConfig
from skerry.engine import backup as online_backup
from skerry.engine import index_backup
from skerry.engine import restore as putting_in_place
from skerry.engine.backup import BackupReport
from skerry.engine.index_backup import Recovered
from skerry.engine.life_cycle import require_database, require_no_database
from skerry.engine.restore import RestoreReport
from skerry.local_client.open_engines import open_engine, release_engine
from skerry.sync.origin import note_copied

Directory = str | os.PathLike[str]


def create_database(path: Directory, *, config: EngineConfig | None = None, **options: Any) -> MongoClient[Any]:
    """Make a database and return a client of it, as `skerry.connect` does. Raises `DatabaseExistsError`."""
    require_no_database(Path(path))
    return skerry.connect(path, config=config, **options)


def open_database(path: Directory, *, config: EngineConfig | None = None, **options: Any) -> MongoClient[Any]:
    """Return a client of a database that is there, as `skerry.connect` does. Raises `DatabaseNotFoundError`."""
    require_database(Path(path))
    return skerry.connect(path, create=False, config=config, **options)


def backup_index(path: Directory, url: str) -> int:
    """Write the master index as a JSON document to `url`; return how many collections it has. Raises `FileServiceError`."""
    require_database(Path(path))
    engine = open_engine(path)
    try:
        return index_backup.backup_index(engine.storage, url)
    finally:
        release_engine(engine)


def recover(path: Directory, url: str) -> list[Recovered]:
    """Bring back the collections that the index document at `url` names, in one transaction; documents are never touched.

    Raises `FileServiceError`, an error of its own for each way in which the document is malformed, and `DuplicateKeyError`.
    """
    engine = open_engine(path)
    try:
        return index_backup.recover(engine.storage, url)
    finally:
        release_engine(engine)


def backup(path: Directory, url: str) -> BackupReport:
    """Copy the whole database to `url` while everybody goes on using it, and verify the copy. Raises `FileServiceError`."""
    return online_backup.back_up(Path(path), url)


def restore(url: str, path: Directory, *, overwrite: bool = False) -> RestoreReport:
    """Put the backup at `url` in place as the database of `path`; a link to a hub then takes a new name and compares.

    Raises `DatabaseExistsError` unless `overwrite`, `DatabaseInUseError`, `FileServiceError`, `DamagedBackupError`.
    """
    return putting_in_place.restore(url, Path(path), overwrite=overwrite, adapt=note_copied)
