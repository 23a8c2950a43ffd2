"""What `doctor` finds around the documents rather than in them: how much room there is, and who else is there."""

import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from skerry.storage.open_elsewhere import processes_on

DISK_BYTES_MIN: Final = 512 * 1024 * 1024
"""Below this an hour of work can fill the disk."""
_MEGABYTE: Final = 1024 * 1024


class Level(StrEnum):
    """How a check ended. A warning is to be looked at; with an error something does not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what was found, and what to do; `advice` is "" where nothing is."""

    check: str
    level: Level
    message: str
    advice: str = ""


def check_circumstances(directory: Path) -> list[Check]:
    """Look at the disk and at the other processes on a data directory."""
    size = sum(file.stat().st_size for file in directory.glob("skerry.db*"))
    return [check_room(shutil.disk_usage(directory).free, size), _check_processes(directory)]


def check_room(free: int, size: int) -> Check:
    """Judge how much is left on the disk beside a database of `size` bytes."""
    message = f"{free // _MEGABYTE} MB are left on the disk, the database has {size // _MEGABYTE} MB"
    if free < DISK_BYTES_MIN:
        advice = (
            "make room; skerry compact gives back what deleted documents have left, dirty_bytes_max bounds what waits"
        )
        return Check("disk", Level.WARNING, message, advice)
    if free < size:
        advice = "make room, or a larger disk: skerry compact and restore need as much again as the database has"
        return Check("disk", Level.WARNING, message, advice)
    return Check("disk", Level.OK, message)


def _check_processes(directory: Path) -> Check:
    processes = processes_on(directory)
    if processes is None:
        return Check("processes", Level.OK, "this system does not tell which processes have the database open")
    if not processes:
        return Check("processes", Level.OK, "no other process has the database open")
    named = ", ".join(map(str, processes))
    return Check("processes", Level.OK, f"open in process {named}; stop it before a restore or a move of the directory")
