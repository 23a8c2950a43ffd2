"""What a window function works on: the documents of one partition in order, and what each of them is worth.

A window function, compiled, is a callable from the partition to one value for each of its documents.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skerry.aggregation.stage import Document, StageScope
from skerry.aggregation.stages.sort import SortPattern, compile_sort_values
from skerry.aggregation.window_functions.window import Window
from skerry.errors import CommandError
from skerry.expressions.expression import Evaluator
from skerry.values import field_path


@dataclass(frozen=True, slots=True)
class Partition:
    """The documents of one partition, sorted."""

    documents: Sequence[Document]
    variables: Mapping[str, Any]

    def values(self, evaluate: Evaluator) -> list[Any]:
        """Return the value of an expression for each document."""
        variables = self.variables
        return [evaluate(document, variables) for document in self.documents]


Compute = Callable[[Partition], list[Any]]


@dataclass(frozen=True, slots=True)
class WindowFunctionSpec:
    """One field of `output`, taken apart: the function's name and argument, its window, and the stage's order."""

    name: str
    argument: Any
    window: Window | None
    sort: SortPattern
    scope: StageScope

    def refuse_window(self) -> None:
        """Raise CommandError 5371601 where a window is given to a function that has none."""
        if self.window is not None:
            raise CommandError(f"{self.name} does not accept a 'window' field", 5371601)

    def require_sort(self, code: int = 5371602) -> None:
        """Raise CommandError where the stage has no `sortBy`."""
        if not self.sort:
            raise CommandError(f"{self.name} requires a sortBy", code)

    def single_sort_values(self, partition: Partition, code: int) -> list[Any]:
        """Return the values of the only `sortBy` field."""
        self.check_single_sort(code)
        values_of = compile_sort_values(self.sort)
        return [values_of(document)[0] for document in partition.documents]

    def check_single_sort(self, code: int) -> None:
        """Raise CommandError unless `sortBy` has exactly one field."""
        if len(self.sort) != 1:
            raise CommandError(
                f"{self.name} must be specified with a top level sortBy expression with exactly one element", code
            )
        field_path.validate(self.sort[0][0])


Parse = Callable[[WindowFunctionSpec], Compute]
