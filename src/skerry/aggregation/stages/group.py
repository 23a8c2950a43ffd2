"""`$group`: one document for each distinct key, with accumulated values. Source: MongoDB manual, `$group`.

Rules: keys are equal as MongoDB compares them (1 and 1.0 are one group, 1 and true are two) and shown as they were met
first; a missing key is null, but inside of a key of several fields it is left out and told apart from null. Groups come
out in the order in which they were met; MongoDB promises none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression, Start
from skerry.aggregation.accumulators.accumulator_registry import parse_accumulated_field
from skerry.aggregation.memory_limit import MemoryMeter, approximate_bytes
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.aggregation.value_hash import OWN_KEY, hash_key
from skerry.errors import CommandError
from skerry.expressions.expression import Evaluator
from skerry.values.missing import MISSING
from skerry.values.numbers import multiply, normalize

_GROUP_BYTES: Final = 64
_NO_DOCUMENT: Final[Document] = {}
AccumulatedFields = Mapping[str, AccumulatorExpression]


def parse_group(spec: Any, scope: StageScope) -> Run:
    """Parse `$group`. Raises CommandError 15947 for no document, 15955 without `_id`, and what accumulators raise."""
    if not isinstance(spec, Mapping):
        raise CommandError("a group's fields must be specified in an object", 15947)
    if "_id" not in spec:
        raise CommandError("a group specification must include an _id", 15955)
    fields = {name: parse_accumulated_field(name, each, scope) for name, each in spec.items() if name != "_id"}
    return group_run(spec["_id"], fields, scope)


def group_run(key_spec: Any, fields: AccumulatedFields, scope: StageScope) -> Run:
    """Return the run that groups by the expression `key_spec`."""
    expression = scope.expression(key_spec)
    parts = _parts_of(key_spec, scope)
    if len(parts) > 1:
        return lambda documents: _run_compound(documents, parts, fields, scope)
    # MongoDB gives a key of one field as null, too, when that field is missing.
    ((name, evaluate),) = parts.items() if parts else ((None, expression.evaluate),)
    return lambda documents: run_groups(documents, evaluate, fields, scope, name=name)


def _parts_of(key_spec: Any, scope: StageScope) -> dict[str, Evaluator]:
    """Return the fields of a key that is a document, nothing for other keys."""
    if not isinstance(key_spec, Mapping) or next(iter(key_spec), "$").startswith("$"):
        return {}
    return {name: scope.expression(part).evaluate for name, part in key_spec.items()}


class _Group:
    """The accumulated state of one key. There may be very many, so each consists of few objects."""

    __slots__ = ("count", "key", "states")

    def __init__(self, key: Any, starts: Sequence[Start], meter: MemoryMeter) -> None:
        meter.add(_GROUP_BYTES + approximate_bytes(key))
        self.key = key
        self.count = 0
        document = key if key.__class__ is dict else _NO_DOCUMENT
        self.states = [start(document, meter) for start in starts]


def _fed(fields: AccumulatedFields) -> tuple[tuple[Evaluator, ...], tuple[Start, ...]]:
    """Return the evaluators and starts of the fields that take a value from every document."""
    fed = [field for field in fields.values() if field.times is MISSING]
    return tuple(field.evaluate for field in fed), tuple(field.start for field in fed)


def _results(groups: Iterable[_Group], fields: AccumulatedFields) -> Documents:
    """Yield the groups' outputs; an absent value is null."""
    for group in groups:
        output = {"_id": group.key}
        states = iter(group.states)
        for name, field in fields.items():
            value = next(states).result() if field.times is MISSING else multiply(field.times, normalize(group.count))
            output[name] = None if value is MISSING else value
        yield output


def run_groups(
    documents: Documents, evaluate: Evaluator, fields: AccumulatedFields, scope: StageScope, *, name: str | None = None
) -> Documents:
    """Group by one value, which becomes `_id`, or the field `name` of it."""
    variables = scope.variables
    meter = scope.meter("$group")
    evaluators, starts = _fed(fields)
    groups: dict[Any, _Group] = {}
    for document in documents:
        value = evaluate(document, variables)
        if value is MISSING:
            value = None
        key = value if value.__class__ in OWN_KEY else hash_key(value)
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(value if name is None else {name: value}, starts, meter)
        group.count += 1
        for value_of, state in zip(evaluators, group.states):
            state.add(value_of(document, variables))
    yield from _results(groups.values(), fields)


def _run_compound(
    documents: Documents, parts: dict[str, Evaluator], fields: AccumulatedFields, scope: StageScope
) -> Documents:
    variables = scope.variables
    meter = scope.meter("$group")
    names = tuple(parts)
    key_evaluators = tuple(parts.values())
    evaluators, starts = _fed(fields)
    groups: dict[Any, _Group] = {}
    for document in documents:
        values = [evaluate(document, variables) for evaluate in key_evaluators]
        key = tuple([value if value.__class__ in OWN_KEY else hash_key(value) for value in values])
        group = groups.get(key)
        if group is None:
            shown = {name: value for name, value in zip(names, values) if value is not MISSING}
            group = groups[key] = _Group(shown, starts, meter)
        group.count += 1
        for value_of, state in zip(evaluators, group.states):
            state.add(value_of(document, variables))
    yield from _results(groups.values(), fields)
