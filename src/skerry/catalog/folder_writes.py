"""Writes a file of a local folder so that it is there whole or not at all, also after power loss.

The content goes to a temporary name beside the file and to disk; then the name is changed, and the folder goes to disk. The
writer holds a file lock on the temporary file, which tells what a killed program left from what is being written.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from skerry.storage.folders import fsync_path, is_locked

SUFFIX: Final = ".skerry-unfinished"


def write_atomically(target: Path, chunks: Iterable[bytes]) -> None:
    """Make `target` hold the chunks, in place of whatever it was; folders are made as needed. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in abandoned_temporary_files(target.parent, target.name):
        leftover.unlink(missing_ok=True)
    temporary = target.parent / f".{target.name}.{secrets.token_hex(6)}{SUFFIX}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for chunk in chunks:
            _write_all(descriptor, chunk)
        os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    fsync_path(target.parent)


def abandoned_temporary_files(folder: Path, name: str = "*") -> list[Path]:
    """Return the unfinished files (for the file `name`) whose writers are gone, by name."""
    return [path for path in sorted(folder.glob(f".{name}.*{SUFFIX}")) if not is_locked(path)]


def delete_durably(target: Path) -> None:
    """Remove a file and have that on disk. Raises OSError."""
    target.unlink()
    fsync_path(target.parent)


def _write_all(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
