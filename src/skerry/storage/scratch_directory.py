"""Directories for work in progress beside the data, told apart from what a killed program left behind.

The user of a scratch directory holds a file lock in it, which the system takes away when the process ends, however it ends.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from skerry.storage.folders import is_locked

PREFIX: Final = ".skerry-scratch-"
_LOCK: Final = "in-use"


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """Make an empty directory in `parent` and remove it with all that is in it at the end of the block."""
    directory = parent / f"{PREFIX}{secrets.token_hex(6)}"
    directory.mkdir(mode=0o700)
    descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(descriptor)


def abandoned(parent: Path) -> list[Path]:
    """Return the scratch directories in `parent` whose users are gone, by name."""
    return [path for path in sorted(parent.glob(f"{PREFIX}*")) if path.is_dir() and not is_locked(path / _LOCK)]


def remove_abandoned(directory: Path) -> bool:
    """Remove a scratch directory unless somebody uses it; return whether it was removed."""
    if is_locked(directory / _LOCK):
        return False
    shutil.rmtree(directory, ignore_errors=True)
    return True
