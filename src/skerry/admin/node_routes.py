"""The node itself: alive, ready, and its numbers."""

import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from skerry import __version__
from skerry.admin import monitor, sync_figures
from skerry.admin.api import Api
from skerry.admin.prometheus import NodeCollector, oplog_span_seconds
from skerry.admin.responses import Reply, failure, reply
from skerry.engine.operation_metrics import SECONDS_BOUNDS
from skerry.errors import SkerryError


def open_router(api: Api) -> APIRouter:
    """Return the two routes that need no token, and so tell nothing."""
    router = APIRouter(tags=["open"])

    @router.get("/healthz", response_model=Reply)
    def healthz() -> dict[str, Any]:
        """The process answers."""
        return reply({"status": "alive"})

    @router.get("/readyz", response_model=Reply)
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

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Every number in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/api/status", response_model=Reply)
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
        }
        replicator = node.replicator
        if replicator is not None:
            link, seen = sync_figures.observed(node, replicator)
            health = sync_figures.health(monitor.findings(seen), link)
            found["sync"] = {**link.to_document(), "health": health}
        return reply(found)

    return router
