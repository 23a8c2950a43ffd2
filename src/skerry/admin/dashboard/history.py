"""The last minutes of a link for the charts: samples of what waits and of counters, and the rates between them. Pure."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from skerry.admin.monitor import PULLED, PUSHED, growth

SAMPLES_MAX: Final = 300
INTERVAL_SECONDS: Final = 2.0

Points = list[tuple[int, float | None]]
"""(milliseconds since 1970, value); None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A link at one moment; counters since its start, lags in milliseconds."""

    at_ms: int
    queue: int
    push_lag_ms: int | None
    pull_lag_ms: int | None
    counters: Mapping[str, int]


class History:
    """The newest samples. Any thread may read while one adds."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    def queue(self) -> Points:
        return [(each.at_ms, each.queue) for each in list(self._samples)]

    def push_lag_seconds(self) -> Points:
        """How long the oldest local write has been waiting; 0 when none does."""
        return [(each.at_ms, (each.push_lag_ms or 0) / 1000) for each in list(self._samples)]

    def pull_lag_seconds(self) -> Points:
        """How long ago the hub was heard."""
        return [
            (each.at_ms, None if each.pull_lag_ms is None else each.pull_lag_ms / 1000) for each in list(self._samples)
        ]

    def pushed_per_second(self) -> Points:
        return self._rate(PUSHED)

    def pulled_per_second(self) -> Points:
        return self._rate(PULLED)

    def _rate(self, names: tuple[str, ...]) -> Points:
        samples = list(self._samples)
        points: Points = []
        for earlier, later in pairwise(samples):
            seconds = (later.at_ms - earlier.at_ms) / 1000
            if seconds > 0:
                grown = growth(earlier.counters, later.counters)
                points.append((later.at_ms, round(sum(grown.get(name, 0) for name in names) / seconds, 2)))
        return points
