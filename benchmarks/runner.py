"""Starts the process of each subject, one after the other, and collects what they print."""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.subjects import SUBJECTS
from benchmarks.workload import Scale

ROOT: Final = Path(__file__).parents[1]
SILENCE_SECONDS_MAX: Final = 180  # a row that takes longer ends its subject; the rows before are kept
END_SECONDS_MAX: Final = 10

Outcome = dict[str, Any]


def measure_subject(
    name: str, rows: Sequence[str], scale: Scale, on_row: Callable[[str], None] = lambda _row: None
) -> Outcome:
    """Run a subject in a process of its own.

    Returns `rows` (by row: rate, count, seconds, or what went wrong), `peak_memory_bytes`, and `skipped` with the reason if the
    subject did not run at all. `on_row` is called with the name of each row that is done.
    """
    numbers = [str(scale.documents), str(scale.operations), str(scale.row_seconds_max)]
    command = [SUBJECTS[name].python, "-m", "benchmarks.measure", name, *numbers, ",".join(rows)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that its server can be ended with it
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    errors: list[str] = []
    readers = [
        threading.Thread(target=_read_lines, args=(process, lines), daemon=True),
        threading.Thread(target=_read_errors, args=(process, errors), daemon=True),
    ]
    for reader in readers:
        reader.start()
    outcome: Outcome = {"rows": {}}
    try:
        while (line := lines.get(timeout=SILENCE_SECONDS_MAX)) is not None:
            message = json.loads(line)
            row = message.pop("row", None)
            if row is None:
                outcome.update(message)
            else:
                outcome["rows"][row] = message
                on_row(row)
    except queue.Empty:
        missing = next(row for row in rows if row not in outcome["rows"])
        outcome["rows"][missing] = {"failed": f"no answer within {SILENCE_SECONDS_MAX} s"}
    finally:
        _end(process)
        for reader in readers:
            reader.join()
    if not outcome["rows"]:
        outcome["skipped"] = errors[-1] if errors else f"exit code {process.returncode}"
    return outcome


def _read_lines(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str | None]") -> None:
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _read_errors(process: subprocess.Popen[str], errors: list[str]) -> None:
    assert process.stderr is not None
    with process.stderr as stream:
        errors.extend(line.strip() for line in stream if line.strip())


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and the servers that it started, unless it has ended by itself or is about to."""
    try:
        process.wait(timeout=END_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
