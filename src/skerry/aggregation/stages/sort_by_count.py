"""`$sortByCount`: the distinct values of an expression by how often they occur. Source: MongoDB manual, `$sortByCount`."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.accumulators.accumulator_registry import parse_accumulated_field
from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.aggregation.stages.group import group_run
from skerry.aggregation.stages.sort import sort_documents
from skerry.errors import CommandError


def parse_sort_by_count(spec: Any, scope: StageScope) -> Run:
    """Parse `$sortByCount`. Raises CommandError 40147, 40148 or 40149 unless `spec` is a path or an expression."""
    if isinstance(spec, Mapping):
        if not next(iter(spec), "").startswith("$"):
            raise CommandError("the sortByCount field must be defined as an expression inside an object", 40147)
    elif isinstance(spec, str):
        if not spec.startswith("$"):
            raise CommandError("the sortByCount field must be defined as a $-prefixed path or an expression", 40148)
    else:
        raise CommandError("the sortByCount field must be specified as a string or as an object", 40149)
    count = parse_accumulated_field("count", {"$sum": 1}, scope)
    group = group_run(spec, {"count": count}, scope)

    def run(documents: Documents) -> Documents:
        yield from sort_documents(group(documents), [("count", -1)], memory_limit_bytes=scope.memory_limit_bytes)

    return run
