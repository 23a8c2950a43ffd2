"""`$skip` and `$limit`: leave out the first documents, stop after some. Source: MongoDB manual, the pages so named."""

from itertools import islice
from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.values.numbers import is_number, to_int64_exact


def check_skip(spec: Any) -> int:
    """Return the number of a `$skip`. Raises CommandError 5107200 unless it is a whole number, not negative."""
    count = to_int64_exact(spec) if is_number(spec) else None
    if count is None or count < 0:
        raise CommandError(
            f"invalid argument to $skip stage: Expected a non-negative integer, but got {spec!r}", 5107200
        )
    return count


def check_limit(spec: Any) -> int:
    """Return the number of a `$limit`. Raises CommandError 5107201 unless it is whole, 15958 unless it is positive."""
    count = to_int64_exact(spec) if is_number(spec) else None
    if count is None or count < 0:
        raise CommandError(
            f"invalid argument to $limit stage: Expected a non-negative integer, but got {spec!r}", 5107201
        )
    if count == 0:
        raise CommandError("the limit must be positive", 15958)
    return count


def parse_skip(spec: Any, scope: StageScope) -> Run:  # noqa: ARG001
    """Parse `$skip`."""
    count = check_skip(spec)

    def run(documents: Documents) -> Documents:
        return islice(documents, count, None)

    return run


def parse_limit(spec: Any, scope: StageScope) -> Run:  # noqa: ARG001
    """Parse `$limit`."""
    count = check_limit(spec)

    def run(documents: Documents) -> Documents:
        return islice(documents, count)

    return run
