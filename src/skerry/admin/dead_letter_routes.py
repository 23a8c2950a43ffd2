"""What could not be taken over on one of the sides: changes of the hub that do not fit here, documents that the hub refuses."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from skerry.admin.api import Api
from skerry.admin.bson_json import as_json
from skerry.admin.gate import AsOperator, note
from skerry.admin.responses import ApiError, Reply, not_found, reply
from skerry.engine.operation_context import OperationContext
from skerry.sync.dead_letters import DeadLetter
from skerry.sync.link import Link
from skerry.sync.protocol.document_state import State
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.sync.shadow import Tracked
from skerry.values import documents

PAGE_MAX: Final = 1_000
_ALL: Final = 1 << 31


def dead_letter_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/sync/dead-letters", tags=["dead letters"])

    @router.get("", response_model=Reply)
    def dead_letters(_caller: AsOperator, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100) -> dict[str, Any]:
        """The oldest first: `dead_letters` are changes of the hub, `quarantined` documents that the hub refuses."""
        link = api.link
        with link.storage.read() as view:
            letters = link.dead_letters.entries(view, limit=limit)
            refused = link.shadows.of_state(view, State.QUARANTINED)[:limit]
            total = link.dead_letters.count(view)
        return reply(
            {
                "total": total,
                "dead_letters": [_letter(each) for each in letters],
                "quarantined": [_refused(each) for each in refused],
            }
        )

    @router.post("/retry", status_code=202, response_model=Reply)
    def retry_all(_caller: AsOperator) -> dict[str, Any]:
        """Try all of them again soon, in both directions."""
        api.running.retry_dead_letters()
        return reply({"retrying": True})

    @router.post("/{id}/retry", status_code=202, response_model=Reply)
    def retry(_caller: AsOperator, id: int) -> dict[str, Any]:
        """Try one again soon; the others are tried with it."""
        _found(api.link, id)
        api.running.retry_dead_letters()
        return reply({"retrying": True})

    @router.delete("/{id}", response_model=Reply)
    def discard(_caller: AsOperator, request: Request, id: int) -> dict[str, Any]:
        """Give one up: the hub's change is not applied here, until the document changes there again or sides are compared."""
        link = api.link
        letter = _letter(_found(link, id))
        note(request, namespace=letter["namespace"], document_id=letter["document_id"])
        if not link.storage.write(lambda view: link.dead_letters.discard(view, id), OperationContext()):
            raise ApiError(409, "changed_since", "it has just been settled")
        return reply(letter)

    return router


def _found(link: Link, id: int) -> DeadLetter:
    for each in link.read(lambda view: link.dead_letters.entries(view, limit=_ALL)):
        if each.id == id:
            return each
    raise not_found(f"dead letter {id}")


def _letter(letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    return {
        "id": letter.id,
        "namespace": str(letter.namespace),
        "document_id": as_json(record["_id"]),
        "at_ms": letter.at_ms,
        "error": record["error"],
        "code": record["code"],
        "document": as_json(record["document"]),
    }


def _refused(tracked: Tracked) -> dict[str, Any]:
    shadow = tracked.shadow
    return {
        "namespace": str(tracked.namespace),
        "document_id": as_json(documents.decode(tracked.id_document)["_id"]),
        "written_at_ms": milliseconds_of(shadow.last_hlc),
        "attempts": shadow.attempts,
        "next_retry_ms": shadow.next_retry,
        "error": shadow.error,
    }
