"""What an accumulator is: takes the values of one group in turn and gives their result.

Rules: `evaluate` computes from a document what goes in, `start` makes the state of one group; `result` may be asked for at
any time and does not end the state, so that a window can grow and be read. A value that is absent is `MISSING`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.stage import Document, StageScope
from skerry.errors import CommandError
from skerry.expressions.expression import Evaluator
from skerry.values.missing import MISSING


class Accumulator(Protocol):
    """The state of one accumulator in one group."""

    def add(self, value: Any) -> None:
        """Take one document's value."""

    def result(self) -> Any:
        """Return the result for the values so far."""


Start = Callable[[Document, MemoryMeter], Accumulator]
"""Makes a group's state; the document is the group's `_id` when that is one, else empty (for `n` of `$firstN` …)."""


@dataclass(frozen=True, slots=True)
class AccumulatorExpression:
    """One accumulator as a stage names it, `{$sum: "$price"}`.

    `times` is set when every document gives the same number, so that its sum is that number times their count.
    """

    evaluate: Evaluator
    start: Start
    times: Any = MISSING


Parse = Callable[[str, Any, StageScope], AccumulatorExpression]


def unary(make: Callable[[MemoryMeter], Accumulator]) -> Parse:
    """Return the parser of an accumulator that takes one expression."""

    def parse(name: str, argument: Any, scope: StageScope) -> AccumulatorExpression:
        if isinstance(argument, list | tuple):
            if len(argument) != 1:
                raise CommandError(f"The {name} accumulator is a unary operator", 40237)
            argument = argument[0]
        return AccumulatorExpression(scope.expression(argument).evaluate, lambda _group, meter: make(meter))

    return parse


def options_of(name: str, argument: Any, required: tuple[str, ...], code: int) -> Mapping[str, Any]:
    """Return an argument that must be a document of exactly these fields. Raises CommandError with `code`."""
    if not isinstance(argument, Mapping):
        raise CommandError(f"specification must be an object; found {name}: {argument!r}", code)
    for field in argument:
        if field not in required:
            raise CommandError(f"Unknown argument to {name}: '{field}'", code)
    for field in required:
        if field not in argument:
            raise CommandError(f"Missing value for '{field}' in {name}", code)
    return argument
