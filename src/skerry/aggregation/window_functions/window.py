"""Windows of `$setWindowFields`: for each document, the stretch of its partition that a function sees.

Source: MongoDB manual, `$setWindowFields`, "Window Operators".
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from skerry.aggregation.date_steps import check_unit, compile_step, is_date
from skerry.errors import CommandError, FailedToParseError
from skerry.values import key_string
from skerry.values.numbers import as_index, is_number

UNBOUNDED: Final = "unbounded"
CURRENT: Final = "current"


@dataclass(frozen=True, slots=True)
class Window:
    """Bounds by position ("documents") or by distance in the order's field ("range"), both inclusive."""

    kind: Literal["documents", "range"]
    lower: Any
    upper: Any
    unit: str | None = None

    @property
    def is_whole_partition(self) -> bool:
        """Whether every document sees all of them."""
        return bool(self.lower == UNBOUNDED and self.upper == UNBOUNDED)

    def stretches(self, count: int, sort_values: Sequence[Any] | None) -> Iterator[tuple[int, int]]:
        """Yield for each of `count` documents the half-open range of places that it sees.

        `sort_values` are needed for a range. Raises CommandError 5429413 or 5429414 for values that have no distance.
        """
        if self.kind == "range":
            assert sort_values is not None
            yield from self._ranges(sort_values)
            return
        for place in range(count):
            start = 0 if self.lower == UNBOUNDED else place + (0 if self.lower == CURRENT else self.lower)
            end = count if self.upper == UNBOUNDED else place + 1 + (0 if self.upper == CURRENT else self.upper)
            start = max(0, min(start, count))
            yield start, max(start, min(end, count))

    def _ranges(self, sort_values: Sequence[Any]) -> Iterator[tuple[int, int]]:
        step = compile_step(self.unit)
        keys = [key_string.encode(value) for value in sort_values]
        for value in sort_values:
            self._check_value(value)
            start, end = 0, len(keys)
            if self.lower != UNBOUNDED:
                least = value if self.lower == CURRENT else step(value, self.lower)
                start = bisect_left(keys, key_string.encode(least))
            if self.upper != UNBOUNDED:
                greatest = value if self.upper == CURRENT else step(value, self.upper)
                end = bisect_right(keys, key_string.encode(greatest))
            yield start, max(start, end)

    def _check_value(self, value: Any) -> None:
        if self.unit is not None and not is_date(value):
            raise CommandError("Invalid range: Expected the sortBy field to be a Date, but it was not", 5429413)
        if self.unit is None and not is_number(value):
            raise CommandError("Invalid range: Expected the sortBy field to be a number, but it was not", 5429414)


def parse_window(spec: Any) -> Window:
    """Parse `window`. Raises FailedToParseError for another form than `documents`, or `range` with perhaps `unit`."""
    if not isinstance(spec, Mapping):
        raise FailedToParseError("'window' field must be an object")
    for name in spec:
        if name not in ("documents", "range", "unit"):
            raise FailedToParseError(f"'window' field must be one of documents, range, unit; found {name}")
    if "documents" in spec and "range" in spec:
        raise FailedToParseError("Window bounds can specify either 'documents' or 'range', not both.")
    if "documents" in spec:
        if "unit" in spec:
            raise FailedToParseError("Window bounds can only specify 'unit' with range-based bounds.")
        return _parse_bounds("documents", spec["documents"], None)
    unit = check_unit("$setWindowFields", spec["unit"], 9) if "unit" in spec else None
    if "range" in spec:
        return _parse_bounds("range", spec["range"], unit)
    return Window("documents", UNBOUNDED, UNBOUNDED, unit)


def _parse_bounds(kind: Literal["documents", "range"], spec: Any, unit: str | None) -> Window:
    if not isinstance(spec, list | tuple) or len(spec) != 2:
        raise FailedToParseError(f"Window bounds must be a 2-element array: {kind}: {spec!r}")
    bounds: list[Any] = []
    for bound in spec:
        if bound in (UNBOUNDED, CURRENT) and isinstance(bound, str):
            bounds.append(bound)
            continue
        index = as_index(bound)
        if kind == "documents" or unit is not None:
            if index is None:
                raise FailedToParseError(f"Numeric {kind}-based bounds must be an integer, found {bound!r}")
            bounds.append(index)
        elif is_number(bound):
            bounds.append(bound)
        else:
            raise FailedToParseError(f"Range-based bounds expression must be a number, found {bound!r}")
    lower, upper = (0 if bound == CURRENT else bound for bound in bounds)
    if lower != UNBOUNDED and upper != UNBOUNDED and key_string.encode(lower) > key_string.encode(upper):
        raise CommandError(f"Lower bound must not exceed upper bound: {spec!r}", 5339900)
    return Window(kind, bounds[0], bounds[1], unit)
