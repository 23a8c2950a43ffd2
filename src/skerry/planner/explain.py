"""A query solution as the server's explain document (MongoDB manual, "Explain Results")."""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.planner.query_solution import (
    CollectionScan,
    EmptyScan,
    IdLookup,
    IndexScan,
    QuerySolution,
    UnionScan,
)


def explain_solution(
    solution: QuerySolution,
    *,
    filter: Mapping[str, Any],
    sort: Sequence[tuple[str, int]] | None = None,
    is_sorted: bool = True,
    skip: int = 0,
    limit: int | None = None,
    projection: Mapping[str, Any] | None = None,
    multikey_paths: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Any]:
    """Return `winningPlan`: stages from the outermost to the scan, each with its `inputStage`.

    `is_sorted`: the solution yields the order of `sort`. `multikey_paths` is by index name.
    """
    plan = _access(solution, dict(filter), multikey_paths or {})
    if sort and not is_sorted:
        plan = {"stage": "SORT", "sortPattern": dict(sort), "memLimit": 104857600, "type": "simple", "inputStage": plan}
        if limit:
            plan["limitAmount"] = limit + skip
    if skip:
        plan = {"stage": "SKIP", "skipAmount": skip, "inputStage": plan}
    if limit:
        plan = {"stage": "LIMIT", "limitAmount": limit, "inputStage": plan}
    if projection:
        plan = {"stage": "PROJECTION_DEFAULT", "transformBy": dict(projection), "inputStage": plan}
    return plan


def _access(
    solution: QuerySolution, filter: dict[str, Any], multikey_paths: Mapping[str, frozenset[str]]
) -> dict[str, Any]:
    match solution:
        case EmptyScan():
            return {"stage": "EOF"}
        case CollectionScan(reverse=reverse):
            return _filtered({"stage": "COLLSCAN", "direction": _direction(reverse=reverse)}, filter)
        case UnionScan(scans=scans):
            branches = [_scan(scan, multikey_paths) for scan in scans]
            return _filtered({"stage": "FETCH", "inputStage": {"stage": "OR", "inputStages": branches}}, filter)
        case IdLookup(exact=exact) | IndexScan(exact=exact):
            scan = _scan(solution, multikey_paths)
            if scan["stage"] == "IDHACK":
                return _filtered(scan, {} if exact else filter)
            return _filtered({"stage": "FETCH", "inputStage": scan}, {} if exact else filter)


def _scan(scan: IndexScan | IdLookup, multikey_paths: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    if isinstance(scan, IdLookup):
        if len(scan.keys) == 1:
            return {"stage": "IDHACK"}
        return {
            "stage": "IXSCAN",
            "keyPattern": {"_id": 1},
            "indexName": "_id_",
            "isMultiKey": False,
            "isUnique": True,
            "isSparse": False,
            "isPartial": False,
            "indexVersion": 2,
            "direction": "forward",
            "rangeCount": len(scan.keys),
        }
    index = scan.index
    arrays = multikey_paths.get(index.name, frozenset())
    return {
        "stage": "IXSCAN",
        "keyPattern": dict(index.key),
        "indexName": index.name,
        "isMultiKey": bool(arrays),
        "multiKeyPaths": {path: sorted(a for a in arrays if f"{path}.".startswith(f"{a}.")) for path, _ in index.key},
        "isUnique": index.unique or index.name == "_id_",
        "isSparse": index.sparse,
        "isPartial": index.partial_filter is not None,
        "indexVersion": 2,
        "direction": _direction(reverse=scan.reverse),
        "rangeCount": len(scan.ranges),
    }


def _filtered(stage: dict[str, Any], filter: dict[str, Any]) -> dict[str, Any]:
    if not filter:
        return stage
    name = stage.pop("stage")
    return {"stage": name, "filter": filter, **stage}


def _direction(*, reverse: bool) -> str:
    return "backward" if reverse else "forward"
