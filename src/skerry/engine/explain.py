"""What the planner makes of a query, and what running it costs (manual: `explain`)."""

import time
from collections.abc import Mapping
from typing import Any

from skerry.aggregation.pipeline import compile_pipeline
from skerry.aggregation.pipeline_optimizer import split_pushdown
from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine import aggregate_reads, query_reads
from skerry.engine.command_variables import command_variables
from skerry.engine.operation_context import OperationContext
from skerry.engine.query_executor import solution_chunks
from skerry.engine.record_source import RecordSource
from skerry.engine.requests import AggregateRequest, DeleteStatement, FindQuery, SortPattern, UpdateStatement
from skerry.engine.storage_engine import StorageEngine
from skerry.matcher.compile import compile_filter
from skerry.planner.explain import explain_solution
from skerry.planner.query_solution import EmptyScan, QuerySolution
from skerry.values.namespace import Namespace


class Explain:
    """The explain commands of one engine. `verbosity` is MongoDB's: "queryPlanner" plans, the others run the query too."""

    def __init__(self, engine: StorageEngine) -> None:
        self._engine = engine

    def explain_find(
        self, namespace: Namespace, query: FindQuery, verbosity: str, ctx: OperationContext
    ) -> dict[str, Any]:
        return self._explain(namespace, query.filter, query.sort, query.hint, query.limit, query.let, verbosity, ctx)

    def explain_update(
        self, namespace: Namespace, statement: UpdateStatement, verbosity: str, ctx: OperationContext
    ) -> dict[str, Any]:
        """Explain what an update would look for; nothing is written."""
        limit = None if statement.multi else 1
        return self._explain(
            namespace, statement.filter, statement.sort, statement.hint, limit, statement.let, verbosity, ctx
        )

    def explain_delete(
        self, namespace: Namespace, statement: DeleteStatement, verbosity: str, ctx: OperationContext
    ) -> dict[str, Any]:
        """Explain what a delete would look for; nothing is written."""
        limit = None if statement.multi else 1
        return self._explain(namespace, statement.filter, None, statement.hint, limit, statement.let, verbosity, ctx)

    def explain_aggregate(
        self, namespace: Namespace, request: AggregateRequest, verbosity: str, ctx: OperationContext
    ) -> dict[str, Any]:
        """Explain the leading stages, which the planner serves, and list those that run after them."""
        source = self._engine.source(ctx)
        base, stages = aggregate_reads.resolve_view(source, namespace, request.pipeline)
        push = split_pushdown(stages)
        variables = command_variables(request.let, self._engine.clock())
        compile_pipeline(push.rest, variables=variables, context=None)
        explained = self._explain(base, push.filter, push.sort, request.hint, push.limit, request.let, verbosity, ctx)
        if not push.rest:
            return explained
        cursor = {"$cursor": explained}
        return {"stages": [cursor, *(dict(stage) for stage in push.rest)], "explainVersion": "1"}

    def _explain(
        self,
        namespace: Namespace,
        filter_spec: Mapping[str, Any],
        sort: SortPattern | None,
        hint: str | Mapping[str, Any] | None,
        limit: int | None,
        let: Mapping[str, Any] | None,
        verbosity: str,
        ctx: OperationContext,
    ) -> dict[str, Any]:
        source = self._engine.source(ctx)
        entry = source.entry(namespace)
        filter = compile_filter(filter_spec, variables=command_variables(let, self._engine.clock()))
        solution: QuerySolution = EmptyScan()
        is_sorted = True
        if entry is not None:
            solution, is_sorted = query_reads.plan(source, entry, filter, sort, hint)
        plan = explain_solution(
            solution,
            filter=filter_spec,
            sort=sort,
            is_sorted=is_sorted,
            limit=limit,
            multikey_paths=_multikey_paths(entry),
        )
        explained: dict[str, Any] = {
            "explainVersion": "1",
            "queryPlanner": {
                "namespace": str(namespace),
                "parsedQuery": dict(filter_spec),
                "winningPlan": plan,
                "rejectedPlans": [],
            },
        }
        if verbosity != "queryPlanner" and entry is not None:
            explained["executionStats"] = self._statistics(
                source, entry, solution, filter_spec, sort, hint, limit, let, ctx
            )
        return explained

    def _statistics(
        self,
        source: RecordSource,
        entry: CatalogEntry,
        solution: QuerySolution,
        filter_spec: Mapping[str, Any],
        sort: SortPattern | None,
        hint: str | Mapping[str, Any] | None,
        limit: int | None,
        let: Mapping[str, Any] | None,
        ctx: OperationContext,
    ) -> dict[str, Any]:
        started = time.perf_counter()
        variables = command_variables(let, self._engine.clock())
        query = FindQuery(filter_spec, sort=sort, hint=hint, limit=limit)
        returned = sum(
            1
            for _ in query_reads.find_raw(
                source,
                entry,
                query,
                variables,
                ctx.check,
                sort_bytes_max=self._engine.config.sort_memory_bytes_max,
            )
        )
        took = time.perf_counter() - started
        examined = sum(len(chunk) for chunk in solution_chunks(solution, entry, source.view))
        scans_keys = query_reads.reads_keys(solution)
        return {
            "executionSuccess": True,
            "nReturned": returned,
            "executionTimeMillis": int(took * 1000),
            "totalKeysExamined": examined if scans_keys else 0,
            "totalDocsExamined": examined,
        }


def _multikey_paths(entry: CatalogEntry | None) -> dict[str, frozenset[str]]:
    return {} if entry is None else {index.descriptor.name: index.multikey_paths for index in entry.indexes}
