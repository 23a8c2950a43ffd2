"""`bulkWrite`: inserts, updates and deletes of several collections in one command (manual: bulkWrite).

The operations run in runs: neighbours of one kind on one collection go to the engine together, unless the reply has to tell
of each by itself. A retryable `bulkWrite` remembers each run under an identity of its own, derived from the session's, so
a retry repeats just what was not done.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bson.raw_bson import RawBSONDocument

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request, checked_namespace
from skerry.commands.command_fields import CommandFields
from skerry.commands.cursor_batches import cursor_options, listed
from skerry.commands.query_fields import let_variables, sort_pattern, update_spec
from skerry.commands.raw_reply import RawReply
from skerry.commands.statement_documents import raw_statements
from skerry.commands.write_errors import write_error
from skerry.engine.logical_sessions import StatementAlreadyExecuted
from skerry.engine.requests import DeleteStatement, UpdateStatement
from skerry.errors import BadValueError, FailedToParseError, InvalidOptionsError
from skerry.values import documents
from skerry.values.namespace import Namespace

_KINDS: Final = ("insert", "update", "delete")
_OPERATIONS: Final[dict[str, CommandFields]] = {
    "insert": CommandFields(
        "bulkWrite.ops",
        {"insert": fields.count_of, "document": fields.document},
        required=("insert", "document"),
        generic=False,
    ),
    "update": CommandFields(
        "bulkWrite.ops",
        {
            "update": fields.count_of,
            "filter": fields.document,
            "updateMods": update_spec,
            "multi": fields.boolean,
            "upsert": fields.boolean,
            "arrayFilters": fields.array_of_documents,
            "hint": fields.string_or_document,
            "collation": fields.collation,
            "constants": fields.document,
            "sort": sort_pattern,
        },
        required=("update", "filter", "updateMods"),
        generic=False,
    ),
    "delete": CommandFields(
        "bulkWrite.ops",
        {
            "delete": fields.count_of,
            "filter": fields.document,
            "multi": fields.boolean,
            "hint": fields.string_or_document,
            "collation": fields.collation,
        },
        required=("delete", "filter"),
        generic=False,
    ),
}


@dataclass(slots=True)
class _Run:
    """Neighbouring operations of one kind on one collection; `first` is the place of the first in the command."""

    kind: str
    namespace: Namespace
    first: int
    statements: list[Any]


@dataclass(slots=True)
class _Summary:
    """What has happened so far; `items` are the entries of the reply's cursor."""

    inserted: int = 0
    matched: int = 0
    modified: int = 0
    upserted: int = 0
    deleted: int = 0
    errors: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)


def _bulk_write(request: Request) -> RawReply:
    arguments = request.arguments
    request.ctx.bypass_document_validation = arguments.get("bypassDocumentValidation", False)
    ordered, errors_only = arguments.get("ordered", True), arguments.get("errorsOnly", False)
    namespaces = _namespaces(request)
    summary = _Summary()
    for number, run in enumerate(list(_runs(request, namespaces, alone=not errors_only))):
        outcome = _run_once(request, run, number, ordered=ordered)
        _add(summary, run, outcome, errors_only=errors_only)
        if outcome["errors"] and (ordered or request.ctx.transaction is not None):
            break
    batch_size = arguments.get("cursor", {}).get("batchSize")
    reply = listed(request, Namespace("admin", "$cmd.bulkWrite"), summary.items, batch_size)
    counts = {
        "nErrors": summary.errors,
        "nInserted": summary.inserted,
        "nMatched": summary.matched,
        "nModified": summary.modified,
        "nUpserted": summary.upserted,
        "nDeleted": summary.deleted,
    }
    reply.pieces.append(documents.encode(counts)[4:-1])
    return reply


def _namespaces(request: Request) -> list[Namespace]:
    found = []
    for raw in request.sequences.get("nsInfo") or map(documents.encode, request.arguments["nsInfo"]):
        name = _NS_INFO.read(documents.decode(raw))["ns"]
        db, _, coll = name.partition(".")
        found.append(checked_namespace(db, coll))
    return found


def _runs(request: Request, namespaces: Sequence[Namespace], *, alone: bool) -> Iterator[_Run]:
    run: _Run | None = None
    for index, raw in enumerate(raw_statements(request, "ops")):
        spec = documents.decode(raw)
        kind = next(iter(spec), "")
        if kind not in _KINDS:
            raise FailedToParseError(f"bulkWrite.ops.{index}: expected insert, update or delete as the first field")
        values = _OPERATIONS[kind].read(spec)
        if values[kind] >= len(namespaces):
            raise BadValueError(f"BulkWrite ops entry {index} has an invalid nsInfo index.")
        namespace = namespaces[values[kind]]
        statement = _statement(kind, values, raw, request)
        if run is not None and not alone and run.kind == kind and run.namespace == namespace:
            run.statements.append(statement)
            continue
        if run is not None:
            yield run
        run = _Run(kind, namespace, index, [statement])
    if run is not None:
        yield run


def _statement(kind: str, values: Mapping[str, Any], raw: bytes, request: Request) -> Any:
    let = request.arguments.get("let")
    if kind == "insert":
        return bytes(RawBSONDocument(raw)["document"].raw)
    multi = values.get("multi", False)
    if multi and request.ctx.is_retryable_write:
        raise InvalidOptionsError("Cannot use retryable writes with multi=true")
    if kind == "delete":
        return DeleteStatement(values["filter"], multi, hint=values.get("hint"), let=let)
    constants = {name: {"$literal": value} for name, value in values.get("constants", {}).items()}
    return UpdateStatement(
        filter=values["filter"],
        update=values["updateMods"],
        multi=multi,
        upsert=values.get("upsert", False),
        array_filters=values.get("arrayFilters", ()),
        hint=values.get("hint"),
        sort=values.get("sort"),
        let={**(let or {}), **constants} or None,
    )


def _run_once(request: Request, run: _Run, number: int, *, ordered: bool) -> dict[str, Any]:
    """Run it, or return what it did when this is a retry; the outcome is a plain document so that it can be stored."""
    ctx = request.ctx
    if ctx.is_retryable_write:
        assert ctx.lsid is not None
        ctx = replace(
            ctx,
            lsid=ctx.lsid + struct.pack(">I", number),
            reply_of=lambda result: documents.encode(_outcome(run.kind, result)),
        )
    write = getattr(request.engine, run.kind)
    try:
        return _outcome(run.kind, write(run.namespace, run.statements, ordered=ordered, ctx=ctx))
    except StatementAlreadyExecuted as executed:
        return documents.decode(executed.reply)


def _outcome(kind: str, result: Any) -> dict[str, Any]:
    outcome: dict[str, Any] = {
        "n": {"insert": "inserted", "update": "matched", "delete": "deleted"}[kind],
        "errors": [{"idx": each.index, "ok": 0.0, "n": 0, **write_error(each.error)} for each in result.errors],
    }
    outcome["n"] = getattr(result, outcome["n"])
    if kind == "update":
        outcome["modified"] = result.modified
        outcome["upserted"] = [{"idx": index, "_id": id} for index, id in result.upserted]
    return outcome


def _add(summary: _Summary, run: _Run, outcome: Mapping[str, Any], *, errors_only: bool) -> None:
    upserted = outcome.get("upserted", [])
    if run.kind == "insert":
        summary.inserted += outcome["n"]
    elif run.kind == "delete":
        summary.deleted += outcome["n"]
    else:
        summary.matched += outcome["n"] - len(upserted)
        summary.modified += outcome["modified"]
        summary.upserted += len(upserted)
    summary.errors += len(outcome["errors"])
    for each in outcome["errors"]:
        summary.items.append({**each, "ok": 0.0, "idx": run.first + each["idx"]})
    if errors_only or outcome["errors"]:
        return
    item: dict[str, Any] = {"ok": 1.0, "idx": run.first, "n": outcome["n"]}
    if run.kind == "update":
        item["nModified"] = outcome["modified"]
    if upserted:
        item["upserted"] = {"_id": upserted[0]["_id"]}
    summary.items.append(item)


_NS_INFO: Final = CommandFields(
    "bulkWrite.nsInfo", {"ns": fields.string}, required=("ns",), generic=False, allows_unknown=True
)
BULK_WRITE: Final = Command(
    _bulk_write,
    CommandFields(
        "bulkWrite",
        {
            "bulkWrite": fields.anything,
            "ops": fields.array_of_documents,
            "nsInfo": fields.array_of_documents,
            "ordered": fields.boolean,
            "errorsOnly": fields.boolean,
            "bypassDocumentValidation": fields.truth,
            "bypassEmptyTsReplacement": fields.refused("a replacement gets the current time"),
            "let": let_variables,
            "cursor": cursor_options,
        },
        required=("bulkWrite", "ops", "nsInfo"),
    ),
    InTransaction.YES,
    is_retryable=True,
    admin_only=True,
)
