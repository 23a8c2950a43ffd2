"""What folders of files need of the operating system: names that are on disk, and files that say whether they are in use."""

import fcntl
import os
from pathlib import Path


def fsync_path(path: Path) -> None:
    """Return when the file, or the names in the directory, are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the exclusive lock of a file; one that cannot be opened, or is gone, is nobody's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
