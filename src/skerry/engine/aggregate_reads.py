"""Aggregations: from the leading stages that the planner serves to the pipeline over what remains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from skerry.aggregation.pipeline import compile_pipeline
from skerry.aggregation.pipeline_context import PipelineContext
from skerry.aggregation.pipeline_optimizer import Pushdown, split_pushdown
from skerry.catalog.catalog_entry import CatalogEntry
from skerry.engine import query_reads
from skerry.engine.operation_context import Check
from skerry.engine.query_executor import Match
from skerry.engine.record_source import RecordSource
from skerry.engine.requests import CountQuery
from skerry.errors import CommandError
from skerry.matcher.compile import compile_filter
from skerry.values.namespace import Namespace

VIEW_DEPTH_MAX: Final = 20  # MongoDB's own limit
_VIEW_DEPTH_EXCEEDED: Final = 165

Stages = Sequence[Mapping[str, Any]]


def resolve_view(source: RecordSource, namespace: Namespace, stages: Stages) -> tuple[Namespace, Stages]:
    """Replace a view by what it is defined on; return the collection and the whole pipeline."""
    for _ in range(VIEW_DEPTH_MAX):
        entry = source.entry(namespace)
        if entry is None or "viewOn" not in entry.options:
            return namespace, stages
        namespace = Namespace(namespace.db, entry.options["viewOn"])
        stages = [*entry.options.get("pipeline", []), *stages]
    raise CommandError(f"view depth too deep on {namespace}; the limit is {VIEW_DEPTH_MAX}", _VIEW_DEPTH_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Leading:
    """What the stages after the planner's read from: a collection (None: it does not exist), and how."""

    source: RecordSource
    entry: CatalogEntry | None
    push: Pushdown
    variables: Mapping[str, Any]
    check: Check
    hint: str | Mapping[str, Any] | None
    memory_bytes_max: int

    def documents(self) -> Iterator[dict[str, Any]]:
        """Iterate over the decoded documents that the leading stages give."""
        for _, _, document in self.matches(decode=True):
            assert document is not None
            yield document

    def matches(self, *, decode: bool) -> Iterator[Match]:
        filter = compile_filter(self.push.filter, variables=self.variables)
        if self.entry is None:
            return iter(())
        push = self.push
        matches = query_reads.matching(
            self.source,
            self.entry,
            filter,
            self.check,
            sort=push.sort,
            hint=self.hint,
            limit=None if push.limit is None else push.limit + push.skip,
            need_documents=decode,
            sort_bytes_max=self.memory_bytes_max,
        )
        return islice(matches, push.skip, None) if push.skip else matches

    def count(self) -> int:
        if self.entry is None:
            compile_filter(self.push.filter, variables=self.variables)
            return 0
        query = CountQuery(self.push.filter, skip=self.push.skip, limit=self.push.limit, hint=self.hint)
        return query_reads.count(self.source, self.entry, query, self.variables, self.check)


def run_pipeline(
    source: RecordSource,
    namespace: Namespace,
    stages: Stages,
    context: PipelineContext,
    variables: Mapping[str, Any],
    check: Check,
    *,
    hint: str | Mapping[str, Any] | None,
    memory_bytes_max: int,
) -> Iterator[dict[str, Any]] | Iterator[bytes]:
    """Iterate over the results of a pipeline over a collection or view: raw where nothing had to be decoded."""
    base, stages = resolve_view(source, namespace, stages)
    push = split_pushdown(stages)
    pipeline = compile_pipeline(push.rest, variables=variables, context=context, memory_limit_bytes=memory_bytes_max)
    leading = Leading(source, source.entry(base), push, variables, check, hint, memory_bytes_max)
    if push.count_only is not None:
        return pipeline.run(iter(push.count_only.documents(leading.count())))
    if not push.rest:
        return (raw for _, raw, _ in leading.matches(decode=False))
    return pipeline.run(leading.documents())
