"""The link: what it does, starting, pausing and stopping it, comparing both sides, and its events as they come."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, StrictBool
from starlette.concurrency import run_in_threadpool

from skerry.admin.api import Api
from skerry.admin.bson_json import as_json, id_from_text
from skerry.admin.document_answers import DocumentFacts
from skerry.admin.full_sync_run import FullSyncProgress
from skerry.admin.gate import AsAdmin, AsOperator, note
from skerry.admin.link_answers import (
    EnabledLinkFacts,
    ForgottenLink,
    LinkFacts,
    LinkWithRules,
    NoLinkStatus,
    ResetLink,
    UnattendedLink,
)
from skerry.admin.openapi import refusals
from skerry.admin.responses import Answer, ApiError, Reply, not_found, reply
from skerry.admin.selection_answers import rules
from skerry.admin.verify_run import VerifyProgress
from skerry.config.sync_config import Direction
from skerry.sync import link_removal, link_switch
from skerry.sync.document_history import document_history
from skerry.sync.link_removal import Unpushed
from skerry.sync.sync_health import LinkState, LinkStatus
from skerry.values.namespace import Namespace

EVENT_SECONDS: Final = 1.0
KEEP_ALIVE_SECONDS: Final = 15.0
STREAMS_MAX: Final = 16
STREAMS_OF_CALLER_MAX: Final = 4
_CHANGING: Final = ("oldest_dirty_ms", "stream_age_ms")  # differ at every look


_EVENT_STREAM: Final = "text/event-stream"
_EVENT_SCHEMA: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {"event": {"enum": ["status", "lag"]}, "data": {"type": "string", "description": "JSON"}},
}
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_EVENT_STREAM: {"schema": _EVENT_SCHEMA}}, "description": "Events, until one side ends it"},
    **refusals(409),
}


class VerifyOrder(BaseModel):
    """Which collections to compare; none given: all that travel."""

    collections: list[str] | None = None


class ResetOrder(BaseModel):
    """`force`: also when documents wait to be pushed."""

    force: StrictBool = False


class Changed(Answer):
    """Whether anything was changed by the order: false when it was so already."""

    changed: bool


class State(Answer):
    state: str


def sync_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/sync", tags=["sync"])
    _add_reading(router, api)
    _add_switches(router, api)
    _add_leaving(router, api)
    _add_comparisons(router, api)
    _add_events(router, api)
    return router


def _add_reading(router: APIRouter, api: Api) -> None:
    @router.get("/status", response_model=Reply[NoLinkStatus | EnabledLinkFacts])
    def status() -> dict[str, Any]:
        """The link's state and what waits; `enabled: false` for a node without a hub, or with a wrong sync setting."""
        replicator = api.node.replicator
        if replicator is None:
            return reply({"enabled": False, "error": api.node.sync_fault})
        return reply({"enabled": True, **replicator.status().to_document()})

    @router.get("/links", response_model=Reply[list[LinkFacts | UnattendedLink]])
    def links() -> dict[str, Any]:
        """The link of this node, and those that local writes are captured for although this node does not run them."""
        replicator = api.node.replicator
        own = [] if replicator is None else [replicator.status().to_document()]
        with api.node.engine.storage.read() as view:
            known = link_removal.known_links(view)
        others = [
            {"link": each.name, "state": "unattended", "run_by": each.run_by, **_unpushed(each.unpushed)}
            for each in known
            if replicator is None or each.name != replicator.link.name
        ]
        return reply([*own, *others])

    @router.get("/links/{name}", response_model=Reply[LinkWithRules], responses=refusals(404, 409))
    def link(name: str) -> dict[str, Any]:
        """One link, with its rules."""
        replicator = api.replicator
        if replicator.link.name != name:
            raise not_found(f"link {name!r}")
        return reply({**replicator.status().to_document(), "rules": rules(replicator.link.selection.rules)})

    @router.get("/documents", response_model=Reply[DocumentFacts], responses=refusals(409))
    def document(_caller: AsOperator, namespace: str, id: str, hub: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Where one document stands and what happened to it; `id` is Extended JSON or a string. `hub`: look there as well."""
        found = document_history(api.link, Namespace.parse(namespace), id_from_text(id), ask_hub=hub)
        return reply(as_json(found))


def _add_switches(router: APIRouter, api: Api) -> None:
    @router.post("/start", response_model=Reply[Changed], responses=refusals(409))
    def start(_caller: AsOperator) -> dict[str, Any]:
        """Start the link after it was stopped."""
        _ = api.replicator
        return reply({"changed": api.node.start_sync()})

    @router.post("/stop", response_model=Reply[Changed], responses=refusals(409))
    def stop(caller: AsOperator) -> dict[str, Any]:
        """Stop the link until it is started, also over restarts of the node; local writes are still captured."""
        _ = api.replicator
        return reply({"changed": api.node.stop_sync(caller.name)})

    @router.post("/pause", response_model=Reply[State], responses=refusals(409))
    def pause(caller: AsOperator) -> dict[str, Any]:
        """Send and take nothing until `resume`, also over restarts of the node."""
        running = api.running
        link = running.link
        link.write(lambda view: link_switch.switch_off(view, link.name, LinkState.PAUSED, caller.name), durable=True)
        running.pause()
        return reply({"state": running.status().state.value})

    @router.post("/resume", response_model=Reply[State], responses=refusals(409))
    def resume(_caller: AsOperator) -> dict[str, Any]:
        """Go on after a pause, or try again at once after a refusal."""
        running = api.running
        link = running.link
        link.write(lambda view: link_switch.switch_on(view, link.name), durable=True)
        running.resume()
        return reply({"state": running.status().state.value})


def _add_leaving(router: APIRouter, api: Api) -> None:
    @router.post("/reset", response_model=Reply[ResetLink], responses=refusals(409))
    def reset(_caller: AsAdmin, request: Request, order: ResetOrder | None = None) -> dict[str, Any]:
        """Have the link forget its hub and begin anew, with the one at its address: both sides are compared as at first.

        Where they differ the hub's version stands, and the one here is kept in the conflict log; that goes for the `unpushed`
        documents, too. 409 while such documents wait, unless `force` is given.
        """
        is_forced = order is not None and order.force
        note(request, force=is_forced)
        link = api.replicator.link
        with api.selection_lock:
            waited = api.node.reset_sync(force=is_forced)
        return reply({"link": link.name, "state": api.replicator.status().state.value, **_unpushed(waited)})

    @router.delete("/links/{name}", response_model=Reply[ForgottenLink], responses=refusals(404, 409))
    def forget(_caller: AsAdmin, request: Request, name: str, force: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Forget a link that nobody runs any more: nothing is captured for it from then on. Its conflicts stay.

        409 for the link of this node or another process, and while documents wait to be pushed, unless `force` is given.
        """
        note(request, force=force)
        replicator = api.node.replicator
        if replicator is not None and replicator.link.name == name:
            raise ApiError(
                409, "link_runs", f"link {name!r} is this node's; reset it, or take its hub from the settings"
            )
        waited = link_removal.forget_link(api.node.engine.storage, name, force=force)
        return reply({"link": name, **_unpushed(waited)})


def _unpushed(found: Unpushed) -> dict[str, Any]:
    return {"unpushed": found.documents, "untracked": list(found.untracked)}


def _add_comparisons(router: APIRouter, api: Api) -> None:
    @router.post("/full", status_code=202, response_model=Reply[FullSyncProgress], responses=refusals(409))
    def start_full_sync(_caller: AsOperator) -> dict[str, Any]:
        """Compare every collection and repair what differs; 409 while one is under way or the hub is out of reach."""
        api.full_syncs.start(api.running)
        return reply(api.full_syncs.progress(api.replicator))

    @router.get("/full", response_model=Reply[FullSyncProgress], responses=refusals(409))
    def full_sync() -> dict[str, Any]:
        """How far the full sync has come."""
        return reply(api.full_syncs.progress(api.replicator))

    @router.post("/verify", status_code=202, response_model=Reply[VerifyProgress], responses=refusals(409))
    def start_verify(_caller: AsOperator, request: Request, order: VerifyOrder | None = None) -> dict[str, Any]:
        """Compare both sides and change nothing; 409 while a comparison is running."""
        names = None if order is None else order.collections
        only = None if names is None else [Namespace.parse(name) for name in names]
        note(request, collections=names)
        still = [name for name in only or () if api.link.selection.direction(name) is Direction.NONE]
        if still:
            raise ApiError(400, "bad_value", f"{still[0]} does not travel: there is nothing to compare it with")
        if not api.verifies.start(api.running, only):
            raise ApiError(409, "verify_running", "a comparison is running")
        return reply(api.verifies.progress())

    @router.get("/verify", response_model=Reply[VerifyProgress])
    def verify() -> dict[str, Any]:
        """The running comparison, or the last one."""
        return reply(api.verifies.progress())

    @router.delete("/verify", response_model=Reply[Changed])
    def cancel_verify(_caller: AsOperator) -> dict[str, Any]:
        """End the running comparison."""
        return reply({"changed": api.verifies.cancel()})


def _add_events(router: APIRouter, api: Api) -> None:
    open_streams: Counter[str] = Counter()  # by the name of the token

    @router.get("/events", response_class=StreamingResponse, responses=_EVENTS)
    async def events(request: Request, once: Annotated[bool, Query()] = False) -> StreamingResponse:  # noqa: FBT002
        """Server-sent events: `status` when anything but the lags has changed, `lag` every second something waits.

        `once`: only the first.
        """
        caller = request.state.caller.name
        if open_streams.total() >= STREAMS_MAX or open_streams[caller] >= STREAMS_OF_CALLER_MAX:
            message = f"at most {STREAMS_OF_CALLER_MAX} event streams for a token, and {STREAMS_MAX} in all, at a time"
            raise ApiError(503, "too_many_streams", message)
        _ = api.replicator

        async def stream() -> AsyncIterator[str]:
            open_streams[caller] += 1
            try:
                async for text in _events(api, is_single=once):
                    yield text
            finally:
                open_streams[caller] -= 1

        return StreamingResponse(stream(), media_type=_EVENT_STREAM, headers={"Cache-Control": "no-store"})


async def _events(api: Api, *, is_single: bool) -> AsyncIterator[str]:
    last: dict[str, Any] | None = None
    sent = time.monotonic()
    while not api.stopping.is_set():
        status: LinkStatus = await run_in_threadpool(api.replicator.status)
        shown = status.to_document()
        stable = {name: value for name, value in shown.items() if name not in _CHANGING}
        if stable != last:
            last, sent = stable, time.monotonic()
            yield _event("status", shown)
            if is_single:
                return
        elif status.oldest_dirty_ms is not None:
            sent = time.monotonic()
            yield _event("lag", {name: shown[name] for name in _CHANGING})
        elif time.monotonic() - sent > KEEP_ALIVE_SECONDS:
            sent = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(EVENT_SECONDS)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
