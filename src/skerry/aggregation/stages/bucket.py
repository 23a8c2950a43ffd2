"""`$bucket`: groups by ranges with given boundaries. Source: MongoDB manual, `$bucket`."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression
from skerry.aggregation.accumulators.accumulator_registry import parse_accumulated_field
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.aggregation.stages.group import run_groups
from skerry.aggregation.stages.sort import sort_documents
from skerry.errors import CommandError
from skerry.expressions.expression import Evaluator, Variables
from skerry.values.compare import ValueKey
from skerry.values.missing import MISSING
from skerry.values.type_order import same_bracket

_OPTIONS: Final = frozenset(("groupBy", "boundaries", "default", "output"))


def parse_bucket(spec: Any, scope: StageScope) -> Run:
    """Parse `$bucket`. Raises CommandError 40191 to 40202 for a bad form; running it 40066 for a value in no bucket."""
    if not isinstance(spec, Mapping):
        raise CommandError(f"Argument to $bucket stage must be an object, but found {spec!r}", 40201)
    for name in spec:
        if name not in _OPTIONS:
            raise CommandError(f"Unrecognized option to $bucket: {name}", 40197)
    if "groupBy" not in spec or "boundaries" not in spec:
        raise CommandError("$bucket requires 'groupBy' and 'boundaries' to be specified", 40198)
    check_group_by("$bucket", spec["groupBy"], 40202)
    boundaries = _boundaries(spec["boundaries"], scope)
    default = _default(spec, boundaries, scope)
    fields = parse_output("$bucket", spec.get("output"), scope, 40196)
    bucket_of = _bucket_evaluator(scope.expression(spec["groupBy"]).evaluate, boundaries, default)

    def run(documents: Documents) -> Documents:
        groups = run_groups(documents, bucket_of, fields, scope)
        yield from sort_documents(groups, [("_id", 1)], memory_limit_bytes=scope.memory_limit_bytes)

    return run


def check_group_by(stage: str, spec: Any, code: int) -> None:
    """Refuse a `groupBy` that is neither a path nor an expression in a document."""
    is_expression = isinstance(spec, Mapping) and next(iter(spec), "").startswith("$")
    if not is_expression and not (isinstance(spec, str) and spec.startswith("$")):
        raise CommandError(
            f"The {stage} 'groupBy' field must be defined as a $-prefixed path or an expression, but found: {spec!r}",
            code,
        )


def parse_output(stage: str, spec: Any, scope: StageScope, code: int) -> dict[str, AccumulatorExpression]:
    """Return the accumulated fields of a bucket: a count when there is no `output`."""
    if spec is None:
        return {"count": parse_accumulated_field("count", {"$sum": 1}, scope)}
    if not isinstance(spec, Mapping):
        raise CommandError(f"The {stage} 'output' field must be an object, but found: {spec!r}", code)
    return {name: parse_accumulated_field(name, each, scope) for name, each in spec.items()}


def _boundaries(spec: Any, scope: StageScope) -> list[Any]:
    if not isinstance(spec, list | tuple):
        raise CommandError(f"The $bucket 'boundaries' field must be an array, but found: {spec!r}", 40200)
    boundaries = [_constant(each, scope, "'boundaries'", 40191) for each in spec]
    if len(boundaries) < 2:
        raise CommandError("The $bucket 'boundaries' field must have at least 2 values", 40192)
    for lower, upper in pairwise(boundaries):
        if not same_bracket(lower, upper):
            raise CommandError("All values in the 'boundaries' option to $bucket must have the same type", 40193)
        if ValueKey(lower) >= ValueKey(upper):
            raise CommandError("The 'boundaries' option to $bucket must be sorted in ascending order", 40194)
    return boundaries


def _default(spec: Mapping[str, Any], boundaries: list[Any], scope: StageScope) -> Any:
    if "default" not in spec:
        return MISSING
    default = _constant(spec["default"], scope, "'default'", 40195)
    is_inside = ValueKey(boundaries[0]) <= ValueKey(default) < ValueKey(boundaries[-1])
    if same_bracket(default, boundaries[0]) and is_inside:
        raise CommandError(
            "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest",
            40199,
        )
    return default


def _constant(spec: Any, scope: StageScope, what: str, code: int) -> Any:
    expression = scope.expression(spec)
    if not expression.is_constant:
        raise CommandError(f"The $bucket {what} field must be constant, but found: {spec!r}", code)
    return expression.constant


def _bucket_evaluator(evaluate: Evaluator, boundaries: list[Any], default: Any) -> Evaluator:
    keys = [ValueKey(boundary) for boundary in boundaries]
    last = len(keys)

    def bucket_of(document: Document, variables: Variables) -> Any:
        place = bisect_right(keys, ValueKey(evaluate(document, variables)))
        if 0 < place < last:
            return boundaries[place - 1]
        if default is MISSING:
            raise CommandError(
                "$switch could not find a matching branch for an input, and no default was specified.", 40066
            )
        return default

    return bucket_of
