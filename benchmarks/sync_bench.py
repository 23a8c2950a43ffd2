"""What the link costs and reaches, each figure beside the plain thing it is made of, measured in the same run.

Documents are of 1 KB, batches of 500. Hub and edges are `skerry serve` processes of their own, but for the capture and the
comparison, which are measured in this process. `python -m benchmarks.sync_bench` prints the figures alone; `--dirty N` adds how
an edge with N documents to push starts again and pushes them.
"""

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any, Final

import typer

from benchmarks.processes import Server, connect, free_port, peak_memory_bytes, skerry_server
from benchmarks.sync_rates import DATABASE, arrival_rate, await_link, wait_until
from benchmarks.workload import document

DOCUMENT_BYTES: Final = 1024
BATCH_DOCUMENTS: Final = 500
CAPTURE_ROUNDS: Final = 40
PUSH_ROUNDS: Final = 5
PING_DOCUMENTS: Final = 60
IDLE_SECONDS: Final = 5
MEGABYTE: Final = 1_000_000


def measure_sync_bench(documents: int) -> dict[str, float]:
    """Measure everything but the large backlog.

    Rates are documents a second; `_percent` and `_ms` say what they are; `push_share` is push over plain `bulk_write`.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        directory = Path(name)
        figures = _capture(directory / "capture")
        figures |= _push_and_plain(directory, documents)
        figures |= _pull(directory / "pull", documents)
        figures |= _initial_and_verify(directory / "initial", documents)
        figures |= _two_edges(directory / "edges")
    return figures


def measure_dirty(documents: int) -> dict[str, float]:
    """An edge writes `documents` documents without a hub, is started again, and pushes them all to a hub that has come.

    Returns `dirty_documents`, `dirty_push` (documents a second), `dirty_start_seconds` and `dirty_memory_mb`, the edge's peak
    after the restart.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name, contextlib.ExitStack() as stack:
        directory, port = Path(name), free_port()
        with _edge(directory / "edge", f"mongodb://127.0.0.1:{port}") as edge, connect(edge.uri) as client:
            for start in range(0, documents, BATCH_DOCUMENTS):
                numbers = range(start, min(start + BATCH_DOCUMENTS, documents))
                client[DATABASE]["up"].insert_many([document(number) for number in numbers])
        started = time.perf_counter()
        edge = stack.enter_context(_edge(directory / "edge", f"mongodb://127.0.0.1:{port}"))
        seconds = time.perf_counter() - started
        hub = stack.enter_context(skerry_server(directory / "hub", port=port))
        client = stack.enter_context(connect(hub.uri))
        rate = arrival_rate(client[DATABASE]["up"], documents, seconds_max=3600)
        return {
            "dirty_documents": documents,
            "dirty_push": rate,
            "dirty_start_seconds": round(seconds, 2),
            "dirty_memory_mb": round(peak_memory_bytes(edge.pid) / MEGABYTE, 1),
        }


def _large(number: int) -> dict[str, Any]:
    made = document(number)
    return {**made, "padding": "." * (DOCUMENT_BYTES - 300)}


def _load(collection: Any, documents: int) -> None:
    for start in range(0, documents, BATCH_DOCUMENTS):
        numbers = range(start, min(start + BATCH_DOCUMENTS, documents))
        collection.insert_many([_large(number) for number in numbers])


@contextlib.contextmanager
def _edge(data: Path, hub_uri: str) -> Iterator[Server]:
    with skerry_server(data, "--hub", hub_uri, "--sync", f"{DATABASE}.*=both") as server:
        yield server


def _capture(directory: Path) -> dict[str, float]:
    """Write the same to a store with a link and to one without, by turns, and compare the CPU time: others share the machine."""
    import skerry

    _register_link(directory / "linked")
    seconds: dict[str, list[list[float]]] = {"many": [[], []], "one": [[], []]}
    with skerry.connect(directory / "alone") as alone, skerry.connect(directory / "linked") as linked:
        collections = [client[DATABASE]["up"] for client in (alone, linked)]
        for round_number in range(CAPTURE_ROUNDS):
            first = round_number * 600
            batch = [_large(first + number) for number in range(BATCH_DOCUMENTS)]
            ones = [_large(first + BATCH_DOCUMENTS + number) for number in range(40)]
            for index in (0, 1) if round_number % 2 else (1, 0):
                collection = collections[index]
                seconds["many"][index].append(_cpu_seconds(lambda to=collection, made=batch: to.insert_many(made)))  # type: ignore[misc]
                seconds["one"][index].append(
                    _cpu_seconds(lambda to=collection, made=ones: [to.insert_one(each) for each in made])  # type: ignore[misc]
                )
    added = {name: (median(linked) / median(alone) - 1) * 100 for name, (alone, linked) in seconds.items()}
    return {
        "capture_adds_to_insert_many_percent": round(added["many"], 1),
        "capture_adds_to_insert_one_percent": round(added["one"], 1),
    }


def _register_link(directory: Path) -> None:
    """Leave a link in the store, as after `skerry serve --hub`: from then on every program captures."""
    from skerry.config.sync_config import SyncConfig, parse_rule
    from skerry.engine.engine import Engine
    from skerry.sync.replicator import Replicator

    engine = Engine(directory)
    rules = (parse_rule(f"{DATABASE}.*=both"),)
    replicator = Replicator(engine, SyncConfig(hub_uri="mongodb://127.0.0.1:1/", rules=rules))
    replicator.link.register()
    replicator.stop()
    engine.close()


def _cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


def _push_and_plain(directory: Path, documents: int) -> dict[str, float]:
    """Both by turns, several times: a machine is not as fast in one second as in the next."""
    rounds = []
    for number in range(PUSH_ROUNDS):
        plain, push = _hub_alone(directory / f"plain{number}", documents), _push(directory / f"push{number}", documents)
        rounds.append({**plain, **push, "push_share": push["push"] / plain["plain_bulk_write"]})
    return {name: round(median(each[name] for each in rounds), 2) for name in rounds[0]}


def _hub_alone(directory: Path, documents: int) -> dict[str, float]:
    """The baselines: plain `bulk_write` to the hub, and a plain `watch()` that takes what it brings."""
    from pymongo import InsertOne

    with skerry_server(directory) as hub, connect(hub.uri) as client, connect(hub.uri) as watching:
        collection = client[DATABASE]["plain"]
        with watching[DATABASE].watch(batch_size=1000) as stream:
            start = time.perf_counter()
            for first in range(0, documents, BATCH_DOCUMENTS):
                numbers = range(first, min(first + BATCH_DOCUMENTS, documents))
                collection.bulk_write([InsertOne(_large(number)) for number in numbers])
            written = time.perf_counter()
            for _ in range(documents):
                next(stream)
            read = time.perf_counter()
    return {
        "plain_bulk_write": round(documents / (written - start), 1),
        "plain_watch": round(documents / (read - written), 1),
    }


def _push(directory: Path, documents: int) -> dict[str, float]:
    """The edge writes while its hub is away, which then comes back."""
    port = free_port()
    uri = f"mongodb://127.0.0.1:{port}"
    with _edge(directory / "edge", uri) as edge, connect(edge.uri) as client:
        with skerry_server(directory / "hub", port=port) as hub, connect(hub.uri) as there:
            await_link(client[DATABASE], there[DATABASE])
        _load(client[DATABASE]["up"], documents)
        with skerry_server(directory / "hub", port=port) as hub, connect(hub.uri) as there:
            return {"push": arrival_rate(there[DATABASE]["up"], documents)}


def _pull(directory: Path, documents: int) -> dict[str, float]:
    """The edge is away while the hub is written to, and comes back: all of it through the stream."""
    with skerry_server(directory / "hub") as hub, connect(hub.uri) as there:
        with _edge(directory / "edge", hub.uri) as edge, connect(edge.uri) as client:
            await_link(client[DATABASE], there[DATABASE])
        _load(there[DATABASE]["down"], documents)
        with _edge(directory / "edge", hub.uri) as edge, connect(edge.uri) as client:
            return {"pull_apply": arrival_rate(client[DATABASE]["down"], documents)}


def _initial_and_verify(directory: Path, documents: int) -> dict[str, float]:
    """A new edge copies what is there, and both sides are compared."""
    from skerry.config.sync_config import SyncConfig, parse_rule
    from skerry.engine.engine import Engine
    from skerry.sync.replicator import Replicator

    with skerry_server(directory / "hub") as hub, connect(hub.uri) as there:
        _load(there[DATABASE]["down"], documents)
        with _edge(directory / "edge", hub.uri) as edge, connect(edge.uri) as client:
            initial = arrival_rate(client[DATABASE]["down"], documents)
        engine = Engine(directory / "edge")
        replicator = Replicator(engine, SyncConfig(hub_uri=hub.uri, rules=(parse_rule(f"{DATABASE}.*=both"),)))
        start = time.perf_counter()
        differences = sum(1 for _ in replicator.verify())
        seconds = time.perf_counter() - start
        replicator.stop()
        engine.close()
    if differences:
        raise ValueError(f"{differences} documents differ after the first copy")
    return {"initial_sync": initial, "verify": round(documents / seconds, 1)}


def _two_edges(directory: Path) -> dict[str, float]:
    """How long a document takes from one edge over the hub to another, and what a link costs when nothing happens."""
    with contextlib.ExitStack() as stack:
        hub = stack.enter_context(skerry_server(directory / "hub"))
        there = stack.enter_context(connect(hub.uri))
        edges = [stack.enter_context(_edge(directory / name, hub.uri)) for name in ("north", "south")]
        north, south = (stack.enter_context(connect(edge.uri))[DATABASE] for edge in edges)
        await_link(north, there[DATABASE])
        await_link(south, there[DATABASE], name="south")
        latencies = _latencies_ms(north["ping"], south["ping"])
        time.sleep(1)
        before = _cpu_ticks(edges[0].pid)
        time.sleep(IDLE_SECONDS)
        idle = (_cpu_ticks(edges[0].pid) - before) / os.sysconf("SC_CLK_TCK") / IDLE_SECONDS
    return {
        "propagation_median_ms": round(median(latencies), 1),
        "propagation_p95_ms": round(quantiles(latencies, n=20)[-1], 1),
        "idle_link_percent": round(idle * 100, 2),
    }


def _latencies_ms(source: Any, target: Any) -> list[float]:
    """Insert one by one; the target's own change stream says when each has arrived."""
    arrived: dict[Any, float] = {}
    is_open = threading.Event()

    def listen() -> None:
        with target.watch() as stream:
            is_open.set()
            while len(arrived) < PING_DOCUMENTS:
                event = next(stream)
                arrived[event["documentKey"]["_id"]] = time.perf_counter()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    is_open.wait()
    sent: list[float] = []
    for number in range(PING_DOCUMENTS):
        sent.append(time.perf_counter())
        source.insert_one(_large(number))
        wait_until(lambda key=number: key in arrived, 60, poll_seconds=0.001)  # type: ignore[misc]
    return [(arrived[number] - start) * 1000 for number, start in enumerate(sent)]


def _cpu_ticks(pid: int) -> int:
    fields = (Path("/proc") / str(pid) / "stat").read_text("ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main(
    documents: Annotated[int, typer.Option(help="Documents of each measurement.")] = 20_000,
    dirty: Annotated[int, typer.Option(help="Also: documents that wait while an edge is started again.")] = 0,
) -> None:
    """Print the figures of the link."""
    figures = measure_sync_bench(documents) | (measure_dirty(dirty) if dirty else {})
    _print(figures, sorted(figures))


def _print(figures: dict[str, float], names: Sequence[str]) -> None:
    for name in names:
        typer.echo(f"{name.replace('_', ' '):40} {figures[name]:>12,.2f}")


if __name__ == "__main__":
    typer.run(main)
