"""What travels, and which way: seen and changed while the node runs. Changes are kept in the store and take effect at once."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, StrictBool

from skerry.admin.api import Api
from skerry.admin.bson_json import as_json, from_json
from skerry.admin.gate import AsAdmin, AsOperator, note
from skerry.admin.link_answers import NoLink
from skerry.admin.openapi import refusals
from skerry.admin.responses import ApiError, Reply, not_found, reply
from skerry.admin.selection_answers import (
    CollectionFacts,
    DirectionFacts,
    Enabled,
    Exclusions,
    SelectionFacts,
    Thawed,
    exclusions_of,
    override_facts,
    rules,
)
from skerry.config.sync_config import Direction, SelectionRule
from skerry.matcher.compile import compile_filter
from skerry.sync import link_records, selection_override
from skerry.sync.link import Link
from skerry.sync.selection_override import SelectionOverride, checked_patterns
from skerry.values.namespace import Namespace


class ToggleOrder(BaseModel):
    """`enabled` false: nothing of the hub comes down; local changes still go up."""

    enabled: StrictBool


class ExclusionOrder(BaseModel):
    """The whole list, in the place of the one before. `bidirectional` true: excluded from coming down only."""

    collections: list[str]
    bidirectional: StrictBool = True


class DirectionOrder(BaseModel):
    """`filter`: a query in Extended JSON; only documents that match it travel, null: all do."""

    direction: Direction
    filter: dict[str, Any] | None = None


def selection_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/sync", tags=["selection"])
    _add_switches(router, api)
    _add_collections(router, api)
    return router


def _add_switches(router: APIRouter, api: Api) -> None:
    @router.post("/bidirectional/toggle", response_model=Reply[Enabled], responses=refusals(409))
    def toggle(_caller: AsOperator, request: Request, order: ToggleOrder) -> dict[str, Any]:
        """Have the hub's changes come down, or not; when they do again, both sides are compared first."""
        note(request, enabled=order.enabled)
        _change(api, lambda stored: replace(stored, both_ways=order.enabled))
        return reply({"enabled": order.enabled})

    @router.get("/bidirectional/excluded-collections", response_model=Reply[NoLink | Exclusions])
    def exclusions() -> dict[str, Any]:
        """Which collections take nothing from the hub (`bidirectional`), and which do not travel at all (`excluded`).

        A node without a hub answers `enabled: false`.
        """
        replicator = api.node.replicator
        return reply({"enabled": False} if replicator is None else exclusions_of(_stored(replicator.link)))

    @router.put("/bidirectional/excluded-collections", response_model=Reply[Exclusions], responses=refusals(409))
    def exclude(_caller: AsAdmin, request: Request, order: ExclusionOrder) -> dict[str, Any]:
        """Exclude collections; `database.collection` with `*`, or only a collection's name for every database."""
        note(request, collections=order.collections, bidirectional=order.bidirectional)
        patterns = checked_patterns(order.collections)

        def change(stored: SelectionOverride) -> SelectionOverride:
            if order.bidirectional:
                return replace(stored, excluded_from_pull=patterns)
            return replace(stored, excluded=patterns)

        return reply(exclusions_of(_change(api, change)))

    @router.get("/selection", response_model=Reply[SelectionFacts], responses=refusals(409))
    def selection() -> dict[str, Any]:
        """The rules as configured, what was changed of them since, and those in effect."""
        replicator = api.replicator
        link = replicator.link
        return reply(
            {
                "configured": rules(link.config.rules),
                "override": override_facts(_stored(link)),
                "effective": rules(link.selection.rules),
                "frozen": dict(link.selection.frozen),
                "version": link.selection.version,
            }
        )


def _add_collections(router: APIRouter, api: Api) -> None:
    @router.get("/collections", response_model=Reply[list[CollectionFacts]], responses=refusals(409))
    def collections() -> dict[str, Any]:
        """The collections of this node and of the link: direction, count, what waits, whether it has been compared."""
        return reply(_collections(api.link))

    @router.put("/collections/{namespace}/direction", response_model=Reply[DirectionFacts], responses=refusals(409))
    def set_direction(_caller: AsAdmin, request: Request, namespace: str, order: DirectionOrder) -> dict[str, Any]:
        """Give a collection, or a pattern, another direction and filter than the configured ones. Both sides are compared then.

        What leaves the scope of the filter is removed here and stays on the hub; what comes into it comes.
        """
        note(request, direction=order.direction.value, filter=order.filter)
        rule = SelectionRule(namespace, order.direction, _checked(order))
        _change(api, lambda stored: stored.with_direction(rule.pattern, rule.direction, rule.filter))
        return reply({"namespace": namespace, "direction": order.direction.value, "filter": order.filter or None})

    @router.delete(
        "/collections/{namespace}/direction", response_model=Reply[DirectionFacts], responses=refusals(404, 409)
    )
    def reset_direction(_caller: AsAdmin, namespace: str) -> dict[str, Any]:
        """Have a collection travel as configured again."""
        if namespace not in [rule.pattern for rule in _stored(api.link).directions]:
            raise not_found(f"direction set for {namespace!r}")
        _change(api, lambda stored: stored.with_direction(namespace, None))
        return reply({"namespace": namespace, "direction": "as configured", "filter": None})

    @router.post("/collections/{namespace}/thaw", response_model=Reply[Thawed], responses=refusals(404, 409))
    def thaw(_caller: AsAdmin, namespace: str) -> dict[str, Any]:
        """Let a frozen collection travel again, beginning with a comparison: what the hub dropped is deleted here then."""
        replicator = api.running
        if namespace not in replicator.link.selection.frozen:
            raise not_found(f"frozen collection {namespace!r}")
        replicator.thaw(Namespace.parse(namespace))
        return reply({"namespace": namespace, "thawed": True})


def _stored(link: Link) -> SelectionOverride:
    return link.read(lambda view: selection_override.load(view, link.name))


def _change(api: Api, change: Callable[[SelectionOverride], SelectionOverride]) -> SelectionOverride:
    """Change the override and return what it is now; an order that changes nothing leaves the stream alone."""
    replicator = api.replicator
    with api.selection_lock:
        stored = _stored(replicator.link)
        changed = change(stored)
        if changed != stored:
            replicator.override_selection(changed)
    return changed


def _checked(order: DirectionOrder) -> str:
    """Return the filter as rules have it. Raises `CommandError` as MongoDB would for a query like this, and `ApiError` 400."""
    if not order.filter:
        return ""
    if order.direction is Direction.NONE:
        raise ApiError(400, "bad_value", "a filter goes with a direction in which documents travel")
    compile_filter(from_json(order.filter))
    return json.dumps(order.filter)


def _collections(link: Link) -> list[dict[str, Any]]:
    with link.storage.read() as view:
        entries = link.storage.catalog.snapshot(view).collections
        counts = {
            str(Namespace(db, name)): count
            for db, name, count in view.rows("SELECT db, name, document_count FROM collection")
        }
        waiting = link.shadows.waiting(view)
        copied = link_records.load(view, link.name, link_records.COPY) or {"pending": [], "complete": {}}
        known = {str(each) for each in link.shadows.namespaces(view)}
    views = {str(entry.namespace) for entry in entries.values() if "viewOn" in entry.options}
    found = []
    for name in sorted((set(counts) - views) | known | set(copied["pending"])):
        direction = link.selection.direction(Namespace.parse(name))
        frozen = link.selection.frozen.get(name)
        found.append(
            {
                "namespace": name,
                "direction": direction.value,
                "filter": as_json(link.selection.query(Namespace.parse(name))) or None,
                "documents": counts.get(name, 0),
                "waiting": waiting.get(name, 0),
                "state": _state(name, direction, frozen, copied),
                "frozen": frozen,
            }
        )
    return found


def _state(name: str, direction: Direction, frozen: str | None, copied: dict[str, Any]) -> str:
    if direction is Direction.NONE:
        return "local"
    if frozen is not None:
        return "frozen"
    return "comparing" if name in copied["pending"] else "following"
