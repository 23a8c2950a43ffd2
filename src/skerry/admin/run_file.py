"""`admin.json` in the data directory: where the node's admin API is, and the token of this run.

Whoever can read the directory can read the database, so the file gives away nothing more; it is readable for its owner only and
gone when the node has stopped. So the command line needs no set-up on the node's own machine.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from skerry.errors import ConfigurationError

NAME: Final = "admin.json"


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a running node says of itself to those on its machine."""

    url: str
    token: str
    pid: int


def write(directory: Path, run: RunFile) -> None:
    """Put the file in place, in one step and with mode 600."""
    path = directory / f"{NAME}.{run.pid}"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(run), file)
    path.replace(directory / NAME)


def read(directory: Path) -> RunFile | None:
    """Return what the node on this directory says, None when there is none. Raises `ConfigurationError` for a damaged file."""
    path = directory / NAME
    try:
        return RunFile(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ConfigurationError(str(path), "", "the run file of a node") from error


def remove(directory: Path, pid: int) -> None:
    """Take the file away, if it is this process's: another may have put its own there since."""
    with contextlib.suppress(OSError, ConfigurationError):
        run = read(directory)
        if run is not None and run.pid == pid:
            (directory / NAME).unlink()
