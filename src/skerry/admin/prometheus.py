"""The node's numbers as Prometheus metrics, read when they are asked for; nothing is counted here."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from skerry import __version__
from skerry.admin.running_node import RunningNode
from skerry.admin.verify_run import VerifyRuns
from skerry.engine import operation_metrics, oplog
from skerry.engine.engine import Engine
from skerry.sync import link_records, sync_metrics
from skerry.sync.link import Link
from skerry.sync.replicator import Replicator
from skerry.sync.resume_tokens import StreamPosition
from skerry.sync.sync_health import LinkState, LinkStatus

EVENTS: Final = {
    "applied": "pulled_applied",
    "merged": "pulled_merged",
    "agreed": "pulled_agreed",
    "unchanged": "pulled_unchanged",
    "duplicate": "pulled_skipped",
    "echo": "echoes",
    "dead_letter": "dead_letters",
}
BATCHES: Final = {"committed": "push_batches", "retried": "push_retries", "refused": "push_refused"}


class NodeCollector(Collector):
    """Reads a node each time Prometheus asks; no network, a few short reads of the store."""

    def __init__(self, node: RunningNode, verifies: VerifyRuns) -> None:
        self._node = node
        self._verifies = verifies

    def collect(self) -> Iterator[Metric]:
        node = self._node
        yield InfoMetricFamily("skerry", "The version of the node", value={"version": __version__})
        yield from _engine(node.engine)
        yield from _connections(node)
        replicator = node.replicator
        if replicator is not None:
            yield from _link(replicator, self._verifies)


def oplog_span_seconds(engine: Engine) -> int:
    """Return how many seconds lie between the oldest and the newest entry of the oplog."""
    with engine.storage.read() as view:
        first, last = oplog.first_timestamp(view), oplog.last_timestamp(view)
    return (last >> 32) - (first >> 32)


def _engine(engine: Engine) -> Iterator[Metric]:
    counts = CounterMetricFamily("skerry_operations", "Commands answered", labels=["command"])
    failed = CounterMetricFamily("skerry_operations_failed", "Commands answered with an error", labels=["command"])
    took = HistogramMetricFamily("skerry_operation_seconds", "How long commands took", labels=["command"])
    for name, totals in engine.operations.snapshot().items():
        counts.add_metric([name], totals.count)
        failed.add_metric([name], totals.failed)
        took.add_metric([name], _buckets(operation_metrics.SECONDS_BOUNDS, totals.buckets), totals.seconds)
    yield from (counts, failed, took)
    yield _gauge("skerry_cursors_open", "Open cursors", engine.cursors.count())
    yield _gauge("skerry_transactions_open", "Open multi-document transactions", engine.open_transactions())
    yield _gauge(
        "skerry_oplog_span_seconds", "From the oldest to the newest entry of the oplog", oplog_span_seconds(engine)
    )
    with engine.storage.read() as view:
        pages, size = view.row("PRAGMA page_count")[0], view.row("PRAGMA page_size")[0]
        documents = view.row("SELECT count(*), coalesce(sum(document_count), 0) FROM collection")
    yield _gauge("skerry_store_bytes", "Size of the database file", pages * size)
    yield _gauge("skerry_collections", "Collections and views", documents[0])
    yield _gauge("skerry_documents", "Documents in all collections", documents[1])


def _connections(node: RunningNode) -> Iterator[Metric]:
    counts = node.connections()
    yield _gauge("skerry_connections_open", "Open client connections", counts.connections_open)
    yield _counter("skerry_connections_accepted", "Client connections accepted", counts.connections_accepted)
    yield _counter("skerry_connections_refused", "Client connections beyond the limit", counts.connections_refused)
    yield _counter("skerry_messages", "Messages received", counts.messages)
    yield _counter("skerry_received_bytes", "Bytes received from clients", counts.bytes_received)
    yield _counter("skerry_sent_bytes", "Bytes sent to clients", counts.bytes_sent)


def _link(replicator: Replicator, verifies: VerifyRuns) -> Iterator[Metric]:
    link, status = replicator.link, replicator.status()
    yield from _now(link, status, verifies)
    yield from _totals(link, status)


def _now(link: Link, status: LinkStatus, verifies: VerifyRuns) -> Iterator[Metric]:
    with link.storage.read() as view:
        waiting = link.shadows.waiting(view)
        mean = dict(
            view.rows("SELECT db || '.' || name, document_bytes * 1.0 / max(document_count, 1) FROM collection")
        )
        position = StreamPosition.load(view, link.name)
        copied = link_records.load(view, link.name, link_records.COPY) or {"pending": [], "complete": {}}
    is_open = status.state in (LinkState.COPYING, LinkState.STREAMING)
    waiting_bytes = sum(count * mean.get(name, 0) for name, count in waiting.items())
    done, pending = len(copied["complete"]), len(copied["pending"])
    gauges: list[tuple[str, str, float | None]] = [
        ("sync_pull_lag_seconds", "Since the hub's stream was last heard", _seconds(status.stream_age_ms)),
        (
            "sync_push_oldest_dirty_seconds",
            "Age of the oldest local write that waits",
            (status.oldest_dirty_ms or 0) / 1000,
        ),
        ("sync_dirty_documents", "Documents that wait to be sent or are on their way", status.dirty + status.in_flight),
        ("sync_dirty_bytes", "Their size, estimated by the mean of their collections", waiting_bytes),
        ("sync_awaiting_echo", "Documents sent whose echo has not come back", status.awaiting_echo),
        ("sync_stream_open", "Whether the hub's change stream is open", float(is_open)),
        ("sync_token_age_seconds", "Since the hub's time of the last stored position", _token_age(position, link)),
        ("sync_quarantined", "Documents that the hub refuses", status.quarantined),
        ("sync_dead_letters", "Changes of the hub that could not be applied", status.dead_letters),
        ("sync_conflicts_kept", "Conflicts in the log", status.conflicts),
        ("sync_frozen_collections", "Collections that wait for a decision", len(status.frozen)),
        (
            "sync_snapshot_progress_ratio",
            "Collections compared of those to compare",
            done / (done + pending) if pending else 1.0,
        ),
        ("sync_verify_mismatches", "Documents that the last comparison found different", verifies.last_differences),
        ("sync_clock_offset_seconds", "The hub's clock minus ours", link.clock_offset_ms / 1000),
    ]
    for name, text, value in gauges:
        if value is not None:
            yield _gauge(name, text, value, link.name)
    state = GaugeMetricFamily("sync_state", "1 for the state that the link is in", labels=["link", "state"])
    for each in LinkState:
        state.add_metric([link.name, each.value], float(each is status.state))
    yield state


def _totals(link: Link, status: LinkStatus) -> Iterator[Metric]:
    counters = status.counters
    yield _labelled("sync_events", "Changes of the hub", link.name, "result", _picked(EVENTS, counters))
    batches = _picked(BATCHES, counters)
    yield _labelled("sync_push_batches", "Batches sent to the hub", link.name, "result", batches)
    yield _counter("sync_pushed_documents", "Documents that the hub has taken", counters.get("pushed", 0), link.name)
    split = counters.get("transactions_split", 0)
    yield _counter("sync_transactions_split", "Transactions whose documents were pushed one by one", split, link.name)
    won = {name: counters.get(f"conflicts_won_by_{name}", 0) for name in ("local", "remote", "merged")}
    won["one_way"] = max(0, counters.get("conflicts", 0) - sum(won.values()))
    conflicts = CounterMetricFamily("sync_conflicts", "Conflicts, by who won", labels=["link", "policy", "winner"])
    for winner, count in won.items():
        conflicts.add_metric([link.name, link.config.conflict_policy.value, winner], count)
    yield conflicts
    lost = counters.get("history_lost", 0)
    reopens = {"history_lost": lost, "link_failure": max(0, counters.get("stream_opened", 0) - 1 - lost)}
    yield _labelled("sync_stream_reopens", "Times the stream was opened again", link.name, "reason", reopens)
    yield _counter("sync_link_failures", "Failures of the link to the hub", counters.get("link_failures", 0), link.name)
    durations = link.metrics.durations()
    for name, text in (("push", "Sending a batch and its answer"), ("apply", "Applying a batch of the hub's changes")):
        took = durations.get(name, sync_metrics.Durations())
        family = HistogramMetricFamily(f"sync_{name}_seconds", text, labels=["link"])
        family.add_metric([link.name], _buckets(sync_metrics.SECONDS_BOUNDS, took.buckets), took.seconds)
        yield family


def _gauge(name: str, text: str, value: float, link: str | None = None) -> Metric:
    if link is None:
        return GaugeMetricFamily(name, text, value=value)
    family = GaugeMetricFamily(name, text, labels=["link"])
    family.add_metric([link], value)
    return family


def _counter(name: str, text: str, value: float, link: str | None = None) -> Metric:
    if link is None:
        return CounterMetricFamily(name, text, value=value)
    family = CounterMetricFamily(name, text, labels=["link"])
    family.add_metric([link], value)
    return family


def _labelled(name: str, text: str, link: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["link", label])
    for key, value in values.items():
        family.add_metric([link, key], value)
    return family


def _picked(names: dict[str, str], counters: dict[str, int]) -> dict[str, int]:
    return {label: counters.get(counter, 0) for label, counter in names.items()}


def _buckets(bounds: Sequence[float], counts: Iterable[int]) -> Any:
    """Prometheus' buckets count everything up to their bound."""
    return list(zip((*map(str, bounds), "+Inf"), accumulate(counts)))


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _token_age(position: StreamPosition | None, link: Link) -> float | None:
    if position is None or not position.time:
        return None
    return max(0.0, time.time() + link.clock_offset_ms / 1000 - (position.time >> 32))
