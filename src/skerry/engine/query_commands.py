"""find, aggregate, count, distinct and explain: from a request to a cursor or a value."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bson.binary import UUID_SUBTYPE, Binary

from skerry.aggregation.pipeline import compile_pipeline
from skerry.aggregation.stage import ENGINE_STAGES
from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine import aggregate_reads, query_reads
from skerry.engine.change_stream_options import ChangeStreamOptions
from skerry.engine.change_stream_pipeline import ChangeStreamPipeline
from skerry.engine.change_streams import ChangeStreamCursor
from skerry.engine.command_variables import command_variables
from skerry.engine.cursor import ActiveOperation, Cursor
from skerry.engine.namespace_access import NamespaceAccess
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import AggregateRequest, CountQuery, FindQuery
from skerry.engine.statistics import Statistics
from skerry.engine.storage_engine import StorageEngine
from skerry.errors import (
    BadValueError,
    CommandError,
    InvalidNamespaceError,
    NotImplementedYetError,
    OperationNotSupportedInTransactionError,
)
from skerry.matcher.compile import compile_filter
from skerry.projection.projection_parser import parse_projection
from skerry.values import documents
from skerry.values.namespace import Namespace

_CHANGE_STREAM_STAGES: Final = frozenset(
    ("$addFields", "$match", "$project", "$redact", "$replaceRoot", "$replaceWith", "$set", "$unset")
)
_WRITING_STAGES: Final = frozenset(("$out", "$merge"))
_ILLEGAL_OPERATION: Final = 20
_NOT_FIRST: Final = 40602
_NO_USER: Final = Binary(hashlib.sha256(b"").digest(), 0)
"""The digest of no user at all, as a server without authentication has it."""


class QueryCommands:
    """The reading commands of one engine; what they raise is raised before the first batch or in it."""

    def __init__(self, engine: StorageEngine, sessions: Callable[[], set[bytes]]) -> None:
        self._engine = engine
        self._sessions = sessions
        self._sort_bytes_max = engine.config.sort_memory_bytes_max

    def find(self, namespace: Namespace, query: FindQuery, ctx: OperationContext) -> Cursor:
        """Open a cursor over the matching documents."""
        operation = ActiveOperation(ctx)
        if ctx.transaction is None and (raw := self._found_by_id(namespace, query)) is not None:
            return Cursor(namespace, iter(raw), operation)
        source = self._engine.source(ctx)
        entry = source.entry(namespace)
        variables = command_variables(query.let, self._engine.clock())
        if entry is not None and "viewOn" in entry.options:
            stages = _as_pipeline(query)
            return Cursor(namespace, self._pipeline(namespace, stages, variables, operation, query.hint), operation)
        if query.tailable:
            raise BadValueError("error processing query: tailable cursor requested on non capped collection")
        target = entry if entry is not None else _missing_collection(namespace)
        items = query_reads.find_raw(
            source, target, query, variables, operation.check, sort_bytes_max=self._sort_bytes_max
        )
        return Cursor(namespace, items if entry is not None else iter(()), operation)

    def aggregate(self, namespace: Namespace, request: AggregateRequest, ctx: OperationContext) -> Cursor:
        """Open a cursor over a pipeline's results; `$out` and `$merge` have written everything when it returns."""
        operation = ActiveOperation(ctx)
        stages = request.pipeline
        variables = command_variables(request.let, self._engine.clock())
        first = _stage_name(stages[0]) if stages else ""
        if first == "$changeStream":
            return self._change_stream(namespace, request, variables, operation)
        if first == "$collStats":
            statistics = _statistics_document(Statistics(self._engine), namespace, stages[0]["$collStats"])
            return self._continued([statistics], namespace, request, variables, operation)
        if first == "$listLocalSessions":
            listed = self._local_sessions(request, operation.context)
            return self._continued(listed, namespace, request, variables, operation)
        if request.collectionless and first in ENGINE_STAGES:
            raise NotImplementedYetError(f"the pipeline stage {first} is not implemented")
        if request.collectionless and first != "$documents":
            raise InvalidNamespaceError(
                f"{{aggregate: 1}} is not valid for '{first or 'empty pipeline'}'; a collection is required."
            )
        items = self._pipeline(namespace, stages, variables, operation, request.hint)
        if stages and _stage_name(stages[-1]) in _WRITING_STAGES:
            items = iter(list(items))
        return Cursor(namespace, items, operation)

    def count(self, namespace: Namespace, query: CountQuery, ctx: OperationContext) -> int:
        """Count the matching documents."""
        source = self._engine.source(ctx)
        entry = source.entry(namespace)
        variables = command_variables(None, self._engine.clock())
        if entry is not None and "viewOn" in entry.options:
            find = FindQuery(query.filter, skip=query.skip, limit=query.limit)
            items = self._pipeline(namespace, _as_pipeline(find), variables, ActiveOperation(ctx), query.hint)
            return sum(1 for _ in items)
        if entry is None:
            compile_filter(query.filter, variables=variables)
            return 0
        return query_reads.count(source, entry, query, variables, ctx.check)

    def distinct(
        self,
        namespace: Namespace,
        path: str,
        filter: Mapping[str, Any],
        ctx: OperationContext,
        *,
        hint: str | Mapping[str, Any] | None = None,
    ) -> list[Any]:
        """Return the distinct values at `path` of the matching documents, in BSON order."""
        source = self._engine.source(ctx)
        entry = source.entry(namespace)
        variables = command_variables(None, self._engine.clock())
        if entry is None:
            return []
        if "viewOn" in entry.options:
            items = self._pipeline(namespace, [{"$match": filter}], variables, ActiveOperation(ctx), hint)
            return query_reads.distinct_values((documents.decode(raw) for raw in items), path)
        return query_reads.distinct(source, entry, path, filter, hint, variables, ctx.check)

    def _found_by_id(self, namespace: Namespace, query: FindQuery) -> list[bytes] | None:
        """Answer a `find` by nothing but `_id` in one step; None when it is not one."""
        key = query_reads.plain_id(query.filter)
        if key is None or query.skip or query.hint is not None or query.tailable or not query.is_plain:
            return None
        projection, variables = None, None
        if query.projection:
            variables = command_variables(query.let, self._engine.clock())
            projection = parse_projection(query.projection, find=True, variables=variables)
            if projection.needs_position:
                return None
        with self._engine.store.read() as view:
            entry = self._engine.catalog.snapshot(view).get(namespace)
            if entry is None or "viewOn" in entry.options:
                return None
            record = view.record_by_key(entry.file_id, key)
        if record is None:
            return []
        if projection is None or variables is None:
            return [record[1]]
        return [documents.encode(projection.apply(documents.decode(record[1]), variables))]

    def _pipeline(
        self,
        namespace: Namespace,
        stages: aggregate_reads.Stages,
        variables: Mapping[str, Any],
        operation: ActiveOperation,
        hint: str | Mapping[str, Any] | None,
    ) -> Iterator[bytes]:
        source = self._engine.source(operation.context)
        access = self._access(namespace, variables, operation)
        results = aggregate_reads.run_pipeline(
            source,
            namespace,
            stages,
            access,
            variables,
            operation.check,
            hint=hint,
            memory_bytes_max=self._sort_bytes_max,
        )
        return _encoded(results)

    def _access(
        self, namespace: Namespace, variables: Mapping[str, Any], operation: ActiveOperation
    ) -> NamespaceAccess:
        source = self._engine.source(operation.context)
        return NamespaceAccess(self._engine, namespace, source, operation.context, variables, operation.check)

    def _change_stream(
        self,
        namespace: Namespace,
        request: AggregateRequest,
        variables: Mapping[str, Any],
        operation: ActiveOperation,
    ) -> Cursor:
        if operation.context.transaction is not None:
            raise OperationNotSupportedInTransactionError("$changeStream cannot run in a multi-document transaction")
        options = ChangeStreamOptions.parse(
            request.pipeline[0]["$changeStream"], namespace, collectionless=request.collectionless
        )
        rest = request.pipeline[1:]
        for stage in rest:
            name = _stage_name(stage)
            if name not in _CHANGE_STREAM_STAGES:
                if name == "$changeStreamSplitLargeEvent":
                    raise NotImplementedYetError("the stage $changeStreamSplitLargeEvent is not implemented")
                compile_pipeline([stage], variables=variables, context=None)  # knows better what is wrong, if it is
                raise CommandError(f"{name} is not permitted in a $changeStream pipeline", _ILLEGAL_OPERATION)
        pipeline = ChangeStreamPipeline(rest, variables)
        shown = namespace if not request.collectionless else Namespace(namespace.db, "$cmd.aggregate")
        return ChangeStreamCursor(shown, options, pipeline, self._engine, operation)

    def _local_sessions(self, request: AggregateRequest, ctx: OperationContext) -> list[dict[str, Any]]:
        """Return the user's sessions that hold something here, and the one that asks (manual: `$listLocalSessions`)."""
        if not request.collectionless:
            raise InvalidNamespaceError("$listLocalSessions must be run against the database with {aggregate: 1}")
        spec = request.pipeline[0]["$listLocalSessions"]
        if spec != {}:
            raise NotImplementedYetError("$listLocalSessions with users or allUsers is not implemented")
        own = ctx.lsid if ctx.lsid is not None else b""
        known = {lsid for lsid in self._sessions() if lsid[16:] == own[16:]} | ({own} if own else set())
        now = self._engine.clock().now
        return [
            {
                "_id": {"id": Binary(lsid[:16], UUID_SUBTYPE), "uid": Binary(lsid[16:], 0) if lsid[16:] else _NO_USER},
                "lastUse": now,
            }
            for lsid in sorted(known)
        ]

    def _continued(
        self,
        leading: list[dict[str, Any]],
        namespace: Namespace,
        request: AggregateRequest,
        variables: Mapping[str, Any],
        operation: ActiveOperation,
    ) -> Cursor:
        """Open a cursor over what the rest of a pipeline makes of the documents of its first stage."""
        rest = request.pipeline[1:]
        pipeline = compile_pipeline(rest, variables=variables, context=self._access(namespace, variables, operation))
        items = _encoded(pipeline.run(iter(leading)))
        if rest and _stage_name(rest[-1]) in _WRITING_STAGES:
            items = iter(list(items))
        return Cursor(namespace, items, operation)


def _encoded(results: Iterator[dict[str, Any]] | Iterator[bytes]) -> Iterator[bytes]:
    encode: Callable[[Mapping[str, Any]], bytes] = documents.encode
    check_size = documents.check_size
    for result in results:
        if isinstance(result, bytes):
            yield result
        else:
            raw = encode(result)
            check_size(raw)
            yield raw


def _as_pipeline(query: FindQuery) -> list[Mapping[str, Any]]:
    """A `find` on a view as the pipeline that it means."""
    stages: list[Mapping[str, Any]] = [{"$match": query.filter}] if query.filter else []
    stages += [{"$sort": dict(query.sort)}] if query.sort else []
    stages += [{"$skip": query.skip}] if query.skip else []
    stages += [{"$limit": query.limit}] if query.limit else []
    stages += [{"$project": query.projection}] if query.projection else []
    return stages


def _stage_name(stage: Any) -> str:
    return next(iter(stage), "") if isinstance(stage, Mapping) else ""


def _statistics_document(statistics: Statistics, namespace: Namespace, spec: Any) -> dict[str, Any]:
    if not isinstance(spec, Mapping):
        raise CommandError(f"$collStats must take a nested object but found: {spec!r}", 5447000)
    unknown = set(spec) - {"storageStats", "count"}
    if unknown:
        raise NotImplementedYetError(f"$collStats with {', '.join(sorted(unknown))} is not implemented")
    numbers = statistics.collection_stats(namespace)
    document: dict[str, Any] = {"ns": str(namespace)}
    if "storageStats" in spec:
        document["storageStats"] = {name: value for name, value in numbers.items() if name != "ns"}
    if "count" in spec:
        document["count"] = numbers["count"]
    return document


def _missing_collection(namespace: Namespace) -> CatalogEntry:
    """Stands for a collection that does not exist, so that a query on it is checked all the same."""
    return CatalogEntry(-1, namespace, b"", {}, ())
