"""What could not be taken over on one of the sides: changes of the hub that do not fit here, documents that the hub refuses."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request

from skerry.admin.api import Api
from skerry.admin.bson_json import as_json
from skerry.admin.gate import AsOperator, note
from skerry.admin.openapi import refusals
from skerry.admin.responses import Answer, ApiError, Reply, not_found, reply
from skerry.admin.stored_id import StoredId
from skerry.engine.operation_context import OperationContext
from skerry.sync.dead_letters import DeadLetter
from skerry.sync.link import Link
from skerry.sync.protocol.document_state import State
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.sync.shadow import Tracked
from skerry.values import documents

PAGE_MAX: Final = 1_000


class DeadLetterFacts(Answer):
    """A change of the hub that could not be applied here; `document` null: a deletion."""

    id: int
    namespace: str
    document_id: Any
    at_ms: int
    error: str
    code: int
    document: dict[str, Any] | None


class RefusedDocument(Answer):
    """A document that the hub refuses."""

    namespace: str
    document_id: Any
    written_at_ms: int
    attempts: int | None
    next_retry_ms: int | None
    error: str | None


class DeadLetterPage(Answer):
    """`next`: what to give as `after` for the next page of dead letters; null: there is none."""

    total: int
    next: int | None
    dead_letters: list[DeadLetterFacts]
    quarantined: list[RefusedDocument]


class Retrying(Answer):
    retrying: Literal[True]


def dead_letter_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/sync/dead-letters", tags=["dead letters"])

    @router.get("", response_model=Reply[DeadLetterPage], responses=refusals(409))
    def dead_letters(
        _caller: AsOperator, after: StoredId = 0, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100
    ) -> dict[str, Any]:
        """The oldest first: `dead_letters` are changes of the hub, `quarantined` documents that the hub refuses."""
        link = api.link
        with link.storage.read() as view:
            letters = link.dead_letters.entries(view, after=after, limit=limit)
            refused = link.shadows.of_state(view, State.QUARANTINED)[:limit]
            total = link.dead_letters.count(view)
        return reply(
            {
                "total": total,
                "next": letters[-1].id if len(letters) == limit else None,
                "dead_letters": [_letter(each) for each in letters],
                "quarantined": [_refused(each) for each in refused],
            }
        )

    @router.post("/retry", status_code=202, response_model=Reply[Retrying], responses=refusals(409))
    def retry_all(_caller: AsOperator) -> dict[str, Any]:
        """Try all of them again soon, in both directions."""
        api.running.retry_dead_letters()
        return reply({"retrying": True})

    @router.post("/{id}/retry", status_code=202, response_model=Reply[Retrying], responses=refusals(404, 409))
    def retry(_caller: AsOperator, request: Request, id: StoredId) -> dict[str, Any]:
        """Try one again soon. If it still does not fit, it keeps its number and has the new reason."""
        note(request, **_place(_found(api.link, id)))
        api.running.retry_dead_letter(id)
        return reply({"retrying": True})

    @router.delete("/{id}", response_model=Reply[DeadLetterFacts], responses=refusals(404, 409))
    def discard(_caller: AsOperator, request: Request, id: StoredId) -> dict[str, Any]:
        """Give one up: the hub's change is not applied here, until the document changes there again or sides are compared."""
        link = api.link
        found = _found(link, id)
        note(request, **_place(found))
        if not link.storage.write(lambda view: link.dead_letters.discard(view, id), OperationContext()):
            raise ApiError(409, "changed_since", "it has just been settled")
        return reply(_letter(found))

    return router


def _found(link: Link, id: int) -> DeadLetter:
    found = link.read(lambda view: link.dead_letters.get(view, id))
    if found is None:
        raise not_found(f"dead letter {id}")
    return found


def _place(letter: DeadLetter) -> dict[str, Any]:
    return {"namespace": str(letter.namespace), "document_id": as_json(letter.record["_id"])}


def _letter(letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    return {
        "id": letter.id,
        **_place(letter),
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
