"""A sub-pipeline over a collection: its leading stages are given to the planner, the rest runs over what is found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from skerry.aggregation.pipeline_optimizer import mentions_expr, split_pushdown
from skerry.aggregation.stage import Document, StageScope
from skerry.values.namespace import Namespace


def compile_over(
    namespace: Namespace, stages: Sequence[Mapping[str, Any]], scope: StageScope
) -> Callable[[], Iterator[Document]]:
    """Compile a pipeline over a collection; each call runs it anew.

    `scope` is that of the sub-pipeline. A pipeline that starts with `$documents` reads no collection. Raises what
    compiling the pipeline raises.
    """
    whole = scope.compile(stages, scope)
    if starts_with_documents(stages):
        return lambda: whole.run(iter(()))
    planned = _without_expr(stages)
    push = split_pushdown(stages[:planned], count=False)
    rest = scope.compile([*push.rest, *stages[planned:]], scope)
    limit = None if push.limit is None else push.limit + push.skip

    def run() -> Iterator[Document]:
        found = scope.context.find(namespace, push.filter, sort=push.sort, limit=limit)
        return rest.run(islice(found, push.skip, None) if push.skip else found)

    return run


def starts_with_documents(stages: Any) -> bool:
    """Tell whether a sub-pipeline brings its documents along, so that it needs no collection."""
    return bool(stages) and isinstance(stages[0], Mapping) and "$documents" in stages[0]


def _without_expr(stages: Sequence[Mapping[str, Any]]) -> int:
    """Return how many leading stages have no `$expr`, which only the pipeline itself can evaluate."""
    for place, stage in enumerate(stages):
        if "$match" in stage and mentions_expr([stage["$match"]]):
            return place
    return len(stages)
