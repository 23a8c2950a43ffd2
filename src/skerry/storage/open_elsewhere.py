"""Which processes have a database open, by the lock that SQLite keeps on the log's index for as long as it is open.

The file is not touched: a process that opens and closes it would lose its own locks. Only Linux lists locks.
"""

from pathlib import Path
from typing import Final

from skerry.storage.store import DATABASE_FILE

LOCKS: Final = Path("/proc/locks")
_OPEN_BYTE: Final = "128"  # UNIX_SHM_DMS in SQLite's os_unix.c


def processes_on(directory: Path, locks: Path = LOCKS) -> list[int] | None:
    """Return the ids of the processes on this machine that have the database open, None where that cannot be told."""
    shared_memory = directory / f"{DATABASE_FILE}-shm"
    try:
        listed = locks.read_text("ascii").splitlines()
        inode = str(shared_memory.stat().st_ino)
    except FileNotFoundError:
        return [] if locks.exists() else None
    except OSError:
        return None
    found = set()
    for line in listed:  # 7: POSIX  ADVISORY  READ 4711 00:2f:1234 128 128
        words = line.split()
        if words[1:2] == ["POSIX"] and words[5].rpartition(":")[2] == inode and words[6] == _OPEN_BYTE:
            found.add(int(words[4]))
    return sorted(found)
