"""`$lookup`: joins documents of another collection, by equality, by a sub-pipeline, or both. Source: manual, `$lookup`.

Strategy: an equality is looked up for a batch of documents at once, with one `$in` over all their values, and the results
are dealt out by hash; batches grow, so that a pipeline that stops early has not read far ahead. A sub-pipeline runs for each
document; what of it does not depend on `let` is read once and kept, and `$expr` equalities with a variable become
conditions that an index can serve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from skerry.aggregation.collection_pipeline import starts_with_documents
from skerry.aggregation.document_paths import Document, with_value
from skerry.aggregation.equality_join import dealt_out, equality_filter, local_values
from skerry.aggregation.foreign_source import ForeignSource
from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.aggregation.value_hash import hash_key
from skerry.errors import FailedToParseError, NotImplementedYetError
from skerry.expressions.expression import Evaluator
from skerry.expressions.scope import check_user_variable
from skerry.values import field_path
from skerry.values.namespace import Namespace

_FIELDS: Final = frozenset(("from", "localField", "foreignField", "let", "pipeline", "as"))
_BATCH_FIRST: Final = 16
_BATCH_GROWTH: Final = 8
_BATCH_MAX: Final = 16_384


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """The fields of a `$lookup`, checked."""

    source: str | None
    local: tuple[str, ...] | None
    foreign: str | None
    let: Mapping[str, Any]
    pipeline: Sequence[Mapping[str, Any]] | None
    target: tuple[str, ...]


def parse_lookup(spec: Any, scope: StageScope) -> Run:
    """Parse `$lookup`. Raises FailedToParseError for missing, unknown or contradicting fields."""
    options = _read_options(spec)
    namespace = Namespace(scope.context.namespace.db, options.source or "")
    if options.pipeline is None:
        return _equality_run(options, namespace, scope)
    let = {name: scope.expression(value).evaluate for name, value in options.let.items()}
    return _pipeline_run(options, namespace, let, scope)


def _read_options(spec: Any) -> LookupOptions:
    if not isinstance(spec, Mapping):
        raise FailedToParseError("the $lookup specification must be an Object")
    for name in spec:
        if name not in _FIELDS:
            raise FailedToParseError(f"unknown argument to $lookup: {name}")
    for name in ("from", "localField", "foreignField", "as"):
        if name == "from" and isinstance(spec.get(name), Mapping):
            raise NotImplementedYetError("$lookup from another database is not supported")
        if name in spec and not isinstance(spec[name], str):
            raise FailedToParseError(f"$lookup argument '{name}' must be a string, found {spec[name]!r}")
    if "as" not in spec:
        raise FailedToParseError("must specify 'as' field for a $lookup")
    if ("localField" in spec) != ("foreignField" in spec):
        raise FailedToParseError("$lookup requires both or neither of 'localField' and 'foreignField' to be specified")
    pipeline = _checked_pipeline(spec)
    let = spec.get("let", {})
    if not isinstance(let, Mapping):
        raise FailedToParseError("$lookup argument 'let' must be an object")
    if "let" in spec and pipeline is None:
        raise FailedToParseError("$lookup with a 'let' needs a 'pipeline'")
    for name in let:
        check_user_variable(name)
    for name in ("localField", "foreignField", "as"):
        if name in spec:
            field_path.validate(spec[name])
    return LookupOptions(
        source=spec.get("from"),
        local=field_path.split(spec["localField"]) if "localField" in spec else None,
        foreign=spec.get("foreignField"),
        let=let,
        pipeline=pipeline,
        target=field_path.split(spec["as"]),
    )


def _checked_pipeline(spec: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    pipeline = spec.get("pipeline")
    if pipeline is None:
        if "localField" not in spec:
            raise FailedToParseError("$lookup requires either 'pipeline' or both 'localField' and 'foreignField'")
    elif not isinstance(pipeline, list | tuple):
        raise FailedToParseError("'pipeline' option must be specified as an array")
    if "from" not in spec and not starts_with_documents(pipeline):
        raise FailedToParseError("must specify 'pipeline' when 'from' is empty, and its first stage must be $documents")
    return pipeline


def _equality_run(options: LookupOptions, namespace: Namespace, scope: StageScope) -> Run:
    local, foreign, target = options.local, options.foreign, options.target
    assert local is not None
    assert foreign is not None
    context = scope.context

    def run(documents: Documents) -> Documents:
        size = _BATCH_FIRST
        while batch := list(islice(documents, size)):
            size = min(size * _BATCH_GROWTH, _BATCH_MAX)
            wanted: dict[Any, Any] = {}
            keys_of: list[list[Any]] = []
            for document in batch:
                keys = []
                for value in local_values(document, local):
                    key = hash_key(value)
                    wanted[key] = value
                    keys.append(key)
                keys_of.append(keys)
            found = context.find(namespace, equality_filter(foreign, wanted.values()))
            by_key, matches = dealt_out(found, foreign, wanted)
            for document, keys in zip(batch, keys_of):
                yield with_value(document, target, _joined(keys, by_key, matches))

    return run


def _joined(keys: list[Any], by_key: Mapping[Any, list[int]], matches: list[Document]) -> list[Document]:
    if len(keys) == 1:
        return [matches[place] for place in by_key[keys[0]]]
    return [matches[place] for place in sorted({place for key in keys for place in by_key[key]})]


def _pipeline_run(options: LookupOptions, namespace: Namespace, let: Mapping[str, Evaluator], scope: StageScope) -> Run:
    assert options.pipeline is not None
    variables: dict[str, Any] = {**scope.variables, **dict.fromkeys(let)}
    inner = scope.nested("$lookup", variables)
    source = ForeignSource(namespace, options.pipeline, frozenset(let), inner, joins=options.local is not None)

    def run(documents: Documents) -> Documents:
        source.reset()
        for document in documents:
            variables.update(scope.variables)
            bound = {name: evaluate(document, scope.variables) for name, evaluate in let.items()}
            variables.update(bound)
            condition: dict[str, Any] = {}
            if options.local is not None and options.foreign is not None:
                condition = equality_filter(options.foreign, local_values(document, options.local))
            yield with_value(document, options.target, list(source.results(condition)))

    return run
