"""The conflict log over HTTP: list, look, decide, export."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from skerry.admin.api import Api
from skerry.admin.bson_json import as_json, from_json
from skerry.admin.conflict_choices import DOCUMENT, KEEP, id_of, resolve
from skerry.admin.gate import AsOperator, note
from skerry.admin.responses import ApiError, Reply, not_found, reply
from skerry.sync.conflict_log import Conflict
from skerry.sync.link import Link

PAGE_MAX: Final = 1_000
_CHUNK: Final = 200


class ResolveOrder(BaseModel):
    """`choice` is the version to put in place; `document` (Extended JSON, null: delete it) goes with the choice `document`.

    `force` overwrites a document that has been changed since the conflict.
    """

    choice: Literal["result", "local", "remote", "base", "document"] = KEEP
    document: dict[str, Any] | None = None
    force: bool = Field(default=False)


def conflict_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["conflicts"])

    @router.get("/api/sync/bidirectional/conflicts", response_model=Reply)
    @router.get("/api/sync/conflicts", response_model=Reply)
    def conflicts(
        after: int = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
        resolved: bool | None = None,  # noqa: FBT001
        namespace: str | None = None,
    ) -> dict[str, Any]:
        """Conflicts in the order in which they were found, beyond the id `after`; without the documents."""
        link = api.link
        found = [_summary(each) for each in _page(link, after, limit, resolved, namespace)]
        total = link.read(link.conflicts.count)
        return reply({"total": total, "conflicts": found, "next": found[-1]["id"] if len(found) == limit else None})

    @router.get("/api/sync/conflicts/export", response_class=StreamingResponse)
    def export(_caller: AsOperator, resolved: bool | None = None) -> StreamingResponse:  # noqa: FBT001
        """Every conflict with its documents, one JSON object a line."""
        lines = _lines(api.link, resolved)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    @router.get("/api/sync/conflicts/{id}", response_model=Reply)
    def conflict(_caller: AsOperator, id: int) -> dict[str, Any]:
        """One conflict with all its versions."""
        link = api.link
        found = link.read(lambda view: link.conflicts.get(view, id))
        if found is None:
            raise not_found(f"conflict {id}")
        return reply(_whole(found))

    @router.post("/api/sync/conflicts/{id}/resolve", response_model=Reply)
    def resolve_conflict(_caller: AsOperator, request: Request, id: int, order: ResolveOrder) -> dict[str, Any]:
        """Decide: the chosen version is written here as any write is, and travels to the hub; the conflict is marked."""
        if order.document is not None and order.choice != DOCUMENT:
            raise ApiError(400, "bad_value", "a document goes with the choice document only")
        note(request, choice=order.choice, force=order.force)
        document = None if order.document is None else from_json(order.document)
        found = resolve(api.link, id, order.choice, document, force=order.force)
        return reply({**_summary(found), "resolved": True, "choice": order.choice})

    return router


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
