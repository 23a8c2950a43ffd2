"""A command that took long, as the log of slow operations shows it: without the values that its sender put into it."""

from typing import Any, Final

from skerry.commands.command import Reply, Request
from skerry.commands.raw_reply import RawReply
from skerry.engine.slow_operations import slow_operation
from skerry.values import documents
from skerry.values.document_shape import shape_of

_LEFT_OUT: Final = frozenset(
    ("$db", "lsid", "$clusterTime", "txnNumber", "autocommit", "startTransaction", "$readPreference", "readConcern",
     "writeConcern", "apiVersion", "apiStrict", "apiDeprecationErrors", "maxTimeMS", "comment")
)  # fmt: skip
_STATEMENTS: Final = frozenset(("updates", "deletes", "ops"))
_COUNTED: Final = frozenset(("documents", "nsInfo"))
_WAITING: Final = frozenset(("hello", "isMaster", "ismaster"))
"""Slow is what they are for, when they are asked to wait."""


def note_if_slow(request: Request, seconds: float, reply: Reply | None, error_code: int = 0) -> None:
    """Tell the engine of a command that worked for longer than its limit; waiting for new events is no work."""
    seconds -= request.ctx.waited_seconds
    if seconds * 1000 <= request.engine.config.slow_ms or request.name in _WAITING:
        return
    request.engine.slow_operations.note(
        slow_operation(
            request.name,
            _namespace(request),
            _shape(request),
            request.ctx.examined,
            returned=_returned(reply),
            seconds=seconds,
            error_code=error_code,
        )
    )


def _namespace(request: Request) -> str:
    name = request.body.get("collection") if request.name == "getMore" else request.body[request.name]
    return f"{request.db}.{name}" if isinstance(name, str) else request.db


def _shape(request: Request) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    for name, value in request.body.items():
        if name == request.name:
            shape[name] = value if isinstance(value, str) else shape_of(value)
        elif name in _COUNTED and isinstance(value, list):
            shape[name] = f"?{len(value)} documents"
        elif name not in _LEFT_OUT:
            shape[name] = shape_of({name: value})[name]
    for name, sequence in request.sequences.items():
        if name in _STATEMENTS:
            shape[name] = shape_of([documents.decode(raw) for raw in sequence[:10]])
        else:
            shape[name] = f"?{len(sequence)} documents"
    return shape


def _returned(reply: Reply | None) -> int:
    if isinstance(reply, RawReply):
        return reply.documents
    found = (reply or {}).get("n", 0)
    return found if isinstance(found, int) else 0
