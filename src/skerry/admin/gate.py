"""In front of every route: who comes, whether they may try, and a line in the audit log of what they changed."""

import logging
import time
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skerry.admin.audit_log import AuditLog
from skerry.admin.failure_limit import FailureLimit
from skerry.admin.responses import ApiError, failure
from skerry.admin.tokens import Caller, Role, Tokens
from skerry.errors import SkerryError

LOG: Final = logging.getLogger("skerry.admin")

OPEN_PATHS: Final = frozenset(("/healthz", "/readyz"))
BODY_BYTES_MAX: Final = 32 * 1024 * 1024  # a document of 16 MiB as Extended JSON
_READING: Final = frozenset(("GET", "HEAD"))
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}

bearer: Final = HTTPBearer(auto_error=False, description="A token of this node.")
"""Only tells OpenAPI; the gate has checked the token before."""


class Gate:
    """ASGI middleware; nothing passes without a token but `OPEN_PATHS`."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens, audit: AuditLog) -> None:
        self._app = app
        self._tokens = tokens
        self._audit = audit
        self._limit = FailureLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return  # there are none; without an answer the server refuses it
        if scope["type"] == "lifespan" or (scope["path"] in OPEN_PATHS and scope["method"] in _READING):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        address = client[0] if client else "local"
        wait = self._limit.wait_seconds(address, time.monotonic())
        if wait:
            message = "too many wrong tokens from this address"
            await failure(429, "too_many_failures", message, headers={"Retry-After": str(int(wait) + 1)})(
                scope, receive, send
            )
            return
        headers = Headers(scope=scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        caller = await run_in_threadpool(self._tokens.caller, token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            await self._refuse(scope, receive, send, address, has_token=bool(token))
            return
        if _is_too_large(headers):
            await failure(413, "too_large", f"a body has a length, of at most {BODY_BYTES_MAX} bytes")(
                scope, receive, send
            )
            return
        scope.setdefault("state", {})["caller"] = caller
        if scope["method"] in _READING:
            await self._app(scope, receive, send)
        else:
            await self._audited(scope, receive, send, caller, address)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, address: str, *, has_token: bool) -> None:
        if has_token:
            self._limit.failed(address, time.monotonic())
            await self._note("", address, f"{scope['method']} {scope['path']}", 401, {"reason": "wrong token"})
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
            await self._note(caller.name, address, f"{scope['method']} {scope['path']}", status, details)

    async def _note(self, who: str, address: str, action: str, status: int, details: dict[str, Any]) -> None:
        try:
            await run_in_threadpool(self._audit.add, who, address, action[:500], status, details)
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


def _is_too_large(headers: Headers) -> bool:
    if "transfer-encoding" in headers:
        return True
    length = headers.get("content-length", "0")
    return not length.isdecimal() or int(length) > BODY_BYTES_MAX


AsOperator = Annotated[Caller, needs(Role.OPERATOR)]
AsAdmin = Annotated[Caller, needs(Role.ADMIN)]
