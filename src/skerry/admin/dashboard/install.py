"""Adds the dashboard to the admin API's application, within the same server."""

import asyncio
import logging
import threading
import time
from typing import Final

from fastapi import FastAPI, Request
from nicegui import app as pages_app
from nicegui import run, ui
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skerry.admin.api import Api
from skerry.admin.dashboard.conflict_page import conflict_page
from skerry.admin.dashboard.frame import BASE, visit
from skerry.admin.dashboard.history import INTERVAL_SECONDS, History, Sample
from skerry.admin.dashboard.overview_page import overview_page
from skerry.admin.dashboard.pages import LINKS, OVERVIEW, PAGES, Page
from skerry.admin.session_routes import TAKEN

_POLICY: Final = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data:; font-src 'self' data:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The pages' templates are compiled in the browser; nothing is loaded from, sent to or framed by another site."""
LOG: Final = logging.getLogger("skerry.admin")
_lock: Final = threading.Lock()
_taken: list[Api] = []


def install(app: FastAPI, api: Api) -> None:
    """Add the pages to `app` below `/dashboard`, unless another node of the process has them: then say so."""
    with _lock:
        if _taken:
            api.dashboard_problem = TAKEN
            LOG.warning("this node has no dashboard: another node of the process has it, and there can be one")
            return
        _taken.append(api)
    history = History()
    _add_pages(app, history)
    pages_app.on_startup(lambda: _sample(api, history))
    pages_app.config.socket_io_js_transports = ["websocket"]
    pages_app.add_middleware(_Headers)
    run.process_pool_start_method = "spawn"  # never used, and forking a process with threads would be wrong
    ui.run_with(
        app,
        mount_path=BASE,
        title="skerry",
        favicon="🪨",
        dark=None,
        tailwind=False,
        binding_refresh_interval=None,
        show_welcome_message=False,
        reconnect_timeout=10.0,
    )
    api.dashboard_problem = None


def _add_pages(app: FastAPI, history: History) -> None:
    @ui.page(OVERVIEW.path)
    async def overview(request: Request) -> None:
        await overview_page(await visit(app, request, LINKS, OVERVIEW.path, OVERVIEW.title), history)

    @ui.page("/conflicts/{id}")
    async def conflict(request: Request, id: int) -> None:
        await conflict_page(await visit(app, request, LINKS, "/conflicts", f"Conflict {id}"), id)

    for page in PAGES:
        _add_page(app, page)


def _add_page(app: FastAPI, page: Page) -> None:
    @ui.page(page.link.path)
    async def build(request: Request) -> None:
        await page.build(await visit(app, request, LINKS, page.link.path, page.link.title))


async def _sample(api: Api, history: History) -> None:
    """Look at the link as long as the node runs, so that charts have a past when somebody comes."""
    while not api.stopping.is_set():
        replicator = api.node.replicator
        if replicator is not None:
            status = await run_in_threadpool(replicator.status)
            history.add(
                Sample(
                    int(time.time() * 1000),
                    status.dirty + status.in_flight,
                    status.oldest_dirty_ms,
                    status.stream_age_ms,
                    status.counters,
                )
            )
        await asyncio.sleep(INTERVAL_SECONDS)


class _Headers:
    """ASGI middleware that has the browser itself keep everything from other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _POLICY
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, add)
