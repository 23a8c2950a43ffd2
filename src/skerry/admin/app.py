"""The admin API of one node as an ASGI application, OpenAPI included (`/openapi.json`, with a token like the rest)."""

import time

from fastapi import FastAPI, Security

from skerry import __version__
from skerry.admin.access_routes import access_router
from skerry.admin.api import Api
from skerry.admin.conflict_routes import conflict_router
from skerry.admin.dead_letter_routes import dead_letter_router
from skerry.admin.gate import Gate, bearer
from skerry.admin.index_routes import index_router
from skerry.admin.monitor_routes import monitor_router
from skerry.admin.node_routes import node_router, open_router
from skerry.admin.openapi import describe_refusals, refusals
from skerry.admin.responses import add_error_handlers
from skerry.admin.selection_routes import selection_router
from skerry.admin.session_routes import MISSING, session_router
from skerry.admin.sync_routes import sync_router

_DESCRIPTION = (
    "State, numbers and control of one node. Every answer has the envelope `{success, data}` or `{success, error}`; "
    "roles are viewer, operator and admin, each with the rights of the ones before."
)


def create_app(api: Api) -> FastAPI:
    """Return the application; `api.close` ends what it started."""
    app = FastAPI(
        title="skerry",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        responses=refusals(500),
    )
    started_ms = int(time.time() * 1000)
    app.include_router(session_router(api))
    api.dashboard_problem = MISSING
    is_open = open_router(api)
    app.include_router(is_open)
    guarded = (
        node_router(api, started_ms),
        monitor_router(api, started_ms),
        sync_router(api),
        conflict_router(api),
        dead_letter_router(api),
        selection_router(api),
        access_router(api),
        index_router(api),
    )
    for router in guarded:
        app.include_router(router, dependencies=[Security(bearer)])
    describe_refusals(app, (is_open, *guarded))
    add_error_handlers(app)
    app.add_middleware(Gate, tokens=api.tokens, audit=api.audit, sessions=api.sessions, failures=api.failures)
    return app
