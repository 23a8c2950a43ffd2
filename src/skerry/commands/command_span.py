"""The span of one command, with the names of OpenTelemetry's semantic conventions for MongoDB."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from skerry.commands.command import Request
from skerry.errors import CommandError
from skerry.tracing import span

if TYPE_CHECKING:
    from opentelemetry.trace import Span


def command_span(request: Request) -> "AbstractContextManager[Span | None]":
    """Return a span around the command's work; only to be called while spans are made."""
    attributes: dict[str, Any] = {
        "db.system": "mongodb",  # what collectors know it by that follow the conventions of before 2025
        "db.system.name": "mongodb",
        "db.namespace": request.db,
        "db.operation.name": request.name,
    }
    collection = request.body.get("collection") if request.name == "getMore" else request.body[request.name]
    title = request.name
    if isinstance(collection, str):
        attributes["db.collection.name"] = collection
        title = f"{request.name} {collection}"
    if request.client.address:
        attributes["client.address"] = request.client.address
    return span(title, attributes)


def note_code(made: "Span | None", error: CommandError) -> None:
    """Put MongoDB's code of a failure into its span."""
    if made is not None:
        made.set_attribute("db.response.status_code", str(error.code))
