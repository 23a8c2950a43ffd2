"""Compiles a pipeline: checks each stage's form and place, and chains the stages' iterators.

Documents are pulled, so a pipeline of streaming stages holds one document, and `$limit` stops the source.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from skerry.aggregation.memory_limit import MEMORY_LIMIT_BYTES
from skerry.aggregation.pipeline_context import PipelineContext
from skerry.aggregation.stage import ENGINE_STAGES, Document, Place, Stage, StageDefinition, StageScope
from skerry.aggregation.stage_registry import STAGES, UNSUPPORTED_STAGES
from skerry.aggregation.stages.sort import sort_bound
from skerry.errors import CommandError, NotImplementedYetError, TypeMismatchError

STAGES_MAX: Final = 1000
"""Source: MongoDB manual, "Aggregation Pipeline Limits"."""

CHECK_DOCUMENTS: Final = 256
"""So many documents are computed on between two looks at the time limit."""
MULTIPLYING: Final = frozenset(("$unwind",))
"""Stages that make many documents of one, which the source of the pipeline therefore cannot count."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A compiled pipeline; may run several times, one run at a time.

    `check` raises when the operation has to end. A source that is a collection calls it by itself.
    """

    stages: tuple[Stage, ...]
    check: Callable[[], None] | None = None

    def run(self, source: Iterator[Document]) -> Iterator[Document]:
        """Return the iterator of results; it pulls from `source` as it is pulled from.

        The documents of `source` are never changed, but results may share parts with them.
        """
        check = self.check
        documents = source if check is None else _checked(source, check)
        for stage in self.stages:
            documents = stage.run(documents)
            if check is not None and stage.name in MULTIPLYING:
                documents = _checked(documents, check)
        return documents


def _checked(documents: Iterator[Document], check: Callable[[], None]) -> Iterator[Document]:
    for number, document in enumerate(documents):
        if number % CHECK_DOCUMENTS == 0:
            check()
        yield document


def compile_pipeline(
    stages: Sequence[Mapping[str, Any]],
    *,
    variables: Mapping[str, Any],
    context: PipelineContext | None,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> Pipeline:
    """Compile a pipeline; `variables` are the values of `$$name` (`let`, `NOW`, …), read when it runs.

    `memory_limit_bytes` bounds each blocking stage. Raises CommandError with the server's code for a malformed stage
    (40323, 40324), one out of place (40601, 40602) or in the wrong kind of sub-pipeline; NotImplementedYetError for a stage
    that is missing.
    """
    return _compile_in(stages, StageScope(variables, _compile_in, context, memory_limit_bytes))


def stage_of(spec: Any) -> tuple[str, Any]:
    """Return a stage's name and argument. Raises CommandError 40323 when `spec` has not exactly one field."""
    if not isinstance(spec, Mapping):
        raise TypeMismatchError("Each element of the 'pipeline' array must be an object")
    if len(spec) != 1:
        raise CommandError("A pipeline stage specification object must contain exactly one field.", 40323)
    ((name, argument),) = spec.items()
    return name, argument


def _compile_in(stages: Sequence[Mapping[str, Any]], scope: StageScope) -> Pipeline:
    if not isinstance(stages, Sequence) or isinstance(stages, str | bytes):
        raise TypeMismatchError("A pipeline must be an array")
    if len(stages) > STAGES_MAX:
        raise CommandError(f"Pipeline length must be no longer than {STAGES_MAX} stages", 7749501)
    named = [stage_of(spec) for spec in stages]
    compiled = []
    for position, (name, argument) in enumerate(named):
        definition = _definition(name, is_first=position == 0)
        _check_place(name, definition, position, len(named), scope)
        bound = sort_bound(named[position + 1 :]) if definition.bounded else None
        if definition.bounded and bound is not None:
            run = definition.bounded(argument, scope, bound)
        else:
            run = definition.parse(argument, scope)
        compiled.append(Stage(name, argument, run))
    return Pipeline(tuple(compiled), None if scope.pipeline_context is None else scope.pipeline_context.check)


def _definition(name: str, *, is_first: bool = True) -> StageDefinition:
    definition = STAGES.get(name)
    if definition is not None:
        return definition
    if name in ENGINE_STAGES and not is_first:
        raise CommandError(f"{name} is only valid as the first stage in a pipeline", 40602)
    if name in ENGINE_STAGES or name in UNSUPPORTED_STAGES:
        raise NotImplementedYetError(f"the pipeline stage {name} is not supported here yet")
    raise CommandError(f"Unrecognized pipeline stage name: '{name}'", 40324)


def _check_place(name: str, definition: StageDefinition, position: int, length: int, scope: StageScope) -> None:
    if "$facet" in scope.containers and not definition.in_facet:
        inside = "".join(f" inside of {container}" for container in reversed(scope.containers) if container != "$facet")
        if name != "$documents" or scope.containers[-1] == "$facet":
            raise CommandError(f"{name}{inside} is not allowed to be used within a $facet stage", 40600)
    if scope.containers and not definition.in_sub_pipeline:
        container = scope.containers[-1]
        code = 31441 if container == "$unionWith" else 51047
        raise CommandError(f"{name} is not allowed within a {container}'s sub-pipeline", code)
    if definition.place is Place.FIRST and position > 0:
        raise CommandError(f"{name} is only valid as the first stage in a pipeline", 40602)
    if definition.place is Place.LAST and position < length - 1:
        raise CommandError(f"{name} can only be the final stage in the pipeline", 40601)
