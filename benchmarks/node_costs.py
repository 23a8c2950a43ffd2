"""What a node costs before it does anything: time to the first answer, memory, and bytes on disk after a clean end."""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.processes import bytes_on_disk, connect, peak_memory_bytes, skerry_server
from benchmarks.stores import CollectionStore
from benchmarks.subjects import durable
from benchmarks.workload import BATCH_DOCUMENTS, document

STARTS: Final = 5


def measure_node_costs(documents: int) -> dict[str, Any]:
    """Start servers on an empty and on a loaded directory.

    Returns the medians `start_empty_seconds` and `start_loaded_seconds` from the start of the process to its first answer,
    `idle_memory_bytes`, and `bytes_on_disk` of `documents` documents with two indexes after a clean end.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as directory:
        empty = [_seconds_to_first_answer(Path(directory) / str(number)) for number in range(STARTS)]
        data = Path(directory) / "loaded"
        with skerry_server(data) as server, connect(server.uri) as client:
            idle_memory_bytes = peak_memory_bytes(server.pid)
            store = CollectionStore(durable(client))
            for start in range(0, documents, BATCH_DOCUMENTS):
                store.insert_many(
                    [document(number) for number in range(start, min(start + BATCH_DOCUMENTS, documents))]
                )
        size = bytes_on_disk(data)
        loaded = [_seconds_to_first_answer(data) for _ in range(STARTS)]
    return {
        "start_empty_seconds": round(median(empty), 3),
        "start_loaded_seconds": round(median(loaded), 3),
        "idle_memory_bytes": idle_memory_bytes,
        "documents": documents,
        "bytes_on_disk": size,
    }


def _seconds_to_first_answer(data: Path) -> float:
    start = time.perf_counter()
    with skerry_server(data) as server, connect(server.uri):
        return time.perf_counter() - start
