"""What coordination costs: operations a second of processes that take turns, one operation alone, and a large catalogue.

Every operation reads a document and writes it back plus one, under a lease and in a transaction; it is acknowledged when it is
on disk. Run as `python -m benchmarks.coordination DIRECTORY OPERATIONS`, this is one of the processes.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import IO, Any, Final

PROCESSES: Final = (1, 2, 4)
OPERATIONS: Final = 400
SAMPLES: Final = 300
COLLECTIONS: Final = 10_000
OPENINGS: Final = 5
DATABASE: Final = "bench"


def measure_coordination(_documents: int) -> dict[str, Any]:
    """Measure on one directory for all processes.

    Returns `operations_per_second_N` for each number of processes, `overhead_ms` of an uncontended operation over a plain
    update (medians), and `open_catalogue_seconds` until a new process has listed `collections` collections (a median too).
    """
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as directory:
        rates = {
            f"operations_per_second_{number}": round(_rate(Path(directory) / str(number), number), 1)
            for number in PROCESSES
        }
        return {
            **rates,
            "overhead_ms": round(_overhead_ms(Path(directory) / "alone"), 3),
            "collections": COLLECTIONS,
            "open_catalogue_seconds": round(_seconds_to_open(Path(directory) / "catalogue"), 3),
        }


def main(arguments: Sequence[str]) -> None:
    """Be one of the processes: say that it is ready, wait for a line, do the operations."""
    directory, operations = arguments
    coordinator = _coordinator(Path(directory))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(int(operations)):
        coordinator.coordinate("increment", _increment)
    coordinator.collection.database.client.close()


def _rate(directory: Path, processes: int) -> float:
    operations = OPERATIONS // processes
    command = [sys.executable, "-m", "benchmarks.coordination", str(directory), str(operations)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for process in running:
        _pipe(process.stdout).readline()
    start = time.perf_counter()
    for process in running:
        _pipe(process.stdin).write("\n")
        _pipe(process.stdin).flush()
    for process in running:
        process.communicate()
    seconds = time.perf_counter() - start
    counted = _coordinator(directory).collection.find_one({"_id": 1})["n"]
    if counted != operations * processes:
        raise RuntimeError(f"{operations * processes - counted} increments were lost")
    return operations * processes / seconds


def _overhead_ms(directory: Path) -> float:
    coordinator = _coordinator(directory)
    collection = coordinator.collection
    plain, coordinated = [], []
    for _ in range(SAMPLES):  # in turn, so that whatever else the machine does meets both
        plain.append(_milliseconds(lambda: collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)))
        coordinated.append(_milliseconds(lambda: coordinator.coordinate("update", _update)))
    collection.database.client.close()
    return median(coordinated) - median(plain)


def _seconds_to_open(directory: Path) -> float:
    _make_collections(directory)
    script = (
        "import sys, time; start = time.perf_counter(); import skerry;"
        f" client = skerry.connect(sys.argv[1]); index = skerry.MasterIndex(client[{DATABASE!r}]);"
        " print(len(index.get_collections()), time.perf_counter() - start)"
    )
    measured = []
    for _ in range(OPENINGS):
        command = [sys.executable, "-c", script, str(directory)]
        outcome = subprocess.run(command, capture_output=True, text=True, check=True)
        count, seconds = outcome.stdout.split()
        if int(count) != COLLECTIONS:
            raise RuntimeError(f"{count} of {COLLECTIONS} collections were listed")
        measured.append(float(seconds))
    return median(measured)


def _make_collections(directory: Path) -> None:
    """Write the rows of a catalogue at once; one `create` after the other would take minutes, each its own commit."""
    import bson

    from skerry.config import EngineConfig
    from skerry.engine.storage_engine import StorageEngine, WriteView

    def job(view: WriteView) -> None:
        for number in range(1, COLLECTIONS + 1):
            row = (number, DATABASE, f"c{number}", number.to_bytes(16), bson.encode({}), 0, 0, "0-a")
            view.run(
                "INSERT INTO collection (file_id, db, name, uuid, options, created, last_modified, modification_token)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            view.create_records(number)

    engine = StorageEngine(directory, EngineConfig())
    engine.store.write(job, durable=True)
    engine.close()


def _coordinator(directory: Path) -> Any:
    import skerry

    return skerry.CollectionCoordinator(skerry.connect(directory)[DATABASE]["counters"])


def _increment(operation: Any) -> None:
    found = operation.collection.find_one({"_id": 1}, session=operation.session) or {"n": 0}
    operation.collection.replace_one(
        {"_id": 1}, {"_id": 1, "n": found["n"] + 1}, upsert=True, session=operation.session
    )


def _update(operation: Any) -> None:
    operation.collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True, session=operation.session)


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


if __name__ == "__main__":
    main(sys.argv[1:])
