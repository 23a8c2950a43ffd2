"""What `/openapi.json` says of refusals: each route's, by what stands before it and what it takes.

A route names those of its own (`responses=refusals(404, 409)`); those of the gate, of the roles and of wrong parameters are
added here, so that no route has to repeat them.
"""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from skerry.admin.gate import OPEN_PATHS
from skerry.admin.responses import Failure

_MEANING: Final = {
    400: "Something in the request is wrong",
    401: "A token of this node is needed",
    403: "The role is too low, or a session's request came from another origin",
    404: "There is no such thing",
    409: "The node is not in a state for it",
    413: "The body has no length, or is too large",
    429: "Too many wrong tokens",
    500: "A defect of the node; its log has the details",
    502: "The hub did not answer",
    503: "The node is stopping, or cannot do more at a time",
}
_OF_EVERY_ROUTE: Final = (500, 503)
_OF_THE_GATE: Final = (401, 413, 429)
_INVALID: Final = "422"  # as FastAPI calls it; this API answers 400


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what to say of the refusals of a route."""
    return {status: {"model": Failure, "description": _MEANING[status]} for status in statuses}


def describe_refusals(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Have the OpenAPI document of `app` name the refusals of every route of `routers`, which it has all included."""
    whole = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for route in (each for router in routers for each in router.routes if isinstance(each, APIRoute)):
        for method in route.methods or ():
            described = whole["paths"][route.path][method.lower()]["responses"]
            described.pop(_INVALID, None)
            for status in _common_to(route):
                described.setdefault(str(status), {"description": _MEANING[status], "content": failure})
    for unused in ("HTTPValidationError", "ValidationError"):
        whole["components"]["schemas"].pop(unused, None)
    app.openapi = lambda: whole  # type: ignore[method-assign]  # FastAPI's manual, Extending OpenAPI


def _common_to(route: APIRoute) -> Iterable[int]:
    yield from _OF_EVERY_ROUTE
    if route.path in OPEN_PATHS:
        return
    yield from _OF_THE_GATE
    takes = route.dependant
    if takes.path_params or takes.query_params or takes.body_params:
        yield 400
    if _takes_role(takes):
        yield 403


def _takes_role(dependant: Dependant) -> bool:
    return any(hasattr(each.call, "role") for each in dependant.dependencies)
