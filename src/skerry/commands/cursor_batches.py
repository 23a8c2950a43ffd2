"""First batches: from an engine's cursor to a reply, and what is kept of the cursor for `getMore`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from skerry.commands.command import Request
from skerry.commands.command_fields import CommandFields, count_of
from skerry.commands.raw_reply import RawReply, cursor_reply
from skerry.engine.cursor import ActiveOperation, Cursor
from skerry.errors import TypeMismatchError
from skerry.values import documents
from skerry.values.namespace import Namespace

FIRST_BATCH_DOCUMENTS: Final = 101  # MongoDB's own default; later batches are limited by size alone
BATCH_BYTES_MAX: Final = documents.MAX_DOCUMENT_BYTES

CURSOR_OPTIONS: Final = CommandFields("cursor", {"batchSize": count_of}, generic=False)


def cursor_options(value: Any, command: str, _field: str) -> Mapping[str, Any]:
    """The `cursor` field of commands that answer with one."""
    if not isinstance(value, Mapping):
        raise TypeMismatchError(f"{command}: cursor field must be missing or an object")
    return CURSOR_OPTIONS.read(value)


def cursor_namespace(namespace: Namespace) -> str:
    """How a cursor's namespace is shown; that of a database's pipeline has no collection of its own."""
    return str(namespace) if namespace.coll else f"{namespace.db}.$cmd.aggregate"


def first_batch(request: Request, cursor: Cursor, batch_size: int | None, *, single_batch: bool = False) -> RawReply:
    """Answer with the first documents of `cursor`; keep it when there may be more."""
    limit = FIRST_BATCH_DOCUMENTS if batch_size is None else batch_size
    try:
        batch = cursor.next_batch(limit, BATCH_BYTES_MAX, request.ctx)
    except BaseException:
        cursor.close()
        raise
    cursor_id = 0
    if cursor.exhausted or single_batch:
        cursor.close()
    else:
        cursor_id = request.engine.cursors.keep(cursor)
    return cursor_reply(
        batch,
        cursor_id=cursor_id,
        namespace=cursor_namespace(cursor.namespace),
        batch_name=b"firstBatch",
        resume_token=cursor.post_batch_resume_token,
    )


def listed(
    request: Request, namespace: Namespace, items: Sequence[Mapping[str, Any]], batch_size: int | None
) -> RawReply:
    """Answer with a list that the engine gave as a whole, in batches like any cursor."""
    raws = (documents.encode(item) for item in items)
    return first_batch(request, Cursor(namespace, raws, ActiveOperation(request.ctx)), batch_size)
