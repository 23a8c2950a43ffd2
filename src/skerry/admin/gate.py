"""In front of every route: who comes, whether they may try, and a line in the audit log of what they changed."""

import logging
import time
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skerry.admin.audit_log import AuditLog
from skerry.admin.failure_limit import FailureLimit
from skerry.admin.responses import ApiError, failure
from skerry.admin.sessions import Sessions, cookie_name, is_same_origin
from skerry.admin.tokens import Caller, Role, Tokens
from skerry.errors import SkerryError

LOG: Final = logging.getLogger("skerry.admin")

OPEN_PATHS: Final = frozenset(("/healthz", "/readyz"))
LOGIN_PATHS: Final = frozenset((("GET", "/"), ("GET", "/login"), ("POST", "/login")))
"""What a browser without a session reaches: pages that tell nothing of the node."""
PAGES: Final = "/dashboard"
BODY_BYTES_MAX: Final = 32 * 1024 * 1024  # a document of 16 MiB as Extended JSON
_READING: Final = frozenset(("GET", "HEAD"))
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}

bearer: Final = HTTPBearer(auto_error=False, description="A token of this node.")
"""Only tells OpenAPI; the gate has checked the token before."""


class Gate:
    """ASGI middleware; nothing but `OPEN_PATHS` and `LOGIN_PATHS` passes without a token or a browser's session.

    A session comes by itself with whatever a browser sends, also when another site makes it send something; so what can change
    something, and every web socket, has to come from a page of this node.
    """

    def __init__(
        self, app: ASGIApp, *, tokens: Tokens, audit: AuditLog, sessions: Sessions, failures: FailureLimit
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._audit = audit
        self._sessions = sessions
        self._limit = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._web_socket(scope, receive, send)
        elif (scope["path"] in OPEN_PATHS and scope["method"] in _READING) or (
            (scope["method"], scope["path"]) in LOGIN_PATHS
        ):
            await self._app(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _web_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["path"].startswith(f"{PAGES}/") and is_same_origin(dict(headers)):
            token = self._session_token(scope, headers)
            if token is not None and await run_in_threadpool(self._tokens.caller, token) is not None:
                await self._app(scope, receive, send)
                return
        await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        address = client[0] if client else "local"
        headers = Headers(scope=scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        session = None if token else self._session_token(scope, headers)
        wait = self._limit.wait_seconds(address, time.monotonic())
        if wait and session is None and not self._tokens.was_right(token.strip()):
            message = "too many wrong tokens from this address"
            await failure(429, "too_many_failures", message, headers={"Retry-After": str(int(wait) + 1)})(
                scope, receive, send
            )
            return
        is_bearer = scheme.lower() == "bearer"
        presented = token.strip() if is_bearer else session
        caller = None if presented is None else await run_in_threadpool(self._tokens.caller, presented)
        if caller is None:
            await self._refuse(scope, receive, send, address, has_token=bool(token))
            return
        refusal = _refusal(scope, headers, is_session=session is not None)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        if scope["method"] in _READING:
            await self._app(scope, receive, send)
        else:
            await self._audited(scope, receive, send, caller, address)

    def _session_token(self, scope: Scope, headers: Headers) -> str | None:
        server = scope.get("server")
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(cookie_name(server[1] if server else None))
        except CookieError:
            return None
        return None if cookie is None else self._sessions.token(cookie.value, time.time())

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, address: str, *, has_token: bool) -> None:
        if has_token:
            self._limit.failed(address, time.monotonic())
            action = f"{scope['method']} {scope['path']}"
            await note_in(self._audit, "", address, action, 401, {"reason": "wrong token"})
        elif scope["method"] in _READING and scope["path"].startswith(PAGES):
            await RedirectResponse("/login", 303)(scope, receive, send)
            return
        message = "a bearer token of this node is needed"
        await failure(401, "unauthorized", message, headers=_CHALLENGE)(scope, receive, send)

    async def _audited(self, scope: Scope, receive: Receive, send: Send, caller: Caller, address: str) -> None:
        details: dict[str, Any] = {"role": caller.role.label}
        scope["state"]["audit"] = details
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            await note_in(self._audit, caller.name, address, f"{scope['method']} {scope['path']}", status, details)


async def note_in(audit: AuditLog, who: str, address: str, action: str, status: int, details: dict[str, Any]) -> None:
    """Add a line to the audit log; when it cannot take it, the node's log has it."""
    try:
        await run_in_threadpool(audit.add, who, address, action[:500], status, details)
    except SkerryError as error:
        LOG.error("the audit log could not take %s by %s (%d): %s", action, who, status, error)


def needs(role: Role) -> Any:
    """Return the dependency of a route that takes at least `role`; raises 403 for others."""

    def check(request: Request) -> Caller:
        caller: Caller = request.state.caller
        if caller.role < role:
            raise ApiError(403, "forbidden", f"this takes the role {role.label}; {caller.name} is {caller.role.label}")
        return caller

    check.role = role  # type: ignore[attr-defined]
    return Depends(check)


def note(request: Request, **details: Any) -> None:
    """Add to the audit log's line of this order."""
    request.state.audit.update(details)


def _refusal(scope: Scope, headers: Headers, *, is_session: bool) -> Response | None:
    """Return the answer to a request of somebody known that must not go further."""
    is_reading = scope["method"] in _READING
    if is_session and not is_reading and not is_same_origin(dict(headers)):
        return failure(403, "other_origin", "a session is of use only for pages of this node; others need a token")
    if scope["path"].startswith(PAGES) and not is_reading:
        return failure(405, "method_not_allowed", "the dashboard's pages are read only; orders go to the API")
    if _is_too_large(headers):
        return failure(413, "too_large", f"a body has a length, of at most {BODY_BYTES_MAX} bytes")
    return None


def _is_too_large(headers: Headers) -> bool:
    if "transfer-encoding" in headers:
        return True
    length = headers.get("content-length", "0")
    return not length.isdecimal() or int(length) > BODY_BYTES_MAX


AsOperator = Annotated[Caller, needs(Role.OPERATOR)]
AsAdmin = Annotated[Caller, needs(Role.ADMIN)]
