"""`$top`, `$bottom`, `$topN` and `$bottomN`: outputs by an order of their own. Source: the manual's pages so named."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from skerry.aggregation.accumulators.accumulator import Accumulator, AccumulatorExpression, Start, options_of
from skerry.aggregation.accumulators.n_argument import start_with_n
from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.stage import Document, StageScope
from skerry.aggregation.stages.sort import compile_sort_key, parse_sort_pattern
from skerry.values.missing import MISSING


class Ranked:
    """The outputs of the `n` first documents of an order, or of the `n` last; takes pairs of sort key and output."""

    __slots__ = ("_held", "_is_top", "_meter", "_n")

    def __init__(self, n: int, meter: MemoryMeter, *, is_top: bool) -> None:
        self._n = n
        self._meter = meter
        self._is_top = is_top
        self._held: list[tuple[bytes, Any]] = []

    def add(self, value: tuple[bytes, Any]) -> None:
        """Take a pair."""
        self._meter.add_value(value[1])
        self._held.append(value)
        if len(self._held) > 4 * self._n + 64:
            ranked = sorted(self._held, key=itemgetter(0))
            for _, output in ranked[self._n :] if self._is_top else ranked[: -self._n]:
                self._meter.release_value(output)
            self._held = self._cut(ranked)

    def result(self) -> list[Any]:
        """Return the outputs in the order, a missing one as null."""
        ranked = self._cut(sorted(self._held, key=itemgetter(0)))
        return [None if output is MISSING else output for _, output in ranked]

    def _cut(self, ranked: list[tuple[bytes, Any]]) -> list[tuple[bytes, Any]]:
        return ranked[: self._n] if self._is_top else ranked[-self._n :]


class RankedOne(Ranked):
    """`$top` and `$bottom`: the one output itself."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the output, None when there was no document."""
        outputs = super().result()
        return outputs[0] if outputs else None


def _parse(
    name: str, argument: Any, scope: StageScope, fields: tuple[str, ...], start: Callable[[Any], Start]
) -> AccumulatorExpression:
    options = options_of(name, argument, fields, 5788002)
    sort_key = compile_sort_key(parse_sort_pattern(options["sortBy"]))
    output = scope.expression(options["output"]).evaluate

    def evaluate(document: Document, variables: Any) -> tuple[bytes, Any]:
        return sort_key(document), output(document, variables)

    return AccumulatorExpression(evaluate, start(options.get("n")))


def _parser_of_one(*, is_top: bool) -> Callable[[str, Any, StageScope], AccumulatorExpression]:
    def start(_group: Document, meter: MemoryMeter) -> Accumulator:
        return RankedOne(1, meter, is_top=is_top)

    def parse(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
        return _parse(name, argument, scope, ("sortBy", "output"), lambda _n: start)

    return parse


def _parser_of_n(*, is_top: bool) -> Callable[[str, Any, StageScope], AccumulatorExpression]:
    def make(n: int, meter: MemoryMeter) -> Accumulator:
        return Ranked(n, meter, is_top=is_top)

    def parse(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
        return _parse(name, argument, scope, ("n", "sortBy", "output"), lambda n: start_with_n(n, scope, make))

    return parse


parse_top = _parser_of_one(is_top=True)
parse_bottom = _parser_of_one(is_top=False)
parse_top_n = _parser_of_n(is_top=True)
parse_bottom_n = _parser_of_n(is_top=False)
