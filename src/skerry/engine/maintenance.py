"""What the engine does by itself while open: time limits, expiry, trimming, checkpoints. One thread, one task at a time."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Task:
    """Something to run every `interval_seconds`; a failure is reported and the task tried again next time."""

    name: str
    interval_seconds: float
    run: Callable[[], object]
    due: float = 0.0


class Maintenance:
    """Runs tasks in turn until closed. `on_error` is told of a task that failed."""

    def __init__(self, tasks: Sequence[Task], on_error: Callable[[str, Exception], None]) -> None:
        self._tasks = tasks
        self._on_error = on_error
        self._stop = threading.Event()
        now = time.monotonic()
        for task in tasks:
            task.due = now + task.interval_seconds
        self._thread = threading.Thread(target=self._loop, name="skerry-maintenance", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the running task, then end."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _loop(self) -> None:
        while not self._stop.wait(max(0.0, min(task.due for task in self._tasks) - time.monotonic())):
            for task in self._tasks:
                if task.due <= time.monotonic() and not self._stop.is_set():
                    self._run(task)

    def _run(self, task: Task) -> None:
        try:
            task.run()
        except Exception as error:
            self._on_error(task.name, error)
        task.due = time.monotonic() + task.interval_seconds
