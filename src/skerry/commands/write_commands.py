"""`insert`, `update` and `delete` (manual: insert, update, delete).

The documents of an insert go from the message to the engine as bytes.
"""

from typing import Any, Final

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.commands.query_fields import let_variables, sort_pattern, update_spec
from skerry.commands.statement_documents import check_readable, raw_statements, statements
from skerry.commands.write_errors import write_errors
from skerry.engine.requests import DeleteResult, DeleteStatement, InsertResult, UpdateResult, UpdateStatement
from skerry.errors import FailedToParseError, InvalidOptionsError, TypeMismatchError
from skerry.values import documents

_UPDATE_STATEMENT: Final = CommandFields(
    "update.updates",
    {
        "q": fields.document,
        "u": update_spec,
        "c": fields.document,
        "multi": fields.boolean,
        "upsert": fields.boolean,
        "collation": fields.collation,
        "arrayFilters": fields.array_of_documents,
        "hint": fields.string_or_document,
        "sort": sort_pattern,
    },
    required=("q", "u"),
    generic=False,
)
_DELETE_STATEMENT: Final = CommandFields(
    "delete.deletes",
    {
        "q": fields.document,
        "limit": fields.integer,
        "collation": fields.collation,
        "hint": fields.string_or_document,
    },
    required=("q", "limit"),
    generic=False,
)


def _insert(request: Request) -> dict[str, Any]:
    ctx, arguments = request.ctx, request.arguments
    if "bypassDocumentValidation" in arguments:
        ctx.bypass_document_validation = arguments["bypassDocumentValidation"]
    if "bypassEmptyTsReplacement" in arguments:
        ctx.keep_empty_timestamps = arguments["bypassEmptyTsReplacement"]
    if ctx.is_retryable_write:
        ctx.reply_of = lambda result: documents.encode(_insert_reply(result))
    raws = raw_statements(request, "documents")
    if not request.client.is_local:
        check_readable(raws)
    result = request.engine.insert(request.namespace(), raws, ordered=arguments.get("ordered", True), ctx=ctx)
    return _insert_reply(result)


def _insert_reply(result: InsertResult) -> dict[str, Any]:
    reply: dict[str, Any] = {"n": result.inserted}
    if result.errors:
        reply["writeErrors"] = write_errors(result.errors)
    return reply


def _update(request: Request) -> dict[str, Any]:
    ctx, arguments = request.ctx, request.arguments
    ctx.bypass_document_validation = arguments.get("bypassDocumentValidation", False)
    let = arguments.get("let")
    parsed = [update_statement(spec, let) for spec in statements(request, "updates")]
    if ctx.is_retryable_write:
        _refuse_multi(any(each.multi for each in parsed))
        ctx.reply_of = lambda result: documents.encode(_update_reply(result))
    result = request.engine.update(request.namespace(), parsed, ordered=arguments.get("ordered", True), ctx=ctx)
    return _update_reply(result)


def update_statement(spec: Any, let: Any) -> UpdateStatement:
    """Return one statement of an `update` command, checked."""
    values = _UPDATE_STATEMENT.read(spec)
    multi, update, constants = values.get("multi", False), values["u"], values.get("c")
    if constants is not None and not isinstance(update, list):
        raise TypeMismatchError("Constant values may only be specified for pipeline updates")
    if multi and values.get("sort"):
        raise FailedToParseError("Cannot specify sort with multi=true")
    return UpdateStatement(
        filter=values["q"],
        update=update,
        multi=multi,
        upsert=values.get("upsert", False),
        array_filters=values.get("arrayFilters", ()),
        hint=values.get("hint"),
        sort=values.get("sort"),
        let={**(let or {}), **{name: {"$literal": value} for name, value in constants.items()}} if constants else let,
    )


def _update_reply(result: UpdateResult) -> dict[str, Any]:
    reply: dict[str, Any] = {"n": result.matched}
    if result.upserted:
        reply["upserted"] = [{"index": index, "_id": id} for index, id in result.upserted]
    reply["nModified"] = result.modified
    if result.errors:
        reply["writeErrors"] = write_errors(result.errors)
    return reply


def _delete(request: Request) -> dict[str, Any]:
    ctx, arguments = request.ctx, request.arguments
    let = arguments.get("let")
    parsed = [delete_statement(spec, let) for spec in statements(request, "deletes")]
    if ctx.is_retryable_write:
        _refuse_multi(any(each.multi for each in parsed))
        ctx.reply_of = lambda result: documents.encode(_delete_reply(result))
    result = request.engine.delete(request.namespace(), parsed, ordered=arguments.get("ordered", True), ctx=ctx)
    return _delete_reply(result)


def delete_statement(spec: Any, let: Any) -> DeleteStatement:
    """Return one statement of a `delete` command, checked."""
    values = _DELETE_STATEMENT.read(spec)
    limit = values["limit"]
    if limit not in (0, 1):
        raise FailedToParseError(f"The limit field in delete objects must be 0 or 1. Got {limit}")
    return DeleteStatement(filter=values["q"], multi=limit == 0, hint=values.get("hint"), let=let)


def _delete_reply(result: DeleteResult) -> dict[str, Any]:
    reply: dict[str, Any] = {"n": result.deleted}
    if result.errors:
        reply["writeErrors"] = write_errors(result.errors)
    return reply


def _refuse_multi(is_multi: bool) -> None:  # noqa: FBT001  the one thing it looks at
    if is_multi:
        raise InvalidOptionsError("Cannot use retryable writes with multi=true")


INSERT: Final = Command(
    _insert,
    CommandFields(
        "insert",
        {
            "insert": fields.collection_name,
            "documents": fields.array_of_documents,
            "ordered": fields.boolean,
            "bypassDocumentValidation": fields.truth,
            "bypassEmptyTsReplacement": fields.truth,
        },
        required=("insert", "documents"),
    ),
    InTransaction.YES,
    is_retryable=True,
    in_stable_api=True,
)
UPDATE: Final = Command(
    _update,
    CommandFields(
        "update",
        {
            "update": fields.collection_name,
            "updates": fields.array_of_documents,
            "ordered": fields.boolean,
            "bypassDocumentValidation": fields.truth,
            "bypassEmptyTsReplacement": fields.refused("a replacement gets the current time"),
            "let": let_variables,
        },
        required=("update", "updates"),
    ),
    InTransaction.YES,
    is_retryable=True,
    in_stable_api=True,
)
DELETE: Final = Command(
    _delete,
    CommandFields(
        "delete",
        {
            "delete": fields.collection_name,
            "deletes": fields.array_of_documents,
            "ordered": fields.boolean,
            "let": let_variables,
        },
        required=("delete", "deletes"),
    ),
    InTransaction.YES,
    is_retryable=True,
    in_stable_api=True,
)
