"""Accumulators over windows: `$sum`, `$avg`, `$push`, … as `$setWindowFields` uses them.

A window that starts with its partition grows from document to document, so its state is kept; any other one is
accumulated anew for each document.
"""

from typing import Any

from skerry.aggregation.accumulators.accumulator import Accumulator, AccumulatorExpression
from skerry.aggregation.accumulators.accumulator_registry import ACCUMULATORS
from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.aggregation.window_functions.window import UNBOUNDED, Window
from skerry.values.missing import MISSING


def parse_accumulated(spec: WindowFunctionSpec) -> Compute:
    """Parse an accumulator; without a window it sees the whole partition."""
    accumulator = ACCUMULATORS[spec.name](spec.name, spec.argument, spec.scope)
    window = spec.window or Window("documents", UNBOUNDED, UNBOUNDED)
    if window.kind == "range" and not window.is_whole_partition:
        spec.check_single_sort(5339902)

    def compute(partition: Partition) -> list[Any]:
        sort_values = spec.single_sort_values(partition, 5339902) if window.kind == "range" else None
        return _Windows(spec, accumulator, partition).results(window, sort_values)

    return compute


class _Windows:
    """One accumulator over the windows of one partition."""

    def __init__(self, spec: WindowFunctionSpec, accumulator: AccumulatorExpression, partition: Partition) -> None:
        self._spec = spec
        self._accumulator = accumulator
        self._values = partition.values(accumulator.evaluate)

    def results(self, window: Window, sort_values: list[Any] | None) -> list[Any]:
        count = len(self._values)
        if window.is_whole_partition:
            state = self._state()
            self._feed(state, 0, count)
            return [_shown(state)] * count
        stretches = window.stretches(count, sort_values)
        if window.lower == UNBOUNDED:
            return self._growing(stretches)
        results = []
        for start, end in stretches:
            state = self._state()
            self._feed(state, start, end)
            results.append(_shown(state))
        return results

    def _growing(self, stretches: Any) -> list[Any]:
        results = []
        state = self._state()
        fed = 0
        for _, end in stretches:
            if end > fed:
                self._feed(state, fed, end)
                fed = end
            results.append(_shown(state))
        return results

    def _state(self) -> Accumulator:
        return self._accumulator.start({}, self._spec.scope.meter("$setWindowFields"))

    def _feed(self, state: Accumulator, start: int, end: int) -> None:
        add = state.add
        for value in self._values[start:end]:
            add(value)


def _shown(state: Accumulator) -> Any:
    result = state.result()
    return None if result is MISSING else result
