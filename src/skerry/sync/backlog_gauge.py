"""How much of a link waits to be pushed, known well enough for every write to ask.

Counting takes as long as there is much to count, so a count is trusted until what was noted since could have reached a limit, or
another process may have added to it for some seconds.
"""

import time
from dataclasses import replace
from typing import Final

from skerry.storage import ReadView
from skerry.sync.protocol.dirty_limits import Backlog, DirtyLimits
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.sync.shadow import Shadows

TRUSTED_SECONDS: Final = 5.0
FULL_SECONDS: Final = 0.2  # a program that tries again and again must not count each time


class BacklogGauge:
    """The gauge of one link in this process. A wrong guess of concurrent writers costs one more count."""

    def __init__(self, shadows: Shadows, limits: DirtyLimits) -> None:
        self.limits = limits
        self._shadows = shadows
        self._estimate = Backlog()
        self._counted_at = -TRUSTED_SECONDS
        self._was_exceeded = False

    def is_exceeded(self, view: ReadView, *, documents: int, bytes_kept: int) -> bool:
        """Whether the limits are exceeded, `documents` and `bytes_kept` having been noted in `view` since the last call."""
        if self.limits.are_none:
            return False
        known = self._estimate
        self._estimate = replace(known, documents=known.documents + documents, bytes=known.bytes + bytes_kept)
        age = time.monotonic() - self._counted_at
        grown = replace(self._estimate, age_ms=known.age_ms + int(age * 1000))
        if age < TRUSTED_SECONDS and not self.limits.is_exceeded(grown):
            return False
        if age < FULL_SECONDS and self._was_exceeded:
            return True
        self._estimate = count_backlog(view, self._shadows)
        self._counted_at = time.monotonic()
        self._was_exceeded = self.limits.is_exceeded(self._estimate)
        return self._was_exceeded


def count_backlog(view: ReadView, shadows: Shadows) -> Backlog:
    """Count what waits or is on its way."""
    documents, oldest = shadows.unclean(view)
    age_ms = max(0, int(time.time() * 1000) - milliseconds_of(oldest)) if oldest else 0
    return Backlog(documents, shadows.kept_bytes(view), age_ms)
