"""The one envelope of every answer, and the one shape of every error.

    {"success": true, "data": …}
    {"success": false, "error": {"code": "not_found", "message": "…", "details": {…}}}

`code` is for programs and never changes its spelling; `message` is for people.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final, Generic, Literal, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException

from skerry.admin.tokens import TokenTakenError
from skerry.errors import (
    CollectionNotFoundError,
    CommandError,
    ConfigurationError,
    CoordinationError,
    ShutdownError,
    SkerryError,
    code_name,
)
from skerry.sync.link_removal import LinkHasUnpushedError, LinkIsRunError, LinkNotKnownError

LOG: Final = logging.getLogger("skerry.admin")

_OF_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


Data = TypeVar("Data")


class Answer(BaseModel):
    """The data of an answer, field by field: one that is not told of here is a defect, never sent."""

    model_config = ConfigDict(extra="forbid")


class Reply(BaseModel, Generic[Data]):
    """An answer."""

    success: Literal[True] = True
    data: Data


class ErrorFacts(BaseModel):
    """What went wrong."""

    code: str
    message: str
    details: dict[str, Any] = {}


class Failure(BaseModel):
    """A refusal."""

    success: Literal[False] = False
    error: ErrorFacts


class ApiError(SkerryError):
    """A refusal with its HTTP status."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = dict(details or {})


def reply(data: Any) -> dict[str, Any]:
    """Return the envelope of an answer."""
    return {"success": True, "data": data}


def failure(
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the answer that refuses."""
    facts = {"code": code, "message": message, "details": dict(details or {})}
    return JSONResponse({"success": False, "error": facts}, status, headers)


def not_found(what: str) -> ApiError:
    """Return the refusal for `what` that does not exist."""
    return ApiError(404, "not_found", f"there is no {what}")


def add_error_handlers(app: FastAPI) -> None:
    """Have every error of `app` take the one shape."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SkerryError, _skerry)
    app.add_exception_handler(PyMongoError, _hub)
    app.add_exception_handler(Exception, _unexpected)


def _api_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return failure(error.status, error.code, str(error), error.details)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [{"where": ".".join(map(str, each["loc"])), "message": each["msg"]} for each in error.errors()]
    message = "; ".join(f"{field['where']}: {field['message']}" for field in fields)
    return failure(400, "bad_request", message, {"fields": fields})


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return failure(
        error.status_code, _OF_STATUS.get(error.status_code, "bad_request"), str(error.detail), headers=error.headers
    )


def _skerry(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ConfigurationError):
        facts = {"setting": error.setting, "allowed": error.allowed, "code": error.code}
        return failure(400, "bad_value", str(error), facts)
    if isinstance(error, CoordinationError):
        status = 404 if isinstance(error, CollectionNotFoundError) else 409
        return failure(status, error.code, str(error), error.facts)
    if isinstance(error, TokenTakenError):
        return failure(409, "exists", str(error))
    if isinstance(error, LinkHasUnpushedError):
        waiting = {"unpushed": error.unpushed.documents, "untracked": list(error.unpushed.untracked)}
        return failure(409, "unpushed", str(error), waiting)
    if isinstance(error, LinkIsRunError):
        return failure(409, "link_runs", str(error))
    if isinstance(error, LinkNotKnownError):
        return failure(404, "not_found", str(error))
    if isinstance(error, ShutdownError):
        return failure(503, "stopping", "the node is stopping")
    if isinstance(error, CommandError):
        return failure(400, "command_failed", error.message, {"code": error.code, "codeName": code_name(error.code)})
    return _unexpected(request, error)


def _hub(_request: Request, error: Exception) -> JSONResponse:
    return failure(502, "hub_failed", f"the hub did not answer: {type(error).__name__}")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return failure(500, "internal", f"{type(error).__name__}; the node's log has the details")
