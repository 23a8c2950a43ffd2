"""`$match`: lets the documents through that a filter accepts. Source: MongoDB manual, `$match`."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.matcher.compile import compile_filter


def parse_match(spec: Any, scope: StageScope) -> Run:
    """Parse `$match`. Raises CommandError 15959 when the filter is no document."""
    matcher = compile_filter(check_match(spec), variables=scope.variables)
    if matcher.matches_all:
        return lambda documents: documents
    matches = matcher.matches

    def run(documents: Documents) -> Documents:
        return filter(matches, documents)

    return run


def check_match(spec: Any) -> Mapping[str, Any]:
    """Return the filter of a `$match`. Raises CommandError 15959 when it is no document."""
    if not isinstance(spec, Mapping):
        raise CommandError("the match filter must be an expression in an object", 15959)
    return spec
