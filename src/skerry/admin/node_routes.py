"""The node itself: alive, ready, and its numbers."""

import time
from dataclasses import asdict
from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from skerry import __version__
from skerry.admin import monitor, sync_figures
from skerry.admin.api import Api
from skerry.admin.link_answers import LinkWithHealth, Reason
from skerry.admin.prometheus import NodeCollector, oplog_span_seconds
from skerry.admin.responses import Answer, Reply, failure, reply
from skerry.engine.operation_metrics import SECONDS_BOUNDS, OperationTotals
from skerry.engine.slow_operations import SlowOperation
from skerry.errors import SkerryError

_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}}
}


class Alive(Answer):
    status: Literal["alive"]


class Ready(Answer):
    status: Literal["ready"]


class NodeFacts(Answer):
    """`operations` by command; their `buckets` count times at most the bound of `seconds_bounds` and more than the one before.

    `sync_fault`: why there is no link although there should be one.
    """

    version: str
    uptime_ms: int
    path: str
    connections: int
    messages: int
    cursors: int
    transactions: int
    oplog_span_seconds: float | None
    operations: dict[str, OperationTotals]
    seconds_bounds: tuple[float, ...]
    sync: LinkWithHealth | None
    sync_fault: Reason | None


def open_router(api: Api) -> APIRouter:
    """Return the two routes that need no token, and so tell nothing."""
    router = APIRouter(tags=["open"])

    @router.get("/healthz", response_model=Reply[Alive])
    def healthz() -> dict[str, Any]:
        """The process answers."""
        return reply({"status": "alive"})

    @router.get("/readyz", response_model=Reply[Ready])
    def readyz() -> JSONResponse:
        """The store can be read; 503 otherwise. Whether the hub can be reached does not matter."""
        try:
            api.node.engine.cluster_time()
            with api.node.engine.storage.read() as view:
                view.setting("catalog_version")
        except SkerryError:
            return failure(503, "not_ready", "the store cannot be read")
        return JSONResponse(reply({"status": "ready"}))

    return router


def node_router(api: Api, started_ms: int) -> APIRouter:
    """Return the routes that need a token."""
    router = APIRouter(tags=["node"])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NodeCollector(api.node, api.verifies))

    @router.get("/metrics", response_class=Response, responses=_TEXT)
    def metrics() -> Response:
        """Every number in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/api/operations/slow", response_model=Reply[list[SlowOperation]])
    def slow_operations() -> dict[str, Any]:
        """The newest operations that took longer than `engine.slow_ms`, without values of documents; the newest first."""
        return reply([asdict(each) for each in api.node.engine.slow_operations.newest()])

    @router.get("/api/status", response_model=Reply[NodeFacts])
    def status() -> dict[str, Any]:
        """The node: version, connections, cursors, operations, oplog; and its link with its health."""
        node = api.node
        engine, counts = node.engine, node.connections()
        totals = engine.operations.snapshot()
        found: dict[str, Any] = {
            "version": __version__,
            "uptime_ms": int(time.time() * 1000) - started_ms,
            "path": engine.path,
            "connections": counts.connections_open,
            "messages": counts.messages,
            "cursors": engine.cursors.count(),
            "transactions": engine.open_transactions(),
            "oplog_span_seconds": oplog_span_seconds(engine),
            "operations": {name: asdict(each) for name, each in totals.items()},
            "seconds_bounds": SECONDS_BOUNDS,
            "sync": None,
            "sync_fault": None,
        }
        if node.sync_fault is not None:
            found["sync_fault"] = sync_figures.reasons([monitor.of_wrong_setting(node.sync_fault)])[0]
        replicator = node.replicator
        if replicator is not None:
            link, seen = sync_figures.observed(node, replicator)
            health = sync_figures.health(monitor.findings(seen), link)
            found["sync"] = {**link.to_document(), "health": health}
        return reply(found)

    return router
