"""`find`, `getMore`, `killCursors`, `count` and `distinct` (manual: Query Commands)."""

import time
from typing import Any, Final

from bson.int64 import Int64

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request, checked_namespace
from skerry.commands.command_fields import CommandFields
from skerry.commands.cursor_access import check_cursor_access
from skerry.commands.cursor_batches import BATCH_BYTES_MAX, cursor_namespace, first_batch
from skerry.commands.generic_arguments import max_time_ms
from skerry.commands.query_fields import let_variables, sort_pattern
from skerry.commands.raw_reply import RawReply, cursor_reply
from skerry.engine.cursor import Cursor
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CountQuery, FindQuery
from skerry.errors import BadValueError, CommandError, FailedToParseError, TypeMismatchError, UnauthorizedError
from skerry.values import documents
from skerry.values.type_order import type_name_of

_AWAIT_SECONDS: Final = 1.0  # MongoDB's own, where getMore has no maxTimeMS
_CURSOR_OF_OTHER_TRANSACTION: Final = 50741
_DISTINCT_TOO_BIG: Final = 17217
_NO_FILTER: Final[dict[str, Any]] = {}


def _find(request: Request) -> RawReply:
    arguments = request.arguments
    namespace = request.namespace()
    get = arguments.get
    if get("awaitData") and not get("tailable"):
        raise FailedToParseError("Cannot set 'awaitData' without also setting 'tailable'")
    cursor = request.engine.find(namespace, find_query(arguments), request.ctx)
    cursor.ends_when_idle = not get("noCursorTimeout", False)
    return first_batch(request, cursor, get("batchSize"), single_batch=get("singleBatch", False))


def find_query(arguments: Any) -> FindQuery:
    """Return the query that the checked fields of a `find` ask for."""
    get = arguments.get
    return FindQuery(
        filter=get("filter", _NO_FILTER),
        sort=get("sort"),
        projection=get("projection"),
        skip=get("skip", 0),
        limit=get("limit") or None,
        hint=get("hint") or None,
        let=get("let"),
        tailable=get("tailable", False),
        await_data=get("awaitData", False),
    )


def _get_more(request: Request) -> RawReply:
    arguments = request.arguments
    engine, ctx = request.engine, request.ctx
    check_cursor_access(request, arguments["getMore"])
    with engine.cursors.use(arguments["getMore"], ctx.lsid) as cursor:
        _check_cursor(cursor, request)
        batch_size = arguments.get("batchSize") or None
        if cursor.is_tailable:
            batch = _await_batch(cursor, batch_size, arguments.get("maxTimeMS"), ctx)
        else:
            if arguments.get("maxTimeMS"):
                raise BadValueError("cannot set maxTimeMS on getMore command for a non-awaitData cursor")
            batch = cursor.next_batch(batch_size, BATCH_BYTES_MAX, ctx)
        return cursor_reply(
            batch,
            cursor_id=0 if cursor.exhausted else cursor.id,
            namespace=cursor_namespace(cursor.namespace),
            batch_name=b"nextBatch",
            resume_token=cursor.post_batch_resume_token,
        )


def _check_cursor(cursor: Cursor, request: Request) -> None:
    wanted = f"{request.db}.{request.arguments['collection']}"
    if wanted != cursor_namespace(cursor.namespace):
        raise UnauthorizedError(
            f"Requested getMore on namespace '{wanted}', but cursor belongs to a different namespace"
            f" {cursor_namespace(cursor.namespace)}"
        )
    own = request.ctx.txn_number if request.ctx.transaction is not None else None
    if cursor.txn_number != own:
        raise CommandError(
            f"Cannot run getMore on cursor {cursor.id}, which was created in transaction {cursor.txn_number},"
            f" in transaction {own}",
            _CURSOR_OF_OTHER_TRANSACTION,
        )


def _await_batch(
    cursor: Cursor, batch_size: int | None, milliseconds: int | None, ctx: OperationContext
) -> list[bytes]:
    """The next batch of a cursor that may grow: empty only when nothing came in time, or the cursor has ended."""
    until = time.monotonic() + (_AWAIT_SECONDS if milliseconds is None else milliseconds / 1000)
    while True:
        batch = cursor.next_batch(batch_size, BATCH_BYTES_MAX, ctx)
        remaining = until - time.monotonic()
        if batch or cursor.exhausted or remaining <= 0:
            return batch
        waiting = time.monotonic()
        cursor.await_data(remaining)
        ctx.waited_seconds += time.monotonic() - waiting


def _kill_cursors(request: Request) -> dict[str, Any]:
    for cursor_id in request.arguments["cursors"]:
        check_cursor_access(request, cursor_id, to_kill=True)
    killed: list[Int64] = []
    not_found: list[Int64] = []
    for cursor_id in request.arguments["cursors"]:
        if not isinstance(cursor_id, int) or isinstance(cursor_id, bool):
            raise TypeMismatchError(
                f"BSON field 'killCursors.cursors' is the wrong type '{type_name_of(cursor_id)}', expected type 'long'"
            )
        (killed if request.engine.cursors.kill(int(cursor_id)) else not_found).append(Int64(cursor_id))
    return {"cursorsKilled": killed, "cursorsNotFound": not_found, "cursorsAlive": [], "cursorsUnknown": []}


def _count(request: Request) -> dict[str, Any]:
    return {"n": request.engine.count(request.namespace(), count_query(request.arguments), request.ctx)}


def count_query(arguments: Any) -> CountQuery:
    """Return what the checked fields of a `count` ask for; a negative limit means its amount, as with the server."""
    get = arguments.get
    return CountQuery(
        filter=get("query", _NO_FILTER),
        skip=get("skip", 0),
        limit=abs(get("limit", 0)) or None,
        hint=get("hint") or None,
    )


def _distinct(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    values = request.engine.distinct(
        request.namespace(),
        arguments["key"],
        arguments.get("query", _NO_FILTER),
        request.ctx,
        hint=arguments.get("hint") or None,
    )
    reply = {"values": values}
    if len(documents.encode(reply)) > documents.MAX_DOCUMENT_BYTES:
        raise CommandError("distinct too big, 16mb cap", _DISTINCT_TOO_BIG)
    return reply


def _cursor_collection(value: Any, command: str, field: str) -> str:
    """A collection's name, or what stands for one where a database is asked (`$cmd.aggregate`)."""
    name = fields.string(value, command, field)
    if not name.startswith("$cmd."):
        checked_namespace("db", name)
    return name


def _killed_collection(value: Any, command: str, field: str) -> str:
    return _cursor_collection(fields.collection_name(value, command, field), command, field)


def _cursor_id(value: Any, command: str, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise fields.wrong_type(value, command, field, "long")
    return int(value)


def _await_time(value: Any, command: str, _field: str) -> int:
    return max_time_ms(value, command)


FIND: Final = Command(
    _find,
    CommandFields(
        "find",
        {
            "find": fields.collection_name,
            "filter": fields.document,
            "sort": sort_pattern,
            "projection": fields.document,
            "hint": fields.string_or_document,
            "skip": fields.count_of,
            "limit": fields.count_of,
            "batchSize": fields.count_of,
            "singleBatch": fields.truth,
            "max": fields.refused("use a filter"),
            "min": fields.refused("use a filter"),
            "returnKey": fields.refused("use a projection"),
            "showRecordId": fields.refused("records have no stable number"),
            "tailable": fields.truth,
            "awaitData": fields.truth,
            "oplogReplay": fields.truth,
            "noCursorTimeout": fields.truth,
            "allowPartialResults": fields.truth,
            "allowDiskUse": fields.truth,
            "readOnce": fields.truth,
            "collation": fields.collation,
            "let": let_variables,
        },
        required=("find",),
    ),
    InTransaction.YES,
    in_stable_api=True,
)
GET_MORE: Final = Command(
    _get_more,
    CommandFields(
        "getMore",
        {
            "getMore": _cursor_id,
            "collection": _cursor_collection,
            "batchSize": fields.count_of,
            "maxTimeMS": _await_time,
            "term": fields.anything,
            "lastKnownCommittedOpTime": fields.anything,
        },
        required=("getMore", "collection"),
    ),
    InTransaction.YES,
    in_stable_api=True,
    awaits=True,
)
KILL_CURSORS: Final = Command(
    _kill_cursors,
    CommandFields(
        "killCursors",
        {"killCursors": _killed_collection, "cursors": fields.array},
        required=("killCursors", "cursors"),
    ),
    InTransaction.YES,
    in_stable_api=True,
)
COUNT: Final = Command(
    _count,
    CommandFields(
        "count",
        {
            "count": fields.collection_name,
            "query": fields.document,
            "limit": fields.integer,
            "skip": fields.count_of,
            "hint": fields.string_or_document,
            "collation": fields.collation,
            "fields": fields.anything,
        },
        required=("count",),
    ),
    in_stable_api=True,
)
DISTINCT: Final = Command(
    _distinct,
    CommandFields(
        "distinct",
        {
            "distinct": fields.collection_name,
            "key": fields.string,
            "query": fields.document,
            "collation": fields.collation,
            "hint": fields.string_or_document,
        },
        required=("distinct", "key"),
    ),
    InTransaction.YES,
)
