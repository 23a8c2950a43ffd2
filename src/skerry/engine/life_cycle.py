"""How a database comes into being and is opened: created once, opened when it is there, never one in place of the other.

A directory is a database from the moment its file carries the schema, which is one transaction: a program that is killed before
leaves a directory in which the next attempt begins anew. Collections come and go in one transaction each (`schema_changes`).
"""

from pathlib import Path

from skerry.config.engine_config import EngineConfig
from skerry.engine.engine import Engine
from skerry.errors import DatabaseExistsError, DatabaseNotFoundError
from skerry.storage.migrations import has_schema
from skerry.storage.store import DATABASE_FILE


def create_database(directory: Path, config: EngineConfig | None = None) -> Engine:
    """Make a database in `directory` and open it. Raises `DatabaseExistsError` when there is one, which is left untouched."""
    require_no_database(directory)
    return Engine(directory, config)


def open_database(directory: Path, config: EngineConfig | None = None) -> Engine:
    """Open the database in `directory`. Raises `DatabaseNotFoundError`, and what opening an `Engine` raises."""
    require_database(directory)
    return Engine(directory, config)


def require_no_database(directory: Path) -> None:
    """Raise `DatabaseExistsError` when there is a database in `directory`."""
    if has_database(directory):
        raise DatabaseExistsError(f"{directory} has a database already: open or restore it", str(directory))


def require_database(directory: Path) -> None:
    """Raise `DatabaseNotFoundError` when there is no database in `directory`."""
    if not has_database(directory):
        raise DatabaseNotFoundError(f"there is no database in {directory}", str(directory))


def has_database(directory: Path) -> bool:
    """Whether `directory` has a database, or something in the place of one; the remains of an interrupted making are none."""
    file = directory / DATABASE_FILE
    return file.exists() and has_schema(str(file))
