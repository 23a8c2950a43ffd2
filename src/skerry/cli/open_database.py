"""Opens a database for a command that changes what is kept beside the documents: its users and its tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from skerry.errors import NotADatabaseError

if TYPE_CHECKING:
    from skerry.engine.engine import Engine

DATABASE_FILE: Final = "skerry.db"


@contextmanager
def opened(data: Path) -> "Iterator[Engine]":
    """Give the engine of a database that is there. Raises `NotADatabaseError` where there is none."""
    if not (data / DATABASE_FILE).is_file():
        raise NotADatabaseError(f"There is no database in {data}", str(data))
    from skerry.engine.engine import Engine  # here, because it imports the whole engine

    engine = Engine(data)
    try:
        yield engine
    finally:
        engine.close()
