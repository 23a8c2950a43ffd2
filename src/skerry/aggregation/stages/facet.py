"""`$facet`: several pipelines over the same input, one document with all results. Source: MongoDB manual, `$facet`."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.values import field_path


def parse_facet(spec: Any, scope: StageScope) -> Run:
    """Parse `$facet`. Raises CommandError 40169 for no document or an empty one, 40170 for a facet that is no array."""
    if not isinstance(spec, Mapping) or not spec:
        raise CommandError("the $facet specification must be a non-empty object", 40169)
    nested = scope.nested("$facet")
    pipelines = {}
    for name, stages in spec.items():
        field_path.validate(name)
        if "." in name:
            raise CommandError(f"FieldPath field names may not contain '.', as '{name}' does.", 16412)
        if not isinstance(stages, list | tuple):
            raise CommandError(f"arguments to $facet must be arrays, {name} is {stages!r}", 40170)
        pipelines[name] = scope.compile(stages, nested)

    def run(documents: Documents) -> Documents:
        meter = scope.meter("$facet")
        held = []
        for document in documents:
            meter.add_sampled(document)
            held.append(document)
        yield {name: list(pipeline.run(iter(held))) for name, pipeline in pipelines.items()}

    return run
