"""When a client gives back what it stands on: once it is closed, and at the latest when it is forgotten or the program ends.

A client that is forgotten is finalised by the garbage collector, which runs wherever objects are made: also inside a lock that
closing an engine needs, or in a thread that closing waits for. So it only leaves word, and a thread of its own does the rest.
"""

import atexit
import logging
import os
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Final

LOG: Final = logging.getLogger("skerry")


class ClientRelease:
    """Does `work` once: when it is called, or some time after the client was forgotten, or at the end of the program."""

    def __init__(self, client: object, work: Callable[[], object]) -> None:
        """`work` must not refer to the client; its errors are logged where nobody called."""
        self._finalizer = weakref.finalize(client, _forgotten, self)
        self._finalizer.atexit = False
        _WAITING[self] = work
        _CLOSER.start()

    def __call__(self) -> None:
        """Do the work now, unless it has been done. Raises what it raises."""
        self._finalizer.detach()
        work = _WAITING.pop(self, None)
        if work is not None:
            work()


class _Closer:
    """The thread that does the work of forgotten clients; one for each process, once there is a client."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """In a forked child, where the thread is not and the locks may be held for ever."""
        self.queue: queue.SimpleQueue[ClientRelease | None] = (
            queue.SimpleQueue()
        )  # may be put to in the midst of anything
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="skerry-release", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Return when what was asked for so far is done."""
        with self._lock:
            if self._thread is not None:
                self.queue.put(None)
                self._thread.join()
                self._thread = None

    def _run(self) -> None:
        while (release := self.queue.get()) is not None:
            _release_logged(release)


_WAITING: Final[dict[ClientRelease, Callable[[], object]]] = {}
_CLOSER: Final = _Closer()


def _forgotten(release: ClientRelease) -> None:
    _CLOSER.queue.put(release)


def _release_logged(release: ClientRelease) -> None:
    try:
        release()
    except Exception:
        LOG.exception("a client that was not closed could not give back its database")


def _release_all() -> None:
    _CLOSER.stop()
    for release in list(_WAITING):
        _release_logged(release)


atexit.register(_release_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_CLOSER.start_anew)
