"""`$setWindowFields`: adds fields computed over windows of a document's partition. Source: manual, `$setWindowFields`.

Documents come out partition by partition, in the order of the partitions' keys, and within one in the order of `sortBy`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from skerry.aggregation.document_paths import with_value
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.aggregation.stages.sort import SortPattern, parse_sort_pattern, sort_documents
from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.aggregation.window_functions.window import parse_window
from skerry.aggregation.window_functions.window_registry import UNSUPPORTED_WINDOW_FUNCTIONS, WINDOW_FUNCTIONS
from skerry.errors import CommandError, FailedToParseError, NotImplementedYetError, TypeMismatchError
from skerry.expressions.expression import Evaluator
from skerry.values import field_path
from skerry.values.compare import ValueKey
from skerry.values.missing import MISSING

_OPTIONS: Final = frozenset(("partitionBy", "sortBy", "output"))


def parse_set_window_fields(spec: Any, scope: StageScope) -> Run:
    """Parse `$setWindowFields`. Raises FailedToParseError for a bad form, and what the functions raise."""
    if not isinstance(spec, Mapping):
        raise FailedToParseError("the $setWindowFields stage specification must be an object")
    for name in spec:
        if name not in _OPTIONS:
            raise CommandError(f"BSON field '$setWindowFields.{name}' is an unknown field.", 40415)
    if not isinstance(spec.get("output"), Mapping):
        raise CommandError("BSON field '$setWindowFields.output' is missing but a required field", 40414)
    sort = parse_sort_pattern(spec["sortBy"]) if "sortBy" in spec else []
    partition_by = scope.expression(spec["partitionBy"]).evaluate if "partitionBy" in spec else None
    outputs = {}
    for path, each in spec["output"].items():
        field_path.validate(path)
        outputs[field_path.split(path)] = _parse_output(path, each, sort, scope)

    def run(documents: Documents) -> Documents:
        for members in partitions(documents, partition_by, sort, scope):
            partition = Partition(members, scope.variables)
            results = members
            for parts, compute in outputs.items():
                results = [with_value(document, parts, value) for document, value in zip(results, compute(partition))]
            yield from results

    return run


def partitions(
    documents: Documents, partition_by: Evaluator | None, sort: SortPattern, scope: StageScope
) -> Iterator[list[Document]]:
    """Yield the documents of each partition in order, the partitions by their keys.

    Raises TypeMismatchError for a key that is an array, CommandError 292 beyond the memory limit.
    """
    meter = scope.meter("$setWindowFields")
    members: dict[ValueKey | None, list[Document]] = {}
    for document in documents:
        meter.add_sampled(document)
        key = None
        if partition_by is not None:
            value = partition_by(document, scope.variables)
            if isinstance(value, list):
                raise TypeMismatchError("An expression used to partition cannot evaluate to value of type array")
            key = ValueKey(None if value is MISSING else value)
        members.setdefault(key, []).append(document)
    for key in sorted(members, key=lambda each: each or b""):
        ordered = members.pop(key)
        if sort:
            ordered = sort_documents(ordered, sort, memory_limit_bytes=scope.memory_limit_bytes)
        yield ordered


def _parse_output(path: str, spec: Any, sort: SortPattern, scope: StageScope) -> Compute:
    if not isinstance(spec, Mapping):
        raise FailedToParseError(f"the field '{path}' must be an object with a window function")
    names = [name for name in spec if name != "window"]
    if len(names) != 1:
        raise FailedToParseError(f"the field '{path}' must specify exactly one window function, found {names}")
    name = names[0]
    window = parse_window(spec["window"]) if "window" in spec else None
    parse = WINDOW_FUNCTIONS.get(name)
    if parse is None:
        if name in UNSUPPORTED_WINDOW_FUNCTIONS:
            raise NotImplementedYetError(f"the window function {name} is not supported yet")
        raise FailedToParseError(f"Unrecognized window function, {name}")
    if window is not None and window.kind == "documents" and not sort and not window.is_whole_partition:
        raise CommandError("Document-based bounds require a sortBy", 5339901)
    return parse(WindowFunctionSpec(name, spec[name], window, sort, scope))
