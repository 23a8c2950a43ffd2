"""`findAndModify`: change or remove one document and answer with it (manual: findAndModify)."""

from typing import Any, Final

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.commands.query_fields import let_variables, sort_pattern, update_spec
from skerry.commands.raw_reply import RawReply, whole
from skerry.engine.requests import FindAndModifyResult, FindAndModifyStatement
from skerry.errors import FailedToParseError
from skerry.values import documents


def _find_and_modify(request: Request) -> RawReply:
    ctx, get = request.ctx, request.arguments.get
    ctx.bypass_document_validation = get("bypassDocumentValidation", False)
    statement = find_and_modify_statement(request.arguments)
    if ctx.is_retryable_write:
        is_removal = statement.update is None
        ctx.reply_of = lambda result: whole(_reply(result, is_removal=is_removal))
    result = request.engine.find_and_modify(request.namespace(), statement, ctx)
    return _reply(result, is_removal=statement.update is None)


def find_and_modify_statement(arguments: Any) -> FindAndModifyStatement:
    """Return what the checked fields of a `findAndModify` ask for. Raises FailedToParseError for fields at odds."""
    get = arguments.get
    remove, update = get("remove", False), get("update")
    if remove:
        if update is not None:
            raise FailedToParseError("Cannot specify both an update and remove=true")
        if get("upsert"):
            raise FailedToParseError("Cannot specify both upsert=true and remove=true")
        if get("new"):
            raise FailedToParseError(
                "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document"
            )
        if get("arrayFilters") is not None:
            raise FailedToParseError("Cannot specify arrayFilters and remove=true")
    elif update is None:
        raise FailedToParseError("Either an update or remove=true must be specified")
    elif isinstance(update, list) and get("arrayFilters") is not None:
        raise FailedToParseError("Cannot specify arrayFilters and a pipeline update")
    return FindAndModifyStatement(
        filter=get("query", {}),
        update=update,
        sort=get("sort"),
        projection=get("fields") or None,
        return_new=get("new", False),
        upsert=get("upsert", False),
        array_filters=get("arrayFilters", ()),
        hint=get("hint") or None,
        let=get("let"),
    )


def _reply(result: FindAndModifyResult, *, is_removal: bool) -> RawReply:
    outcome: dict[str, Any] = {"n": result.matched}
    if not is_removal:
        outcome["updatedExisting"] = result.updated_existing
    if result.was_upsert:
        outcome["upserted"] = result.upserted_id
    value = b"\x0avalue\x00" if result.document is None else b"\x03value\x00" + result.document
    return RawReply([documents.encode({"lastErrorObject": outcome})[4:-1], value])


def _command(name: str) -> Command:
    declared = CommandFields(
        name,
        {
            name: fields.collection_name,
            "query": fields.document,
            "sort": sort_pattern,
            "remove": fields.truth,
            "update": update_spec,
            "new": fields.truth,
            "upsert": fields.truth,
            "fields": fields.document,
            "bypassDocumentValidation": fields.truth,
            "bypassEmptyTsReplacement": fields.refused("a replacement gets the current time"),
            "collation": fields.collation,
            "arrayFilters": fields.array_of_documents,
            "hint": fields.string_or_document,
            "let": let_variables,
        },
        required=(name,),
    )
    return Command(_find_and_modify, declared, InTransaction.YES, is_retryable=True, in_stable_api=True)


FIND_AND_MODIFY: Final = _command("findAndModify")
FIND_AND_MODIFY_LOWER: Final = _command("findandmodify")
