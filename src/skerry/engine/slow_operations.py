"""Operations that took longer than `engine.slow_ms`: the newest of them, and a line in the log for each.

The line is MongoDB's "Slow query" (manual: Log Messages, Slow Operations): the shape of the command without values, the plan,
how much was examined and returned. It goes to the logger `skerry.slow` at INFO, its fields as `extra`.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from skerry.planner.query_solution import (
    CollectionScan,
    EmptyScan,
    IdLookup,
    IndexScan,
    QuerySolution,
    UnionScan,
)

KEPT_MAX: Final = 100
_LOG: Final = logging.getLogger("skerry.slow")


@dataclass(frozen=True, slots=True)
class SlowOperation:
    """One of them. `shape` has no values of documents; `returned` counts documents or writes; `error_code` is 0 for a success."""

    at_ms: int
    namespace: str
    command: str
    shape: Mapping[str, Any]
    plan_summary: str
    keys_examined: int
    docs_examined: int
    returned: int
    duration_ms: int
    error_code: int


class SlowOperations:
    """The newest `KEPT_MAX`, noted by the threads of all connections."""

    def __init__(self) -> None:
        self._newest: deque[SlowOperation] = deque(maxlen=KEPT_MAX)
        self._lock = threading.Lock()

    def note(self, operation: SlowOperation) -> None:
        """Keep and log one."""
        with self._lock:
            self._newest.append(operation)
        _LOG.info(
            "slow %s on %s: %d ms, %s, %d documents examined, %d returned",
            operation.command,
            operation.namespace,
            operation.duration_ms,
            operation.plan_summary or "no plan",
            operation.docs_examined,
            operation.returned,
            extra=asdict(operation),
        )

    def newest(self) -> list[SlowOperation]:
        """Return them, the newest first."""
        with self._lock:
            return list(reversed(self._newest))


def slow_operation(
    command: str,
    namespace: str,
    shape: Mapping[str, Any],
    examined: Sequence[tuple[QuerySolution, int]],
    *,
    returned: int,
    seconds: float,
    error_code: int,
) -> SlowOperation:
    """Sum up what an operation examined by which plans."""
    return SlowOperation(
        at_ms=int(time.time() * 1000),
        namespace=namespace,
        command=command,
        shape=shape,
        plan_summary=", ".join(dict.fromkeys(plan_summary(solution) for solution, _ in examined)),
        keys_examined=sum(number for solution, number in examined if not isinstance(solution, CollectionScan)),
        docs_examined=sum(number for _, number in examined),
        returned=returned,
        duration_ms=int(seconds * 1000),
        error_code=error_code,
    )


def plan_summary(solution: QuerySolution) -> str:
    """Return a plan in MongoDB's words: COLLSCAN, IDHACK, IXSCAN { a: 1 } …"""
    match solution:
        case EmptyScan():
            return "EOF"
        case CollectionScan():
            return "COLLSCAN"
        case IdLookup(keys=keys):
            return "IDHACK" if len(keys) == 1 else "IXSCAN { _id: 1 }"
        case IndexScan(index=index):
            return f"IXSCAN {{ {', '.join(f'{path}: {direction}' for path, direction in index.key)} }}"
        case UnionScan(scans=scans):
            return ", ".join(dict.fromkeys(map(plan_summary, scans)))
