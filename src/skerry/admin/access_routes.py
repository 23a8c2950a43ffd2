"""Tokens, settings and the audit log."""

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from skerry.admin.api import Api
from skerry.admin.audit_log import AuditEntry
from skerry.admin.gate import AsAdmin, note
from skerry.admin.openapi import refusals
from skerry.admin.responses import Answer, Reply, not_found, reply
from skerry.admin.stored_id import StoredId
from skerry.admin.tokens import Role
from skerry.config import EffectiveSetting

PAGE_MAX: Final = 1_000


class TokenOrder(BaseModel):
    name: str
    role: Literal["viewer", "operator", "admin"]


class CallerFacts(Answer):
    name: str
    role: str


class TokenFacts(CallerFacts):
    created_ms: int


class NewToken(CallerFacts):
    token: str


class RemovedToken(Answer):
    name: str


class AuditPage(Answer):
    """`next`: what to give as `before` for the page after this one; null: there is none."""

    entries: list[AuditEntry]
    next: int | None


def access_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/admin", tags=["access"])

    @router.get("/whoami", response_model=Reply[CallerFacts])
    def whoami(request: Request) -> dict[str, Any]:
        """Whose token this is, and its role."""
        caller = request.state.caller
        return reply({"name": caller.name, "role": caller.role.label})

    @router.get("/tokens", response_model=Reply[list[TokenFacts]])
    def tokens(_caller: AsAdmin) -> dict[str, Any]:
        """The names and roles of the stored tokens."""
        found = [asdict(each) for each in api.tokens.entries()]
        return reply([{name: value for name, value in each.items() if name != "digest"} for each in found])

    @router.post("/tokens", status_code=201, response_model=Reply[NewToken], responses=refusals(409))
    def create(_caller: AsAdmin, request: Request, order: TokenOrder) -> dict[str, Any]:
        """Make a token. It is shown this once: only its hash is stored."""
        note(request, name=order.name, token_role=order.role)
        token = api.tokens.create(order.name, Role[order.role.upper()])
        return reply({"name": order.name, "role": order.role, "token": token})

    @router.delete("/tokens/{name}", response_model=Reply[RemovedToken], responses=refusals(404))
    def remove(_caller: AsAdmin, name: str) -> dict[str, Any]:
        """Make a token worthless at once."""
        if not api.tokens.remove(name):
            raise not_found(f"token {name!r}")
        return reply({"name": name})

    @router.get("/settings", response_model=Reply[list[EffectiveSetting]])
    def settings(_caller: AsAdmin) -> dict[str, Any]:
        """The settings in effect and where each came from; secrets are left out."""
        return reply([asdict(each) for each in api.node.settings()])

    @router.get("/audit", response_model=Reply[AuditPage])
    def audit(
        _caller: AsAdmin,
        before: StoredId | None = None,
        who: str | None = None,
        since_ms: StoredId = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    ) -> dict[str, Any]:
        """Who did what, the newest first; wrong tokens have an empty `who`."""
        found = [asdict(each) for each in api.audit.entries(before=before, who=who, since_ms=since_ms, limit=limit)]
        return reply({"entries": found, "next": found[-1]["id"] if len(found) == limit else None})

    return router
