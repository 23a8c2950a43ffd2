"""What a sub-pipeline of `$lookup` reads, run after run with other values of its `let` variables.

Three ways, the cheapest that is right: a condition that an index serves, be it the join's own or an `$expr` equality with a
variable, asks the collection each time; a sub-pipeline is otherwise run once as far as it does not depend on the variables,
and that result is kept; what does not fit into memory is read again each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson.regex import Regex

from skerry.aggregation.collection_pipeline import compile_over, starts_with_documents
from skerry.aggregation.stage import Document, StageScope
from skerry.errors import CommandError
from skerry.expressions.expression import Evaluator
from skerry.matcher.compile import compile_filter
from skerry.values.missing import MISSING
from skerry.values.namespace import Namespace

_UNREPEATABLE: Final = frozenset(("$rand", "$sample", "$sampleRate"))


class ForeignSource:
    """The results of one sub-pipeline; belongs to one stage and is used by one run at a time.

    `scope.variables` hold the values that a run is about. With `joins`, each run has a condition of its own, which the
    documents of the collection must meet before the pipeline sees them.
    """

    def __init__(
        self,
        namespace: Namespace,
        stages: Sequence[Mapping[str, Any]],
        names: frozenset[str],
        scope: StageScope,
        *,
        joins: bool,
    ) -> None:
        self._namespace = namespace
        self._scope = scope
        self._own_documents = starts_with_documents(stages)
        fixed = 0 if joins else _count_fixed(stages, names)
        self._whole = scope.compile(stages, scope)
        self._fixed = compile_over(namespace, stages[:fixed], scope)
        self._rest = scope.compile(stages[fixed:], scope)
        self._equalities = [] if self._own_documents else _leading_equalities(stages, scope)
        self._indexed: dict[str, bool] = {}
        self._kept: list[Document] | None = None
        self._fits = True

    def reset(self) -> None:
        """Forget what was read: the variables outside of the stage may have changed."""
        self._kept = None
        self._fits = True
        self._indexed = {}

    def results(self, condition: dict[str, Any]) -> Iterator[Document]:
        """Run the sub-pipeline with the variables as they are now, over the documents that meet `condition`."""
        if self._own_documents:
            return self._rest.run(iter(self._kept_documents()))
        conditions = [condition] if condition else []
        indexed = any(self._has_index(path) for each in conditions for path in each)
        for path, evaluate in self._equalities:
            if self._has_index(path):
                value = evaluate({}, self._scope.variables)
                # On an array, or with a value that a filter reads in another way, `$expr` and an equality differ.
                if value is not MISSING and not isinstance(value, list | Regex):
                    conditions.append({path: {"$eq": value}})
                    indexed = True
        if indexed:
            filter = conditions[0] if len(conditions) == 1 else {"$and": conditions}
            return self._whole.run(self._scope.context.find(self._namespace, filter))
        documents: Iterator[Document] = iter(self._kept_documents())
        if condition:
            documents = filter_documents(condition, documents)
        return self._rest.run(documents)

    def _has_index(self, path: str) -> bool:
        found = self._indexed.get(path)
        if found is None:
            found = self._indexed[path] = not path.startswith("$") and self._scope.context.has_index_on(
                self._namespace, path
            )
        return found

    def _kept_documents(self) -> Iterator[Document] | list[Document]:
        if self._kept is not None:
            return self._kept
        if not self._fits:
            return self._fixed()
        kept = []
        meter = self._scope.meter("$lookup")
        try:
            for document in self._fixed():
                meter.add_sampled(document)
                kept.append(document)
        except CommandError:
            if meter.used_bytes <= self._scope.memory_limit_bytes:
                raise
            self._fits = False
            return self._fixed()
        self._kept = kept
        return kept


def filter_documents(condition: Mapping[str, Any], documents: Iterator[Document]) -> Iterator[Document]:
    """Return the documents that match a condition."""
    return filter(compile_filter(condition).matches, documents)


def _count_fixed(stages: Sequence[Mapping[str, Any]], names: frozenset[str]) -> int:
    """Return how many leading stages give the same result whatever the variables are."""
    for place, stage in enumerate(stages):
        if _depends(stage, names):
            return place
    return len(stages)


def _depends(spec: Any, names: frozenset[str]) -> bool:
    """Tell whether one of the variables, or chance, is mentioned anywhere."""
    if isinstance(spec, str):
        return spec.startswith("$$") and spec[2:].partition(".")[0] in names
    if isinstance(spec, Mapping):
        return any(name in _UNREPEATABLE or _depends(value, names) for name, value in spec.items())
    if isinstance(spec, list | tuple):
        return any(_depends(value, names) for value in spec)
    return False


def _leading_equalities(stages: Sequence[Mapping[str, Any]], scope: StageScope) -> list[tuple[str, Evaluator]]:
    """Return the `$expr` equalities between a path and a variable that the first `$match`es demand."""
    found: list[tuple[str, Evaluator]] = []
    for stage in stages:
        filter = stage.get("$match")
        if not isinstance(filter, Mapping):
            break
        for clause in (filter, *_clauses(filter.get("$and"))):
            for operands in _equality_operands(clause.get("$expr")):
                for path, other in (operands, operands[::-1]):
                    if _is_path(path) and _is_variable(other, scope):
                        found.append((path[1:], scope.expression(other).evaluate))
    return [each for each in found if each[0]]


def _clauses(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _equality_operands(expression: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(expression, Mapping):
        operands = expression.get("$eq")
        if isinstance(operands, list) and len(operands) == 2:
            yield operands[0], operands[1]
        for each in _clauses(expression.get("$and")):
            yield from _equality_operands(each)


def _is_path(operand: Any) -> bool:
    return isinstance(operand, str) and operand.startswith("$") and not operand.startswith("$$")


def _is_variable(operand: Any, scope: StageScope) -> bool:
    return isinstance(operand, str) and operand.startswith("$$") and operand[2:].partition(".")[0] in scope.variables
