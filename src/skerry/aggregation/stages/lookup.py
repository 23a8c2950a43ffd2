"""`$lookup`: joins documents of another collection, by equality, by a sub-pipeline, or both. Source: manual, `$lookup`.

Strategy: an equality is looked up for a batch of documents at once, with one `$in` over all their values, and the results
are dealt out by hash; batches grow, so that a pipeline that stops early has not read far ahead. A sub-pipeline runs for each
document; what of it does not depend on `let` is read once and kept, and `$expr` equalities with a variable become
conditions that an index can serve.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from bson.regex import Regex

from skerry.aggregation.collection_pipeline import starts_with_documents
from skerry.aggregation.document_paths import Document, with_value
from skerry.aggregation.foreign_source import ForeignSource
from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.aggregation.value_hash import hash_key
from skerry.errors import FailedToParseError, NotImplementedYetError
from skerry.expressions.expression import Evaluator
from skerry.expressions.scope import check_user_variable
from skerry.matcher.compile import compile_filter
from skerry.values import field_path
from skerry.values.missing import MISSING
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


def local_values(document: Document, parts: tuple[str, ...]) -> list[Any]:
    """Return the values at a local path that are looked for: an array's elements, null when there is no value."""
    if len(parts) == 1:
        value = document.get(parts[0])
        if value.__class__ is not list:
            return [value]
        return value or [None]
    values: list[Any] = []
    for value in field_path.candidates(document, parts):
        if value.__class__ is list:
            values.extend(value)
        elif value is not MISSING:
            values.append(value)
    return values or [None]


def equality_filter(path: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return the filter that finds documents with one of these values at the path; a pattern is a value, too."""
    plain: list[Any] = []
    patterns: list[Any] = []
    for value in values:
        (patterns if isinstance(value, Regex) else plain).append(value)
    if not patterns:
        return {path: {"$eq": plain[0]}} if len(plain) == 1 else {path: {"$in": plain}}
    return {"$or": [{path: {"$in": plain}}, *({path: {"$eq": pattern}} for pattern in patterns)]}


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
            by_key, matches = _dealt_out(found, foreign, wanted)
            for document, keys in zip(batch, keys_of):
                yield with_value(document, target, _joined(keys, by_key, matches))

    return run


def _dealt_out(
    found: Iterable[Document], path: str, wanted: Mapping[Any, Any]
) -> tuple[dict[Any, list[int]], list[Document]]:
    """Return for each wanted key the places of its documents, and the documents."""
    parts = field_path.split(path)
    matches: list[Document] = []
    by_key: dict[Any, list[int]] = {key: [] for key in wanted}
    matches_null = compile_filter({path: {"$eq": None}}).matches if None in by_key else None
    for document in found:
        place = len(matches)
        matches.append(document)
        if matches_null is not None and matches_null(document):
            by_key[None].append(place)
        for key in _foreign_keys(document, parts):
            places = by_key.get(key)
            if places is not None and (not places or places[-1] != place):
                places.append(place)
    return by_key, matches


def _foreign_keys(document: Document, parts: tuple[str, ...]) -> Iterator[Any]:
    """Yield the keys of all values but null by which a filter's equality would find the document."""
    if len(parts) == 1:
        values: Iterable[Any] = (document.get(parts[0]),)
    else:
        values = field_path.candidates(document, parts)
    for value in values:
        if value.__class__ is list:
            for element in value:
                if element is not None:
                    yield hash_key(element)
        if value is not None and value is not MISSING:
            yield hash_key(value)


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
