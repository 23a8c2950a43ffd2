"""Named steps of push and pull at which an edge process kills itself, as a power cut or `kill -9` would."""

import itertools
import os
import signal
from collections.abc import Callable
from typing import Any, Final

from skerry.sync import push_worker
from skerry.sync.change_applier import ChangeApplier
from skerry.sync.change_stream_listener import ChangeStreamListener
from skerry.sync.full_sync import FullSync
from skerry.sync.local_documents import LocalDocuments
from skerry.sync.push_worker import PushWorker

POINTS: Final[dict[str, tuple[Any, str, str]]] = {
    "push: before it is marked": (PushWorker, "_prepare", "before"),
    "push: being marked": (PushWorker, "_prepare", "after"),
    "push: marked, not sent": (PushWorker, "_send", "before"),
    "push: sent, not committed": (push_worker, "write_batch", "after"),
    "push: committed, not heard of": (push_worker, "commit", "after"),
    "push: acknowledged": (PushWorker, "_send", "after"),
    "pull: fetched": (ChangeApplier, "apply", "before"),
    "pull: looked up": (ChangeApplier, "_look_up", "after"),
    "pull: being applied": (LocalDocuments, "finish", "after"),
    "pull: applied": (ChangeApplier, "apply", "after"),
    "pull: next": (ChangeStreamListener, "next_batch", "after"),
    "copy: read": (FullSync, "_read_hub", "after"),
    "copy: being applied": (FullSync, "_chunk", "after"),
}
"""Whose attribute is called, and whether the process dies before or after the call."""


def arm(point: str, times: int) -> None:
    """Have this process killed the `times`-th time that it comes to a point."""
    owner, name, when = POINTS[point]
    original: Callable[..., Any] = getattr(owner, name)
    calls = itertools.count(1)  # several threads push

    def dies(*args: Any, **kwargs: Any) -> Any:
        is_the_one = next(calls) == times
        if is_the_one and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if is_the_one:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dies)
