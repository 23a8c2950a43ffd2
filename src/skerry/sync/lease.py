"""One worker a link: a lease in the store, so that of several processes on a directory one keeps the link and others stand by."""

import os
import socket
import time
import uuid
from typing import Final

from bson.int64 import Int64

from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.link import Link

LEASE_MS: Final = 15_000
_HOST: Final = socket.gethostname()


class Lease:
    """The right to run a link; renewed by `take`, which is cheap while it is far from expiring."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._owner = uuid.uuid4().hex
        self._renew_at = 0.0
        self._is_held = False

    def take(self) -> bool:
        """Take or renew the lease; false while another process holds it, and once after another one may have held it.

        The latter happens to a process that was frozen for longer than its lease: what it knows of the link may be old.
        """
        now = time.monotonic()
        if now < self._renew_at:
            return True

        def job(view: WriteView) -> bool:
            held = link_records.load(view, self._link.name, link_records.LEASE)
            if held is not None and held["owner"] != self._owner and held["until"] > view.wall_ms and _is_alive(held):
                return False
            if self._is_held and (held is None or held["owner"] != self._owner):
                return False
            lease = {"owner": self._owner, "until": Int64(view.wall_ms + LEASE_MS), "host": _HOST, "pid": os.getpid()}
            link_records.save(view, self._link.name, link_records.LEASE, lease)
            return True

        taken = self._is_held = self._link.write(job)
        self._renew_at = now + LEASE_MS / 3000 if taken else 0.0
        return taken

    def release(self) -> None:
        """Let another process take over at once; does nothing when the lease is not ours."""

        def job(view: WriteView) -> None:
            held = link_records.load(view, self._link.name, link_records.LEASE)
            if held is not None and held["owner"] == self._owner:
                link_records.remove(view, self._link.name, link_records.LEASE)

        self._renew_at = 0.0
        self._is_held = False
        self._link.write(job)


def runner_of(view: ReadView, link: str) -> str | None:
    """Return in words which process runs a link, None when none does; one that has paused it does not."""
    held = link_records.load(view, link, link_records.LEASE)
    if held is None or held["until"] <= time.time() * 1000 or not _is_alive(held):
        return None
    return f"process {held['pid']} on {held['host']}"


def _is_alive(held: dict[str, object]) -> bool:
    """Whether the holder may still be running; one on this machine that is gone need not be waited for."""
    if held["host"] != _HOST or not isinstance(held["pid"], int):
        return True
    try:
        os.kill(held["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
