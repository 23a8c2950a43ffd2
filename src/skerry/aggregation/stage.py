"""What a pipeline's stage is: a named transformation of an iterator of documents, and how one is parsed.

Rules for every stage:

* It never changes a document of its input, nor anything inside one: two sub-pipelines may be reading the same document.
* Its arguments are checked when it is parsed; `run` may be called several times, so state lives in `run`.
* It holds no more than one document unless its kind is blocking (`$sort`, `$group` …); then a `MemoryMeter` counts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from skerry.aggregation.memory_limit import MEMORY_LIMIT_BYTES, MemoryMeter
from skerry.aggregation.pipeline_context import PipelineContext
from skerry.errors import CommandError
from skerry.expressions.expression_parser import Expression, compile_expression

if TYPE_CHECKING:
    from skerry.aggregation.pipeline import Pipeline

Document = dict[str, Any]
Documents = Iterator[Document]
Run = Callable[[Documents], Documents]


@dataclass(frozen=True, slots=True)
class StageScope:
    """Where a stage is compiled: the variables in sight, the world around it, and how a sub-pipeline is compiled.

    `variables` is read when documents flow, and may change between runs (`$lookup` binds `let` anew for each document),
    but its names are all there from the start. `context` is None where nothing outside may be touched (updates).
    """

    variables: Mapping[str, Any]
    compile: "Callable[[Sequence[Mapping[str, Any]], StageScope], Pipeline]"
    pipeline_context: PipelineContext | None = None
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES
    containers: tuple[str, ...] = field(default=())
    """The stages that the pipeline is nested in, outermost first: `("$facet", "$lookup")`."""

    @property
    def context(self) -> PipelineContext:
        """The world around the pipeline. Raises CommandError where there is none."""
        if self.pipeline_context is None:
            raise CommandError("a stage that reads or writes collections cannot be used here", 72)
        return self.pipeline_context

    def expression(self, spec: Any) -> Expression:
        """Compile an expression with the variables in sight."""
        return compile_expression(spec, variables=self.variables.keys())

    def meter(self, stage: str) -> MemoryMeter:
        """Return a fresh meter for one run of `stage`."""
        return MemoryMeter(stage, self.memory_limit_bytes)

    def nested(self, container: str, variables: Mapping[str, Any] | None = None) -> "StageScope":
        """Return the scope of a sub-pipeline of the stage `container`."""
        return replace(
            self,
            variables=self.variables if variables is None else variables,
            containers=(*self.containers, container),
        )


ENGINE_STAGES = frozenset(
    ("$changeStream", "$collStats", "$currentOp", "$indexStats", "$listLocalSessions", "$listSessions")
)
"""Stages that lead a pipeline and that the engine answers, so that they never arrive here in their place."""


class Place(Enum):
    """Where in a pipeline a stage may stand."""

    ANYWHERE = "anywhere"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class StageDefinition:
    """One row of the registry. `bounded` parses a stage that may stop after its first n documents (`$sort`)."""

    parse: Callable[[Any, StageScope], Run]
    place: Place = Place.ANYWHERE
    in_facet: bool = True
    in_sub_pipeline: bool = True
    bounded: Callable[[Any, StageScope, int], Run] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One compiled stage; `spec` is its argument as it was given."""

    name: str
    spec: Any
    run: Run
