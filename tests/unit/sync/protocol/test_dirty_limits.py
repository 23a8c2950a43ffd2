import pytest

from skerry.config.sync_config import OnFull
from skerry.sync.protocol.dirty_limits import Backlog, DirtyLimits


@pytest.mark.parametrize(
    ("limits", "backlog", "fullness"),
    [
        (DirtyLimits(), Backlog(10**9, 10**9, 10**9), 0.0),
        (DirtyLimits(documents_max=10), Backlog(documents=5), 0.5),
        (DirtyLimits(documents_max=10, bytes_max=100), Backlog(documents=5, bytes=110), 1.1),
        (DirtyLimits(age_ms_max=1000), Backlog(age_ms=1000), 1.0),
    ],
)
def test_fullness_is_that_of_the_limit_reached_first(limits: DirtyLimits, backlog: Backlog, fullness: float) -> None:
    assert limits.fullness(backlog) == fullness
    assert limits.is_exceeded(backlog) is (fullness > 1)


def test_limits_are_read_as_they_were_stored() -> None:
    limits = DirtyLimits(1, 2, None, OnFull.SPILL)
    assert DirtyLimits.from_document(limits.to_document()) == limits
    assert DirtyLimits.from_document(None).are_none
