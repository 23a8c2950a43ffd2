"""`aggregate` and `explain` (manual: aggregate, explain)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request, checked_namespace
from skerry.commands.command_fields import CommandFields
from skerry.commands.cursor_batches import cursor_options, first_batch
from skerry.commands.find_and_modify import FIND_AND_MODIFY, find_and_modify_statement
from skerry.commands.find_commands import COUNT, DISTINCT, FIND, count_query, find_query
from skerry.commands.generic_arguments import API_STRICT_ERROR
from skerry.commands.query_fields import let_variables
from skerry.commands.raw_reply import RawReply
from skerry.commands.write_commands import DELETE, UPDATE, delete_statement, update_statement
from skerry.engine.requests import AggregateRequest, DeleteStatement, FindQuery, UpdateStatement
from skerry.errors import (
    CommandError,
    CommandNotFoundError,
    FailedToParseError,
    InvalidLengthError,
    InvalidOptionsError,
    TypeMismatchError,
)
from skerry.values import numbers
from skerry.values.namespace import Namespace

_UNSTABLE_STAGES: Final = frozenset(
    ("$collStats", "$currentOp", "$indexStats", "$listLocalSessions", "$listSessions", "$planCacheStats", "$search")
)
_VERBOSITIES: Final = ("queryPlanner", "executionStats", "allPlansExecution")


def _aggregate(request: Request) -> RawReply | dict[str, Any]:
    arguments = request.arguments
    pipeline = aggregate_request(arguments)
    namespace = _source(request.db, arguments["aggregate"])
    if arguments.get("explain"):
        if "cursor" in arguments and arguments["cursor"].get("batchSize") is not None:
            raise FailedToParseError("Cannot specify both 'explain' and a cursor's batchSize")
        return request.engine.explain_aggregate(namespace, pipeline, "queryPlanner", request.ctx)
    _check_read_concern(request.body.get("readConcern"), pipeline.pipeline)
    if request.body.get("apiStrict"):
        _check_stable_stages(pipeline.pipeline)
    if "cursor" not in arguments:
        raise FailedToParseError("The 'cursor' option is required, except for aggregate with the explain argument")
    request.ctx.bypass_document_validation = pipeline.bypass_document_validation
    cursor = request.engine.aggregate(namespace, pipeline, request.ctx)
    return first_batch(request, cursor, arguments["cursor"].get("batchSize"))


def _check_read_concern(concern: Mapping[str, Any] | None, stages: Sequence[Mapping[str, Any]]) -> None:
    """Raises `InvalidOptionsError` for a level that a stage cannot be read with (manual: Read Concern, `$out`, `$merge`)."""
    level = (concern or {}).get("level", "majority")
    for stage in stages:
        name = next(iter(stage), "")
        if (name == "$changeStream" and level != "majority") or (
            name in ("$out", "$merge") and level == "linearizable"
        ):
            raise InvalidOptionsError(f"Aggregation stage {name} cannot run with a readConcern of level '{level}'")


def _check_stable_stages(stages: Sequence[Mapping[str, Any]]) -> None:
    """Raises 323 for a stage that is not in API version 1 (manual: Stable API)."""
    for stage in stages:
        name = next(iter(stage), "")
        counts_only = name == "$collStats" and stage[name] == {"count": {}}
        if name in _UNSTABLE_STAGES and not counts_only:
            raise CommandError(f"stage {name} is not allowed with 'apiStrict: true' in API Version 1", API_STRICT_ERROR)


def aggregate_request(arguments: Any) -> AggregateRequest:
    """Return the pipeline that the checked fields of an `aggregate` ask for."""
    get = arguments.get
    return AggregateRequest(
        pipeline=get("pipeline"),
        collectionless=not isinstance(get("aggregate"), str),
        let=get("let"),
        hint=get("hint") or None,
        bypass_document_validation=get("bypassDocumentValidation", False),
    )


def _source(db: str, target: str | int) -> Namespace:
    return checked_namespace(db, target) if isinstance(target, str) else Namespace(db, "")


def _aggregated(value: Any, command: str, _field: str) -> str | int:
    """A collection's name, or 1 for the database itself."""
    if isinstance(value, str):
        return fields.collection_name(value, command, command)
    if numbers.is_number(value):
        if value != 1:
            raise FailedToParseError(
                "Invalid command format: the 'aggregate' field must specify a collection name or 1"
            )
        return 1
    raise TypeMismatchError("collection name has invalid type: the 'aggregate' field takes a string or 1")


def _pipeline(value: Any, _command: str, _field: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise TypeMismatchError("'pipeline' option must be specified as an array")
    for stage in value:
        if not isinstance(stage, Mapping):
            raise TypeMismatchError("Each element of the 'pipeline' array must be an object")
    return value


def _explain(request: Request) -> dict[str, Any]:
    explained = dict(request.arguments["explain"])
    verbosity = request.arguments.get("verbosity", "allPlansExecution")
    if verbosity not in _VERBOSITIES:
        raise FailedToParseError(f"Enumeration value '{verbosity}' for field 'explain.verbosity' is not a valid value.")
    name = next(iter(explained), "")
    explain = _EXPLAINERS.get(name)
    if explain is None:
        raise CommandNotFoundError(f"Explain failed due to unknown command: {name}")
    return {**explain(request, explained, verbosity), "command": explained}


def _explain_find(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = FIND.fields.read(spec)
    namespace = checked_namespace(request.db, arguments["find"])
    return request.engine.explain_find(namespace, find_query(arguments), verbosity, request.ctx)


def _explain_count(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = COUNT.fields.read(spec)
    counted = count_query(arguments)
    query = FindQuery(counted.filter, skip=counted.skip, limit=counted.limit, hint=counted.hint)
    return request.engine.explain_find(checked_namespace(request.db, arguments["count"]), query, verbosity, request.ctx)


def _explain_distinct(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = DISTINCT.fields.read(spec)
    namespace = checked_namespace(request.db, arguments["distinct"])
    query = FindQuery(arguments.get("query", {}), hint=arguments.get("hint") or None)
    return request.engine.explain_find(namespace, query, verbosity, request.ctx)


def _explain_aggregate(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = AGGREGATE.fields.read(spec)
    namespace = _source(request.db, arguments["aggregate"])
    return request.engine.explain_aggregate(namespace, aggregate_request(arguments), verbosity, request.ctx)


def _explain_update(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = UPDATE.fields.read(spec)
    statement = update_statement(_only(arguments["updates"]), arguments.get("let"))
    namespace = checked_namespace(request.db, arguments["update"])
    return request.engine.explain_update(namespace, statement, verbosity, request.ctx)


def _explain_delete(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = DELETE.fields.read(spec)
    statement = delete_statement(_only(arguments["deletes"]), arguments.get("let"))
    namespace = checked_namespace(request.db, arguments["delete"])
    return request.engine.explain_delete(namespace, statement, verbosity, request.ctx)


def _explain_find_and_modify(request: Request, spec: Mapping[str, Any], verbosity: str) -> dict[str, Any]:
    arguments = FIND_AND_MODIFY.fields.read(
        {"findAndModify" if name == "findandmodify" else name: value for name, value in spec.items()}
    )
    wanted = find_and_modify_statement(arguments)
    namespace = checked_namespace(request.db, arguments["findAndModify"])
    engine, ctx = request.engine, request.ctx
    if wanted.update is None:
        removal = DeleteStatement(wanted.filter, multi=False, hint=wanted.hint, let=wanted.let)
        return engine.explain_delete(namespace, removal, verbosity, ctx)
    update = UpdateStatement(wanted.filter, wanted.update, hint=wanted.hint, sort=wanted.sort, let=wanted.let)
    return engine.explain_update(namespace, update, verbosity, ctx)


def _only(statements: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(statements) != 1:
        raise InvalidLengthError("explained write batches must be of size 1")
    return statements[0]


_EXPLAINERS: Final[dict[str, Callable[[Request, Mapping[str, Any], str], dict[str, Any]]]] = {
    "aggregate": _explain_aggregate,
    "count": _explain_count,
    "delete": _explain_delete,
    "distinct": _explain_distinct,
    "find": _explain_find,
    "findAndModify": _explain_find_and_modify,
    "findandmodify": _explain_find_and_modify,
    "update": _explain_update,
}

AGGREGATE: Final = Command(
    _aggregate,
    CommandFields(
        "aggregate",
        {
            "aggregate": _aggregated,
            "pipeline": _pipeline,
            "explain": fields.truth,
            "cursor": cursor_options,
            "allowDiskUse": fields.truth,
            "bypassDocumentValidation": fields.truth,
            "collation": fields.collation,
            "hint": fields.string_or_document,
            "let": let_variables,
        },
        required=("aggregate", "pipeline"),
    ),
    InTransaction.YES,
    in_stable_api=True,
)
EXPLAIN: Final = Command(
    _explain,
    CommandFields("explain", {"explain": fields.document, "verbosity": fields.string}, required=("explain",)),
    in_stable_api=True,
)
