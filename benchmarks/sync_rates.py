"""How many documents a second travel between an edge and its hub, both real nodes in processes of their own.

A *live* rate counts from the first write on one side to the last document on the other, so the writing itself is in it. A
*backlog* rate is that of an edge which comes back: it counts from the first document that arrives to the last one, so the wait
for the next attempt to connect is not in it.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.processes import connect, free_port, skerry_server
from benchmarks.workload import BATCH_DOCUMENTS, document

DATABASE: Final = "bench"
LATENCY_DOCUMENTS: Final = 30
ARRIVAL_SECONDS_MAX: Final = 180
LINK_SECONDS_MAX: Final = 60
POLL_SECONDS: Final = 0.02


def measure_sync_rates(documents: int) -> dict[str, Any]:
    """Measure both directions.

    Returns `edge_to_hub_live`, `hub_to_edge_live`, `edge_to_hub_backlog`, `hub_to_edge_backlog` in documents a second and
    `edge_to_hub_latency_ms`, `hub_to_edge_latency_ms` of single documents (medians).
    """
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as directory:
        return {"documents": documents, **_live_rates(Path(directory) / "live", documents)} | {
            **_edge_backlog(Path(directory) / "edge-backlog", documents),
            **_hub_backlog(Path(directory) / "hub-backlog", documents),
        }


def _live_rates(directory: Path, documents: int) -> dict[str, float]:
    with (
        skerry_server(directory / "hub") as hub,
        _edge(directory / "edge", hub.uri) as edge_uri,
        connect(hub.uri) as hub_client,
        connect(edge_uri) as edge_client,
    ):
        hub_db, edge_db = hub_client[DATABASE], edge_client[DATABASE]
        await_link(edge_db, hub_db)
        return {
            "edge_to_hub_live": _live_rate(edge_db["up"], hub_db["up"], documents),
            "hub_to_edge_live": _live_rate(hub_db["down"], edge_db["down"], documents),
            "edge_to_hub_latency_ms": _latency_ms(edge_db["ping"], hub_db["ping"]),
            "hub_to_edge_latency_ms": _latency_ms(hub_db["pong"], edge_db["pong"]),
        }


def _edge_backlog(directory: Path, documents: int) -> dict[str, float]:
    """The edge writes while its hub is away, which then comes back."""
    port = free_port()
    hub_uri = f"mongodb://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        edge_uri = stack.enter_context(_edge(directory / "edge", hub_uri))
        edge = stack.enter_context(connect(edge_uri))
        with skerry_server(directory / "hub", port=port) as hub, connect(hub.uri) as client:
            await_link(edge[DATABASE], client[DATABASE])
        _load(edge[DATABASE]["up"], documents)
        hub_again = stack.enter_context(skerry_server(directory / "hub", port=port))
        client_again = stack.enter_context(connect(hub_again.uri))
        return {"edge_to_hub_backlog": arrival_rate(client_again[DATABASE]["up"], documents)}


def _hub_backlog(directory: Path, documents: int) -> dict[str, float]:
    """The edge is stopped while the hub is written to, and starts again."""
    with skerry_server(directory / "hub") as hub, connect(hub.uri) as hub_client:
        with _edge(directory / "edge", hub.uri) as edge_uri, connect(edge_uri) as edge_client:
            await_link(edge_client[DATABASE], hub_client[DATABASE])
        _load(hub_client[DATABASE]["down"], documents)
        with _edge(directory / "edge", hub.uri) as edge_uri, connect(edge_uri) as edge_client:
            return {"hub_to_edge_backlog": arrival_rate(edge_client[DATABASE]["down"], documents)}


@contextlib.contextmanager
def _edge(data: Path, hub_uri: str) -> Iterator[str]:
    with skerry_server(data, "--hub", hub_uri, "--sync", f"{DATABASE}.*=both") as server:
        yield server.uri


def await_link(edge_db: Any, hub_db: Any, name: str = "edge") -> None:
    """Wait until a document has gone up and another has come down; `name` tells the edges of a hub apart."""
    up, down = f"from {name}", f"to {name}"
    edge_db["link"].insert_one({"_id": up})
    hub_db["link"].insert_one({"_id": down})
    wait_until(lambda: hub_db["link"].find_one(up) and edge_db["link"].find_one(down), LINK_SECONDS_MAX)


def _load(collection: Any, documents: int) -> None:
    for start in range(0, documents, BATCH_DOCUMENTS):
        end = min(start + BATCH_DOCUMENTS, documents)
        collection.insert_many([document(number) for number in range(start, end)])


def _live_rate(source: Any, target: Any, documents: int) -> float:
    start = time.perf_counter()
    _load(source, documents)
    wait_until(lambda: target.estimated_document_count() >= documents, ARRIVAL_SECONDS_MAX)
    return round(documents / (time.perf_counter() - start), 1)


def arrival_rate(target: Any, documents: int, *, seconds_max: float = ARRIVAL_SECONDS_MAX) -> float:
    """Return documents a second from the first that is seen in `target` until there are `documents`."""
    wait_until(lambda: target.estimated_document_count() > 0, LINK_SECONDS_MAX)
    start, first = time.perf_counter(), target.estimated_document_count()
    wait_until(lambda: target.estimated_document_count() >= documents, seconds_max)
    seconds = time.perf_counter() - start
    # With few documents all of them may have arrived at the first look: then there is no rate to tell.
    return round((documents - first) / seconds, 1) if documents > first else 0.0


def _latency_ms(source: Any, target: Any) -> float:
    latencies = []
    for number in range(LATENCY_DOCUMENTS):
        start = time.perf_counter()
        source.insert_one(document(number))
        wait_until(lambda key=number: target.find_one(key), LINK_SECONDS_MAX, poll_seconds=0.001)  # type: ignore[misc]
        latencies.append((time.perf_counter() - start) * 1000)
    return round(median(latencies), 1)


def wait_until(is_done: Callable[[], Any], seconds_max: float, *, poll_seconds: float = POLL_SECONDS) -> None:
    """Return once `is_done`. Raises TimeoutError."""
    deadline = time.monotonic() + seconds_max
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the documents did not arrive within {seconds_max:g} s")
        time.sleep(poll_seconds)
