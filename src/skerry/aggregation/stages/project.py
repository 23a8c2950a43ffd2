"""`$project`, `$addFields` (also `$set`) and `$unset`: reshape each document. Source: MongoDB manual, the pages so named."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.projection.computed_fields import compile_add_fields
from skerry.projection.projection_parser import parse_projection
from skerry.values.field_path import validate


def parse_project(spec: Any, scope: StageScope) -> Run:
    """Parse `$project`. Raises CommandError 15969 for no document, and what `parse_projection` raises."""
    if not isinstance(spec, Mapping):
        raise CommandError("$project specification must be an object", 15969)
    projection = parse_projection(spec, find=False, variables=scope.variables.keys())
    apply, variables = projection.apply, scope.variables

    def run(documents: Documents) -> Documents:
        return (apply(document, variables) for document in documents)

    return run


def parse_add_fields(spec: Any, scope: StageScope) -> Run:
    """Parse `$addFields` or `$set`."""
    add_fields = compile_add_fields(spec, variables=scope.variables.keys())
    variables = scope.variables

    def run(documents: Documents) -> Documents:
        return (add_fields(document, variables) for document in documents)

    return run


def parse_unset(spec: Any, scope: StageScope) -> Run:
    """Parse `$unset`: a path or several. Raises CommandError 31002, 31119 or 31120 for anything else."""
    if isinstance(spec, str):
        paths = [spec]
    elif isinstance(spec, list | tuple):
        if not spec:
            raise CommandError("$unset specification must be a string or an array with at least one field", 31119)
        paths = list(spec)
    else:
        raise CommandError("$unset specification must be a string or an array", 31002)
    for path in paths:
        if not isinstance(path, str):
            raise CommandError("$unset specification must be a string or an array containing only string values", 31120)
        validate(path)
    if len(set(paths)) < len(paths):
        repeated = next(path for path in paths if paths.count(path) > 1)
        raise CommandError(f"Path collision at {repeated}", 31250)
    return parse_project(dict.fromkeys(paths, 0), scope)
