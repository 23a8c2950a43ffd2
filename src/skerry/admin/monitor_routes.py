"""How the link is: metrics, health and report, with the addresses of the first designs of the sync."""

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from skerry.admin import monitor, sync_figures
from skerry.admin.api import Api
from skerry.admin.link_answers import DirectionalMetrics, EnabledHealth, HealthWithoutLink, Metrics, NoLink, Report
from skerry.admin.monitor import Level
from skerry.admin.responses import Failure, Reply, reply
from skerry.sync.replicator import Replicator

_OFF: Final = {"enabled": False}
_UNHEALTHY: Final[dict[int | str, dict[str, Any]]] = {
    503: {
        "model": Reply[EnabledHealth] | Failure,
        "description": "Unhealthy, with the reasons; or the node is stopping",
    }
}


def monitor_router(api: Api, started_ms: int) -> APIRouter:
    """Return the routes. A node without a hub answers 200 with `enabled: false`."""
    router = APIRouter(tags=["monitor"])
    node = api.node

    @router.get("/api/sync/metrics", response_model=Reply[NoLink | Metrics])
    def metrics() -> dict[str, Any]:
        """What has been sent and taken since the start, and what waits."""
        replicator = node.replicator
        return reply(_OFF if replicator is None else sync_figures.metrics(replicator, replicator.status(), started_ms))

    @router.get("/api/sync/health", response_model=Reply[HealthWithoutLink | EnabledHealth], responses=_UNHEALTHY)
    def health() -> JSONResponse:
        """Healthy or degraded: 200; unhealthy: 503. A hub out of reach is degraded, because local work goes on.

        So is a link that a wrong sync setting has turned off.
        """
        return _health(node.replicator, is_strict=False)

    @router.get("/api/sync/bidirectional/metrics", response_model=Reply[NoLink | DirectionalMetrics])
    def directional_metrics() -> dict[str, Any]:
        """The same by direction, conflicts, and the state of the hub's change stream."""
        replicator = node.replicator
        if replicator is None:
            return reply(_OFF)
        status, seen = sync_figures.observed(node, replicator)
        return reply(sync_figures.directional_metrics(replicator, status, seen))

    @router.get("/api/sync/bidirectional/health", response_model=Reply[NoLink | EnabledHealth], responses=_UNHEALTHY)
    def directional_health() -> JSONResponse:
        """As `/api/sync/health`, but without the hub's changes it is unhealthy. Switched off: 200 with `enabled: false`."""
        replicator = node.replicator
        if replicator is None or not sync_figures.is_both_ways(replicator):
            return JSONResponse(reply(_OFF))
        return _health(replicator, is_strict=True)

    @router.get("/api/sync/report", response_model=Reply[NoLink | Report])
    def report() -> dict[str, Any]:
        """Summary, metrics, health, queue, and recommendations with their priority."""
        replicator = node.replicator
        if replicator is None:
            return reply(_OFF)
        link = replicator.link
        status, seen = sync_figures.observed(node, replicator)
        waiting = link.read(link.shadows.waiting)
        return reply(sync_figures.report(replicator, status, seen, waiting, started_ms))

    def _health(replicator: Replicator | None, *, is_strict: bool) -> JSONResponse:
        if replicator is None:
            found = [] if node.sync_fault is None else [monitor.of_wrong_setting(node.sync_fault)]
            status = monitor.level_of(found).value
            return JSONResponse(reply({**_OFF, "status": status, "reasons": sync_figures.reasons(found)}))
        link, seen = sync_figures.observed(node, replicator)
        found = monitor.findings(seen, is_strict=is_strict)
        is_unhealthy = monitor.level_of(found) is Level.UNHEALTHY
        return JSONResponse(reply({"enabled": True, **sync_figures.health(found, link)}), 503 if is_unhealthy else 200)

    return router
