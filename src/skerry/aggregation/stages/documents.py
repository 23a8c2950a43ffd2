"""`$documents`: the pipeline's own input. Source: MongoDB manual, `$documents`."""

from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError


def parse_documents(spec: Any, scope: StageScope) -> Run:
    """Parse `$documents`: an expression that gives an array of documents. Running it raises CommandError 5858203."""
    evaluate = scope.expression(spec).evaluate

    def run(documents: Documents) -> Documents:  # noqa: ARG001
        value = evaluate({}, scope.variables)
        if not isinstance(value, list):
            raise CommandError("an array is expected as the argument of $documents", 5858203)
        for each in value:
            if each.__class__ is not dict:
                raise CommandError("an array of documents is expected as the argument of $documents", 40228)
            yield each

    return run
