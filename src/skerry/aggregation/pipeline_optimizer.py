"""Which leading stages of a pipeline the planner can serve, and what remains for the pipeline itself.

Rules: leading `$match`es become one filter, also across a `$sort`, which they leave in order; then one `$sort`; then any
`$skip` and `$limit`, folded into one of each. A stage that is malformed stays in `rest`, so that compiling it raises.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from skerry.aggregation.stage import ENGINE_STAGES
from skerry.aggregation.stages.count import check_count
from skerry.aggregation.stages.skip_limit import check_limit, check_skip
from skerry.aggregation.stages.sort import parse_sort_pattern
from skerry.errors import CommandError
from skerry.values.numbers import is_number, multiply, normalize

_LOGICAL: Final = frozenset(("$and", "$or", "$nor"))
_WHOLE_DOCUMENT: Final = frozenset(("$$ROOT", "$$CURRENT"))


@dataclass(frozen=True, slots=True)
class CountOnly:
    """The result of a pipeline for which only the number of matching documents matters."""

    documents: Callable[[int], list[dict[str, Any]]]
    """From that number to all documents of the result."""


@dataclass(frozen=True, slots=True)
class Pushdown:
    """What goes to the planner: the documents that match `filter`, in the order of `sort`, without the first `skip`, at
    most `limit` of them (None for all); then `rest` runs over them.

    With `count_only`, `rest` runs over its documents instead. `needed_fields` are the top-level fields that `rest` reads,
    None when it may read any.
    """

    filter: dict[str, Any] = field(default_factory=dict)
    sort: list[tuple[str, int]] | None = None
    skip: int = 0
    limit: int | None = None
    count_only: CountOnly | None = None
    rest: list[Mapping[str, Any]] = field(default_factory=list)
    needed_fields: frozenset[str] | None = None


def split_pushdown(stages: Sequence[Mapping[str, Any]], *, count: bool = True) -> Pushdown:
    """Divide a pipeline between the planner and itself; raises nothing for malformed stages.

    With `count` false, `count_only` is never set.
    """
    leading = _Leading()
    taken = 0
    for spec in stages:
        if not isinstance(spec, Mapping) or len(spec) != 1 or not leading.take(*next(iter(spec.items()))):
            break
        taken += 1
    if taken < len(stages) and _must_lead(stages[taken]):
        return Pushdown(rest=list(stages))
    rest = list(stages[taken:])
    count_only = None
    if count and rest:
        count_only = _count_only(rest[0])
    if count_only is not None:
        rest = rest[1:]
    return Pushdown(
        filter=leading.filter(),
        sort=None if count_only is not None else leading.sort,
        skip=leading.skip,
        limit=leading.limit,
        count_only=count_only,
        rest=rest,
        needed_fields=_needed_fields(rest),
    )


class _Leading:
    """What has been taken from the front of a pipeline so far."""

    def __init__(self) -> None:
        self.filters: list[Mapping[str, Any]] = []
        self.sort: list[tuple[str, int]] | None = None
        self.skip = 0
        self.limit: int | None = None

    def filter(self) -> dict[str, Any]:
        """Return one filter for all that were taken."""
        if len(self.filters) > 1:
            return {"$and": list(self.filters)}
        return dict(self.filters[0]) if self.filters else {}

    def take(self, name: str, argument: Any) -> bool:
        """Take a stage if the planner can serve it after those before; tell whether it was taken."""
        is_cut = self.skip > 0 or self.limit is not None
        try:
            if name == "$match":
                return not is_cut and self._take_match(argument)
            if name == "$sort":
                if is_cut or self.sort is not None:
                    return False
                self.sort = parse_sort_pattern(argument)
                return True
            if name == "$skip":
                return self._take_skip(check_skip(argument))
            if name == "$limit":
                count = check_limit(argument)
                self.limit = count if self.limit is None else min(self.limit, count)
                return True
        except CommandError:
            return False
        return False

    def _take_match(self, argument: Any) -> bool:
        if not isinstance(argument, Mapping):
            return False
        if argument:
            self.filters.append(argument)
        return True

    def _take_skip(self, count: int) -> bool:
        if self.limit is not None:
            if self.limit <= count:
                return False
            self.limit -= count
        self.skip += count
        return True


def _must_lead(stage: Any) -> bool:
    """Tell whether a stage may only be a pipeline's first, so that what was before it must stay for the error."""
    name = next(iter(stage), "") if isinstance(stage, Mapping) else ""
    return name == "$documents" or name in ENGINE_STAGES


def _count_only(stage: Any) -> CountOnly | None:
    if not isinstance(stage, Mapping) or len(stage) != 1:
        return None
    ((name, argument),) = stage.items()
    if name == "$count":
        try:
            counted = check_count(argument)
        except CommandError:
            return None
        return CountOnly(lambda count: [{counted: normalize(count)}] if count else [])
    if name == "$group" and isinstance(argument, Mapping) and "_id" in argument:
        return _count_by_group(argument)
    return None


def _count_by_group(spec: Mapping[str, Any]) -> CountOnly | None:
    """Recognise `{_id: constant, n: {$sum: number}, …}`."""
    key = spec["_id"]
    if (isinstance(key, str) and key.startswith("$")) or isinstance(key, Mapping | list | tuple):
        return None
    factors = {}
    for name, accumulator in spec.items():
        if name == "_id":
            continue
        if "." in name or name.startswith("$") or not isinstance(accumulator, Mapping) or len(accumulator) != 1:
            return None
        ((operator, operand),) = accumulator.items()
        if operator == "$count" and operand == {}:
            factors[name] = 1
        elif operator == "$sum" and is_number(operand):
            factors[name] = operand
        else:
            return None

    def documents(count: int) -> list[dict[str, Any]]:
        if not count:
            return []
        return [{"_id": key, **{name: multiply(factor, normalize(count)) for name, factor in factors.items()}}]

    return CountOnly(documents)


def mentions_expr(filters: Sequence[Any]) -> bool:
    """Tell whether a filter has `$expr`, which reads the pipeline's variables."""
    for each in filters:
        if isinstance(each, Mapping):
            for name, value in each.items():
                if name == "$expr" or (name in _LOGICAL and isinstance(value, list) and mentions_expr(value)):
                    return True
    return False


def _needed_fields(rest: Sequence[Mapping[str, Any]]) -> frozenset[str] | None:
    """Return what the stages read up to a `$group` or `$count`, after which nothing else of the source is seen."""
    needed: set[str] = set()
    for stage in rest:
        if not isinstance(stage, Mapping) or len(stage) != 1:
            return None
        ((name, argument),) = stage.items()
        if name not in ("$group", "$count", "$sortByCount", "$unwind"):
            return None
        if name != "$count":
            for path in _paths(argument):
                if path in _WHOLE_DOCUMENT:
                    return None
                needed.add(path)
        if name != "$unwind":
            return frozenset(needed)
    return None


def _paths(expression: Any) -> Iterator[str]:
    """Yield the first name of every path that an expression mentions, whole-document variables as they are."""
    if isinstance(expression, str):
        if expression.startswith("$$"):
            variable, _, path = expression.partition(".")
            if variable in _WHOLE_DOCUMENT:
                yield path.partition(".")[0] or variable
        elif expression.startswith("$"):
            yield expression[1:].partition(".")[0]
    elif isinstance(expression, Mapping):
        for name, value in expression.items():
            if name == "sortBy" and isinstance(value, Mapping):
                yield from (path.partition(".")[0] for path in value)
            yield from _paths(value)
    elif isinstance(expression, list | tuple):
        for value in expression:
            yield from _paths(value)
