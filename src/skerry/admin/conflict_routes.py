"""The conflict log over HTTP: list, look, decide, export."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StrictBool

from skerry.admin.api import Api
from skerry.admin.bson_json import as_json, from_json
from skerry.admin.conflict_choices import DOCUMENT, KEEP, id_of, resolve
from skerry.admin.gate import AsOperator, note
from skerry.admin.link_answers import NoLink
from skerry.admin.openapi import refusals
from skerry.admin.responses import Answer, ApiError, Reply, not_found, reply
from skerry.admin.stored_id import StoredId
from skerry.sync.conflict_log import Conflict
from skerry.sync.link import Link

PAGE_MAX: Final = 1_000
_CHUNK: Final = 200
_NDJSON: Final = "application/x-ndjson"
_LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_NDJSON: {"schema": {"type": "string"}}}, "description": "One conflict a line"},
    **refusals(409),
}


class ResolveOrder(BaseModel):
    """`choice` is the version to put in place; `document` (Extended JSON, null: delete it) goes with the choice `document`.

    `force` overwrites a document that has been changed since the conflict.
    """

    choice: Literal["result", "local", "remote", "base", "document"] = KEEP
    document: dict[str, Any] | None = None
    force: StrictBool = False


class ConflictQuery(BaseModel):
    """Which conflicts to list."""

    after: StoredId = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 100
    resolved: bool | None = None
    namespace: str | None = None


class ConflictSummary(Answer):
    """`paths`: the fields that both sides had changed; "" is the whole document."""

    id: int
    namespace: str
    document_id: Any
    at_ms: int
    resolved: bool
    winner: str
    paths: list[str]


class ConflictVersions(Answer):
    """A version that is null is no document: it was deleted, or there was none."""

    base: dict[str, Any] | None
    local: dict[str, Any] | None
    remote: dict[str, Any] | None
    result: dict[str, Any] | None


class WholeConflict(ConflictSummary):
    versions: ConflictVersions


class ResolvedConflict(ConflictSummary):
    choice: str


class ConflictPage(Answer):
    """`next`: what to give as `after` for the next page; null: there is none."""

    total: int
    conflicts: list[ConflictSummary]
    next: int | None


def conflict_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["conflicts"])

    @router.get("/api/sync/conflicts", response_model=Reply[ConflictPage], responses=refusals(409))
    def conflicts(page: Annotated[ConflictQuery, Query()]) -> dict[str, Any]:
        """Conflicts in the order in which they were found, beyond the id `after`; without the documents."""
        return reply(_listed(api.link, page))

    @router.get("/api/sync/bidirectional/conflicts", response_model=Reply[NoLink | ConflictPage])
    def directional_conflicts(page: Annotated[ConflictQuery, Query()]) -> dict[str, Any]:
        """The same; a node without a hub answers `enabled: false`."""
        replicator = api.node.replicator
        return reply({"enabled": False} if replicator is None else _listed(replicator.link, page))

    @router.get("/api/sync/conflicts/export", response_class=StreamingResponse, responses=_LINES)
    def export(_caller: AsOperator, resolved: bool | None = None) -> StreamingResponse:  # noqa: FBT001
        """Every conflict with its documents, one JSON object a line."""
        lines = _lines(api.link, resolved)
        return StreamingResponse(lines, media_type=_NDJSON)

    @router.get("/api/sync/conflicts/{id}", response_model=Reply[WholeConflict], responses=refusals(404, 409))
    def conflict(_caller: AsOperator, id: StoredId) -> dict[str, Any]:
        """One conflict with all its versions."""
        link = api.link
        found = link.read(lambda view: link.conflicts.get(view, id))
        if found is None:
            raise not_found(f"conflict {id}")
        return reply(_whole(found))

    @router.post(
        "/api/sync/conflicts/{id}/resolve", response_model=Reply[ResolvedConflict], responses=refusals(404, 409)
    )
    def resolve_conflict(_caller: AsOperator, request: Request, id: StoredId, order: ResolveOrder) -> dict[str, Any]:
        """Decide: the chosen version is written here as any write is, and travels to the hub; the conflict is marked."""
        if order.document is not None and order.choice != DOCUMENT:
            raise ApiError(400, "bad_value", "a document goes with the choice document only")
        note(request, choice=order.choice, force=order.force)
        document = None if order.document is None else from_json(order.document)
        found = resolve(api.link, id, order.choice, document, force=order.force)
        return reply({**_summary(found), "resolved": True, "choice": order.choice})

    return router


def _listed(link: Link, page: ConflictQuery) -> dict[str, Any]:
    found = [_summary(each) for each in _page(link, page.after, page.limit, page.resolved, page.namespace)]
    total = link.read(link.conflicts.count)
    return {"total": total, "conflicts": found, "next": found[-1]["id"] if len(found) == page.limit else None}


def _page(link: Link, after: int, limit: int, resolved: bool | None, namespace: str | None) -> Iterator[Conflict]:  # noqa: FBT001
    """Iterate over up to `limit` conflicts that fit, read in chunks, so that no long read transaction is held."""
    left = limit
    while left:
        start = after
        chunk = link.read(lambda view, start=start: link.conflicts.entries(view, after=start, limit=_CHUNK))  # type: ignore[misc]
        for each in chunk:
            after = each.id
            if (resolved is None or each.resolved == resolved) and namespace in (None, each.namespace):
                yield each
                left -= 1
                if not left:
                    return
        if len(chunk) < _CHUNK:
            return


def _lines(link: Link, resolved: bool | None) -> Iterator[str]:  # noqa: FBT001
    for each in _page(link, 0, 1 << 62, resolved, None):
        yield json.dumps(_whole(each)) + "\n"


def _summary(conflict: Conflict) -> dict[str, Any]:
    record = conflict.record
    return {
        "id": conflict.id,
        "namespace": conflict.namespace,
        "document_id": as_json(id_of(conflict)),
        "at_ms": conflict.at_ms,
        "resolved": conflict.resolved,
        "winner": record["winner"],
        "paths": list(record["paths"]),
    }


def _whole(conflict: Conflict) -> dict[str, Any]:
    return {**_summary(conflict), "versions": as_json({name: conflict.record.get(name) for name in VERSIONS})}


VERSIONS: Final = ("base", "local", "remote", "result")
