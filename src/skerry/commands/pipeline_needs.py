"""What a pipeline does to which collections, wherever it names them (manual: Aggregation Stages, "Access Control")."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from skerry.auth.privileges import ANY_DATABASE, Need

_CONDITIONS: Final = frozenset({"fail", "keepExisting"})


def pipeline_needs(db: str, coll: str, stages: Any) -> Iterator[Need]:
    """Yield what a pipeline on a collection, or on the database for "", needs; its form may be wrong in any way."""
    listed = stages if isinstance(stages, list) else []
    first = next(iter(listed[0]), "") if listed and isinstance(listed[0], Mapping) else ""
    source = _SOURCES.get(first)
    if source is not None:
        yield from source(db, coll, listed[0][first])
    elif coll:
        yield Need("find", db, coll)
    yield from _named(db, listed)


def _named(db: str, stages: Any) -> Iterator[Need]:
    if not isinstance(stages, Sequence) or isinstance(stages, str):
        return
    for stage in stages:
        if isinstance(stage, Mapping):
            for name, spec in stage.items():
                needs = _STAGES.get(name)
                if needs is not None:
                    yield from needs(db, spec)


def _foreign(db: str, name: Any, pipeline: Any) -> Iterator[Need]:
    """A collection that a stage reads, through a pipeline of its own perhaps."""
    if isinstance(name, Mapping):
        db, name = name.get("db", db), name.get("coll")
    if isinstance(name, str) and isinstance(db, str):
        yield from pipeline_needs(db, name, pipeline)
    else:
        yield from _named(db, pipeline)


def _lookup(db: str, spec: Any) -> Iterator[Need]:
    if isinstance(spec, Mapping):
        yield from _foreign(db, spec.get("from"), spec.get("pipeline"))


def _graph_lookup(db: str, spec: Any) -> Iterator[Need]:
    if isinstance(spec, Mapping):
        yield from _foreign(db, spec.get("from"), None)


def _union_with(db: str, spec: Any) -> Iterator[Need]:
    if isinstance(spec, Mapping):
        yield from _foreign(spec.get("db", db), spec.get("coll"), spec.get("pipeline"))
    else:
        yield from _foreign(db, spec, None)


def _facet(db: str, spec: Any) -> Iterator[Need]:
    if isinstance(spec, Mapping):
        for stages in spec.values():
            yield from _named(db, stages)


def _out(db: str, spec: Any) -> Iterator[Need]:
    target: Mapping[str, Any] = spec if isinstance(spec, Mapping) else {"coll": spec}
    db, coll = target.get("db", db), target.get("coll")
    if isinstance(db, str) and isinstance(coll, str):
        yield Need("insert", db, coll)
        yield Need("remove", db, coll)


def _merge(db: str, spec: Any) -> Iterator[Need]:
    options = spec if isinstance(spec, Mapping) else {"into": spec}
    into = options.get("into")
    target: Mapping[str, Any] = into if isinstance(into, Mapping) else {"coll": into}
    in_db, coll = target.get("db", db), target.get("coll")
    if not isinstance(in_db, str) or not isinstance(coll, str):
        return
    matched, not_matched = options.get("whenMatched", "merge"), options.get("whenNotMatched", "insert")
    changes = not (isinstance(matched, str) and matched in _CONDITIONS)
    if changes:
        yield Need("update", in_db, coll)
    if not_matched == "insert" or not changes:
        yield Need("insert", in_db, coll)
    yield from _named(db, matched)


def _change_stream(db: str, coll: str, spec: Any) -> Iterator[Need]:
    everywhere = isinstance(spec, Mapping) and spec.get("allChangesForCluster")
    for action in ("find", "changeStream"):
        yield Need(action, ANY_DATABASE if everywhere else db, "" if everywhere else coll)


def _on_source(action: str) -> Callable[[str, str, Any], Iterator[Need]]:
    def needs(db: str, coll: str, _spec: Any) -> Iterator[Need]:
        yield Need(action, db, coll)

    return needs


def _nothing(_db: str, _coll: str, _spec: Any) -> Iterator[Need]:
    return iter(())


def _list_sessions(_db: str, _coll: str, spec: Any) -> Iterator[Need]:
    if spec != {}:  # without options it shows the user's own
        yield Need("listSessions")


def _of_cluster(action: str) -> Callable[[str, str, Any], Iterator[Need]]:
    def needs(_db: str, _coll: str, _spec: Any) -> Iterator[Need]:
        yield Need(action)

    return needs


_SOURCES: Final[dict[str, Callable[[str, str, Any], Iterator[Need]]]] = {
    "$changeStream": _change_stream,
    "$collStats": _on_source("collStats"),
    "$currentOp": _of_cluster("inprog"),
    "$documents": _nothing,
    "$indexStats": _on_source("indexStats"),
    "$listLocalSessions": _list_sessions,
    "$listSessions": _of_cluster("listSessions"),
}
_STAGES: Final[dict[str, Callable[[str, Any], Iterator[Need]]]] = {
    "$facet": _facet,
    "$graphLookup": _graph_lookup,
    "$lookup": _lookup,
    "$merge": _merge,
    "$out": _out,
    "$unionWith": _union_with,
}
