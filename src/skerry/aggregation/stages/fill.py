"""`$fill`: puts values in the place of null and missing ones. Source: MongoDB manual, `$fill`.

As in MongoDB it is `$setWindowFields` with `$locf` and `$linearFill`, then `$ifNull` for constant values.
"""

from collections.abc import Mapping
from typing import Any, Final

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.aggregation.stages.project import parse_add_fields
from skerry.aggregation.stages.set_window_fields import parse_set_window_fields
from skerry.errors import CommandError, FailedToParseError

_OPTIONS: Final = frozenset(("partitionBy", "partitionByFields", "sortBy", "output"))
_METHODS: Final = {"linear": "$linearFill", "locf": "$locf"}


def parse_fill(spec: Any, scope: StageScope) -> Run:
    """Parse `$fill`. Raises FailedToParseError, or CommandError 6050202 to 6050204, for a bad form."""
    if not isinstance(spec, Mapping):
        raise FailedToParseError("the $fill stage specification must be an object")
    for name in spec:
        if name not in _OPTIONS:
            raise CommandError(f"BSON field '$fill.{name}' is an unknown field.", 40415)
    output = spec.get("output")
    if not isinstance(output, Mapping) or not output:
        raise CommandError("$fill requires 'output' with at least one field", 40414)
    if "partitionBy" in spec and "partitionByFields" in spec:
        raise CommandError("Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'", 6050204)
    windowed: dict[str, Any] = {}
    valued: dict[str, Any] = {}
    for path, how in output.items():
        if not isinstance(how, Mapping) or len(how) != 1 or next(iter(how)) not in ("method", "value"):
            raise CommandError(f"$fill output '{path}' must have exactly one of 'method' and 'value'", 40415)
        if "value" in how:
            valued[path] = {"$ifNull": [f"${path}", how["value"]]}
            continue
        if how["method"] not in _METHODS:
            raise CommandError("Method must be either 'linear' or 'locf'", 6050202)
        windowed[path] = {_METHODS[how["method"]]: f"${path}"}
    runs = []
    if windowed:
        runs.append(parse_set_window_fields(_windows(spec, windowed), scope))
    if valued:
        runs.append(parse_add_fields(valued, scope))

    def run(documents: Documents) -> Documents:
        for each in runs:
            documents = each(documents)
        return documents

    return run


def _windows(spec: Mapping[str, Any], windowed: dict[str, Any]) -> dict[str, Any]:
    stage: dict[str, Any] = {"output": windowed}
    if "sortBy" in spec:
        stage["sortBy"] = spec["sortBy"]
    if "partitionBy" in spec:
        partition_by = spec["partitionBy"]
        if isinstance(partition_by, str) and not partition_by.startswith("$"):
            raise CommandError("The 'partitionBy' field must be an object or a $-prefixed string", 6050201)
        stage["partitionBy"] = partition_by
    if "partitionByFields" in spec:
        fields = spec["partitionByFields"]
        if not isinstance(fields, list | tuple) or not all(isinstance(path, str) for path in fields):
            raise FailedToParseError("'partitionByFields' must be an array of strings")
        if fields:
            stage["partitionBy"] = {str(place): f"${path}" for place, path in enumerate(fields)}
    return stage
