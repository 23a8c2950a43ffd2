"""What a browser meets first: the way to the dashboard, logging in and logging out. None of it is part of the API."""

import time
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from skerry.admin.api import Api
from skerry.admin.gate import note_in
from skerry.admin.login_page import HEADERS, login_page, notice_page
from skerry.admin.sessions import SESSION_SECONDS, cookie_name, is_same_origin

DASHBOARD: Final = "/dashboard/"
MISSING: Final = (
    "This node has an admin API and no dashboard. To have one: pip install 'skerry[dashboard]', then start it again."
)
TAKEN: Final = "Another node of this process has the dashboard; there can be one in a process."
_FORM_BYTES_MAX: Final = 4_096


def session_router(api: Api) -> APIRouter:
    """Return the routes; those for logging in refuse themselves while there is no dashboard."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def root() -> Response:
        if api.dashboard_problem is None:
            return RedirectResponse(DASHBOARD, 303)
        return HTMLResponse(notice_page(api.dashboard_problem), headers=HEADERS)

    @router.get("/login")
    def form() -> Response:
        if api.dashboard_problem is not None:
            return RedirectResponse("/", 303)
        return HTMLResponse(login_page(), headers=HEADERS)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        if api.dashboard_problem is not None:
            return RedirectResponse("/", 303)
        address = request.client.host if request.client else "local"
        if not is_same_origin(dict(request.headers)):
            return _again("The request came from another site.", 403)
        token = await _token_of(request)
        wait = api.failures.wait_seconds(address, time.monotonic())
        if wait and not api.tokens.was_right(token):
            return _again(f"Too many wrong tokens from this address; wait {int(wait) + 1} seconds.", 429)
        caller = await run_in_threadpool(api.tokens.caller, token) if token else None
        if caller is None:
            api.failures.failed(address, time.monotonic())
            await note_in(api.audit, "", address, "POST /login", 401, {"reason": "wrong token"})
            return _again("This is no token of this node.", 401)
        await note_in(api.audit, caller.name, address, "POST /login", 303, {"role": caller.role.label})
        answer = RedirectResponse(DASHBOARD, 303)
        answer.set_cookie(
            cookie_name(request.scope["server"][1]),
            api.sessions.begin(token, time.time()),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.headers.get("origin", "").startswith("https://"),
        )
        return answer

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        name = cookie_name(request.scope["server"][1])
        api.sessions.end(request.cookies.get(name, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(name)
        return answer

    return router


def _again(problem: str, status: int) -> Response:
    return HTMLResponse(login_page(problem), status, headers=HEADERS)


async def _token_of(request: Request) -> str:
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _FORM_BYTES_MAX:
        return ""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    return form.get("token", [""])[0].strip()
