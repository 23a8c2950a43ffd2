"""`$unionWith`: the documents of another collection after those of the input. Source: MongoDB manual, `$unionWith`."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.collection_pipeline import compile_over, starts_with_documents
from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import FailedToParseError
from skerry.values.namespace import Namespace


def parse_union_with(spec: Any, scope: StageScope) -> Run:
    """Parse `$unionWith`: a collection, or `{coll, pipeline}`. Raises FailedToParseError for another form."""
    collection: Any = spec
    pipeline: Any = []
    if isinstance(spec, Mapping):
        for name in spec:
            if name not in ("coll", "pipeline"):
                raise FailedToParseError(f"unknown argument to $unionWith: {name}")
        collection = spec.get("coll", "")
        pipeline = spec.get("pipeline", [])
        if not isinstance(pipeline, list | tuple):
            raise FailedToParseError("$unionWith's pipeline must be an array")
        if not collection and not starts_with_documents(pipeline):
            raise FailedToParseError("$unionWith stage without explicit collection must have $documents as first stage")
    if not isinstance(collection, str) or not (collection or pipeline):
        raise FailedToParseError("the $unionWith stage specification must be an object or string")
    namespace = Namespace(scope.context.namespace.db, collection)
    other = compile_over(namespace, pipeline, scope.nested("$unionWith"))

    def run(documents: Documents) -> Documents:
        yield from documents
        yield from other()

    return run
