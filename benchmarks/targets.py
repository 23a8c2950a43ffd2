"""What a run should reach on two shared cores, and whether it did."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.workload import ROWS

Results = dict[str, Any]
MEGABYTE: Final = 1_000_000
DISK_DOCUMENTS: Final = 50_000
BACKLOG_DOCUMENTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: `is_met` is None when the run did not measure it."""

    title: str
    measured: str
    is_met: bool | None


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of the results and the bound that it keeps."""

    title: str
    read: Callable[[Results], float | None]
    bound: float
    is_upper: bool = False
    digits: int = 0

    def judge(self, results: Results) -> Verdict:
        """Compare what was measured with the bound."""
        value = self.read(results)
        if value is None:
            return Verdict(self.title, "not measured", None)
        met = value <= self.bound if self.is_upper else value >= self.bound
        return Verdict(self.title, f"{value:,.{self.digits}f}", met)


def rate(subject: str, row: str) -> Callable[[Results], float | None]:
    """Return what reads the rate of one subject in one row."""

    def read(results: Results) -> float | None:
        found = results["subjects"].get(subject, {}).get("rows", {}).get(row, {}).get("rate")
        return None if found is None else float(found)

    return read


def disk(results: Results) -> float | None:
    """Read the megabytes on disk, if there were as many documents as the target speaks of."""
    costs = results.get("node_costs") or {}
    return costs["bytes_on_disk"] / MEGABYTE if costs.get("documents") == DISK_DOCUMENTS else None


def backlog_memory(results: Results) -> float | None:
    """Read the memory in megabytes of an edge with a backlog, if it was as large as the target says."""
    figures = results.get("sync_backlog") or {}
    return figures["dirty_memory_mb"] if figures.get("dirty_documents", 0) >= BACKLOG_DOCUMENTS else None


def node(part: str, figure: str) -> Callable[[Results], float | None]:
    """Return what reads a figure of the parts of the results that are not subjects."""

    def read(results: Results) -> float | None:
        found = (results.get(part) or {}).get(figure)
        return None if found is None else float(found)

    return read


TARGETS: Final = (
    Target("connect(): insert_many, 25,000 documents/s", rate("skerry", "insert_many"), 25_000),
    Target("connect(): find_one by _id, 3,500/s", rate("skerry", "find_by_id"), 3_500),
    Target("connect(): relaxed insert_one, 3,000/s", rate("skerry-relaxed", "insert_one"), 3_000),
    Target("connect(): unindexed count, 150,000 documents/s", rate("skerry", "count_filtered"), 150_000),
    Target("sync edge to hub, 3,000 documents/s", node("sync_rates", "edge_to_hub_backlog"), 3_000),
    Target("sync hub to edge, 5,000 documents/s", node("sync_rates", "hub_to_edge_backlog"), 5_000),
    Target("push beside plain bulk_write, 0.5", node("sync_rates", "push_share"), 0.5, digits=2),
    Target("pull apply, 10,000 documents/s", node("sync_rates", "pull_apply"), 10_000),
    Target("initial sync, 8,000 documents/s", node("sync_rates", "initial_sync"), 8_000),
    Target("verify, 50,000 documents/s", node("sync_rates", "verify"), 50_000),
    Target("capture adds 30 % to insert_many", node("sync_rates", "capture_adds_to_insert_many_percent"), 30, True, 1),
    Target("edge to hub to edge p95 150 ms", node("sync_rates", "propagation_p95_ms"), 150, True, 1),
    Target("1,000,000 documents wait: 300 MB of memory", backlog_memory, 300, True, 1),
    Target("idle link 1 % of a core", node("sync_rates", "idle_link_percent"), 1, True, 2),
    Target("first answer of serve within 1.5 s", node("node_costs", "start_loaded_seconds"), 1.5, True, 2),
    Target("50,000 documents in 40 MB on disk", disk, 40, True, 1),
    Target("an uncontended coordinate adds 1 ms", node("coordination", "overhead_ms"), 1, True, 2),
    Target("10,000 collections listed within 1 s", node("coordination", "open_catalogue_seconds"), 1, True, 2),
)


def judge_all(results: Results) -> list[Verdict]:
    """Judge every target, and every row over the wire beside SecantusDB with the same durability."""
    verdicts = [target.judge(results) for target in TARGETS]
    for ours, theirs in (("skerry-server", "secantusdb-durable"), ("skerry-server-relaxed", "secantusdb")):
        for name, row in ROWS.items():
            mine, other = rate(ours, name)(results), rate(theirs, name)(results)
            title = f"{ours} ahead of {theirs}: {row.title}"
            if mine is None or not other:
                verdicts.append(Verdict(title, "not measured", None))
            else:
                verdicts.append(Verdict(title, f"{mine / other:.2f} times", mine > other))
    return verdicts
