"""The process of one subject: does the rows and prints one line of JSON for each, as soon as it is done.

Run as `python -m benchmarks.measure SUBJECT DOCUMENTS OPERATIONS ROW_SECONDS ROW,ROW,…`, by the interpreter that has the subject.
Only the standard library and pymongo may be imported here, because the peers' environment has nothing else of ours.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import bytes_on_disk, peak_memory_bytes
from benchmarks.subjects import SUBJECTS
from benchmarks.workload import ROWS, Progress, Scale, Stopwatch, Store


def main(arguments: Sequence[str]) -> None:
    """Measure one subject in a fresh directory."""
    name, documents, operations, row_seconds, rows = arguments
    scale = Scale(int(documents), int(operations), float(row_seconds))
    with (
        tempfile.TemporaryDirectory(prefix="skerry-bench-") as directory,
        SUBJECTS[name].open(Path(directory)) as opened,
    ):
        progress = Progress(scale)
        for row in rows.split(","):
            outcome = run_row(row, opened.store, progress)
            if row == "insert_many":
                outcome["bytes_on_disk"] = bytes_on_disk(Path(directory))
            tell({"row": row, **outcome})
        tell({"peak_memory_bytes": peak_memory_bytes(opened.server_pid)})


def run_row(row: str, store: Store, progress: Progress) -> dict[str, Any]:
    """Run one row; what a subject cannot do becomes `failed`, what it does wrong becomes `wrong`."""
    watch = Stopwatch(progress.scale.row_seconds_max)
    try:
        ROWS[row].run(store, progress, watch)
    except Exception as error:  # whatever a peer raises, the other rows are still wanted
        return {"failed": f"{type(error).__name__}: {str(error)[:200]}"}
    rate = watch.count / watch.seconds if watch.seconds else 0.0
    outcome: dict[str, Any] = {"rate": round(rate, 1), "count": watch.count, "seconds": round(watch.seconds, 4)}
    if watch.wrong:
        outcome["wrong"] = watch.wrong
    if row == "insert_many" and progress.inserted < progress.scale.documents:
        outcome["ended_early"] = True
    return outcome


def tell(message: dict[str, Any]) -> None:
    """Print a message for the process that started this one."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
