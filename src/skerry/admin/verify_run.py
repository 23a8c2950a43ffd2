"""A comparison of both sides in the background, one at a time, with progress; the last one's outcome stays to be seen."""

import logging
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from pymongo.errors import PyMongoError

from skerry.admin.bson_json import as_json
from skerry.errors import SkerryError
from skerry.sync.replicator import Replicator
from skerry.sync.verify import verify
from skerry.values.namespace import Namespace

LOG: Final = logging.getLogger("skerry.admin")

SHOWN_MAX: Final = 1_000  # differences kept one by one; all are counted


@dataclass(slots=True)
class VerifyProgress:
    """`state` is idle, running, done, cancelled or failed; times are milliseconds since 1970."""

    state: str = "idle"
    started_ms: int | None = None
    ended_ms: int | None = None
    collections: int = 0
    collections_done: int = 0
    collection: str | None = None
    differences: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    shown: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    last: dict[str, dict[str, int]] = field(default_factory=dict)
    """By collection, when it was last compared to its end, and how many documents differed; kept from run to run."""


class VerifyRuns:
    """Runs one comparison after the other. Any thread may ask."""

    def __init__(self) -> None:
        self._progress = VerifyProgress()
        self._last_differences: int | None = None
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def last_differences(self) -> int | None:
        """How many documents the last complete comparison found different."""
        return self._last_differences

    def start(self, replicator: Replicator, only: list[Namespace] | None = None) -> bool:
        """Begin to compare all collections that travel, or `only` these; false when a comparison is running."""
        with self._lock:
            if self._progress.state == "running":
                return False
            self._progress = VerifyProgress("running", started_ms=_now_ms(), last=self._progress.last)
            self._cancelled.clear()
            self._thread = threading.Thread(
                target=self._run, args=(replicator, only), name="skerry-verify", daemon=True
            )
            self._thread.start()
            return True

    def cancel(self) -> bool:
        """End the comparison at the next document; false when none is running."""
        self._cancelled.set()
        return self._progress.state == "running"

    def stop(self) -> None:
        """Cancel, and wait for the thread a moment: it may be waiting for the hub."""
        self._cancelled.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def progress(self) -> dict[str, Any]:
        with self._lock:
            return asdict(self._progress)

    def _run(self, replicator: Replicator, only: list[Namespace] | None) -> None:
        state, error = "failed", None
        try:
            state = self._compare(replicator, replicator.namespaces() if only is None else only)
        except PyMongoError as failure:
            error = f"the hub did not answer: {type(failure).__name__}"
        except SkerryError as failure:
            error = str(failure)
        except Exception as failure:
            LOG.exception("comparing failed")
            error = type(failure).__name__
        with self._lock:
            self._progress.state, self._progress.error = state, error
            self._progress.ended_ms, self._progress.collection = _now_ms(), None
            if state == "done":
                self._last_differences = self._progress.differences

    def _compare(self, replicator: Replicator, namespaces: list[Namespace]) -> str:
        progress = self._progress
        progress.collections = len(namespaces)
        for namespace in namespaces:
            progress.collection = str(namespace)
            before = progress.differences
            for difference in verify(replicator.link, namespace):
                with self._lock:
                    progress.differences += 1
                    progress.by_kind[difference.kind] = progress.by_kind.get(difference.kind, 0) + 1
                    if len(progress.shown) < SHOWN_MAX:
                        shown = {"namespace": str(namespace), "id": as_json(difference.id), "kind": difference.kind}
                        progress.shown.append(shown)
                if self._cancelled.is_set():
                    return "cancelled"
            if self._cancelled.is_set():
                return "cancelled"
            with self._lock:
                progress.collections_done += 1
                progress.last[str(namespace)] = {"at_ms": _now_ms(), "differences": progress.differences - before}
        return "done"


def _now_ms() -> int:
    return int(time.time() * 1000)
