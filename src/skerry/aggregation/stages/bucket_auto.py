"""`$bucketAuto`: a number of groups of about the same size. Source: MongoDB manual, `$bucketAuto`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.aggregation.stages.bucket import check_group_by, parse_output
from skerry.errors import CommandError, NotImplementedYetError
from skerry.values.compare import ValueKey
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number, multiply, normalize

_OPTIONS: Final = frozenset(("groupBy", "buckets", "output", "granularity"))
_Row = tuple[ValueKey, Any, Document]


def parse_bucket_auto(spec: Any, scope: StageScope) -> Run:
    """Parse `$bucketAuto`. Raises CommandError 40239 to 40246 for a bad form, NotImplementedYetError for `granularity`."""
    if not isinstance(spec, Mapping):
        raise CommandError(f"The argument to $bucketAuto must be an object, but found {spec!r}", 40240)
    for name in spec:
        if name not in _OPTIONS:
            raise CommandError(f"Unrecognized option to $bucketAuto: {name}", 40245)
    if "groupBy" not in spec or "buckets" not in spec:
        raise CommandError("$bucketAuto requires 'groupBy' and 'buckets' to be specified", 40246)
    if "granularity" in spec:
        raise NotImplementedYetError("$bucketAuto's option granularity is not supported yet")
    check_group_by("$bucketAuto", spec["groupBy"], 40239)
    buckets = _bucket_count(spec["buckets"])
    fields = parse_output("$bucketAuto", spec.get("output"), scope, 40244)
    evaluate = scope.expression(spec["groupBy"]).evaluate

    def run(documents: Documents) -> Documents:
        meter = scope.meter("$bucketAuto")
        rows: list[_Row] = []
        for document in documents:
            meter.add_sampled(document)
            value = evaluate(document, scope.variables)
            value = None if value is MISSING else value
            rows.append((ValueKey(value), value, document))
        rows.sort(key=lambda row: row[0])
        yield from _buckets(rows, buckets, fields, scope)

    return run


def _bucket_count(value: Any) -> int:
    if not is_number(value):
        raise CommandError(f"The $bucketAuto 'buckets' field must be a numeric value, but found {value!r}", 40241)
    count = as_index(value)
    if count is None:
        raise CommandError(
            f"The $bucketAuto 'buckets' field must be representable as a 32-bit integer: {value!r}", 40242
        )
    if count <= 0:
        raise CommandError(f"The $bucketAuto 'buckets' field must be greater than 0, but found: {count}", 40243)
    return count


def _buckets(
    rows: list[_Row], buckets: int, fields: Mapping[str, AccumulatorExpression], scope: StageScope
) -> Iterator[Document]:
    """Yield the buckets: each takes its share and all values equal to its last one, the last bucket takes the rest."""
    share = max(1, int(len(rows) / buckets + 0.5))
    start = 0
    for number in range(1, buckets + 1):
        if start >= len(rows):
            return
        end = len(rows) if number == buckets else min(start + share, len(rows))
        while end < len(rows) and rows[end][0] == rows[end - 1][0]:
            end += 1
        upper = rows[end][1] if end < len(rows) else rows[end - 1][1]
        yield {
            "_id": {"min": rows[start][1], "max": upper},
            **_accumulated([document for _, _, document in rows[start:end]], fields, scope),
        }
        start = end


def _accumulated(
    documents: list[Document], fields: Mapping[str, AccumulatorExpression], scope: StageScope
) -> dict[str, Any]:
    output: dict[str, Any] = {}
    meter = scope.meter("$bucketAuto")
    for name, field in fields.items():
        if field.times is not MISSING:
            output[name] = multiply(field.times, normalize(len(documents)))
            continue
        state = field.start({}, meter)
        for document in documents:
            state.add(field.evaluate(document, scope.variables))
        result = state.result()
        output[name] = None if result is MISSING else result
    return output
