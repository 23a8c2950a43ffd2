"""`$graphLookup`: everything that is reached by following references. Source: MongoDB manual, `$graphLookup`.

Breadth first, one query for all values of a depth; what a value leads to is kept for the next documents while it fits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson.int64 import Int64

from skerry.aggregation.document_paths import with_value
from skerry.aggregation.equality_join import dealt_out, equality_filter, values_at
from skerry.aggregation.memory_limit import approximate_bytes
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.aggregation.value_hash import hash_key
from skerry.errors import CommandError, NotImplementedYetError
from skerry.matcher.compile import compile_filter
from skerry.values import field_path
from skerry.values.missing import MISSING
from skerry.values.namespace import Namespace
from skerry.values.numbers import is_number, to_int64_exact

_STRINGS: Final = ("from", "as", "connectFromField", "connectToField", "depthField")
_REQUIRED: Final = ("from", "as", "startWith", "connectFromField", "connectToField")
_OPTIONS: Final = frozenset((*_STRINGS, *_REQUIRED, "maxDepth", "restrictSearchWithMatch"))


def parse_graph_lookup(spec: Any, scope: StageScope) -> Run:
    """Parse `$graphLookup`. Raises CommandError 40100 to 40105, 40185 or 40327 for a bad form."""
    _check_options(spec)
    graph = _Graph(
        namespace=Namespace(scope.context.namespace.db, spec["from"]),
        connect_from=field_path.split(spec["connectFromField"]),
        connect_to=spec["connectToField"],
        depth_field=field_path.split(spec["depthField"]) if "depthField" in spec else None,
        depth_max=_depth_max(spec),
        condition=spec.get("restrictSearchWithMatch", {}),
        scope=scope,
    )
    start = scope.expression(spec["startWith"]).evaluate
    target = field_path.split(spec["as"])

    def run(documents: Documents) -> Documents:
        known = _Known(scope.memory_limit_bytes)
        for document in documents:
            value = start(document, scope.variables)
            values = value if value.__class__ is list else [] if value is MISSING else [value]
            yield with_value(document, target, graph.reached(values, known))

    return run


class _Known:
    """What the values of the search led to so far; forgets everything when it grows too large."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self.documents: dict[Any, list[Document]] = {}

    def remember(self, key: Any, documents: list[Document]) -> None:
        self._used_bytes += sum(map(approximate_bytes, documents))
        if self._used_bytes > self._limit_bytes:
            self.documents.clear()
            self._used_bytes = 0
        else:
            self.documents[key] = documents


@dataclass(frozen=True, slots=True)
class _Graph:
    namespace: Namespace
    connect_from: tuple[str, ...]
    connect_to: str
    depth_field: tuple[str, ...] | None
    depth_max: int | None
    condition: Mapping[str, Any]
    scope: StageScope

    def reached(self, values: list[Any], known: _Known) -> list[Document]:
        """Return every document that is reached from the values, each once, with the depth at which it was met."""
        meter = self.scope.meter("$graphLookup")
        visited: set[Any] = set()
        searched: set[Any] = set()
        results: list[Document] = []
        depth = 0
        frontier = {hash_key(value): value for value in values}
        while frontier and (self.depth_max is None or depth <= self.depth_max):
            searched.update(frontier)
            following: dict[Any, Any] = {}
            for document in self._found(frontier, known):
                identity = hash_key(document.get("_id"))
                if identity in visited:
                    continue
                visited.add(identity)
                meter.add_value(document)
                shown = document
                if self.depth_field is not None:
                    shown = with_value(document, self.depth_field, Int64(depth))
                results.append(shown)
                for value in values_at(document, self.connect_from):
                    key = hash_key(value)
                    if key not in searched:
                        following[key] = value
            frontier = following
            depth += 1
        return results

    def _found(self, frontier: dict[Any, Any], known: _Known) -> list[Document]:
        found: list[Document] = []
        unknown = {}
        for key, value in frontier.items():
            documents = known.documents.get(key)
            if documents is None:
                unknown[key] = value
            else:
                found.extend(documents)
        if unknown:
            filter = equality_filter(self.connect_to, unknown.values())
            if self.condition:
                filter = {"$and": [filter, self.condition]}
            by_key, matches = dealt_out(self.scope.context.find(self.namespace, filter), self.connect_to, unknown)
            found.extend(matches)
            for key, places in by_key.items():
                known.remember(key, [matches[place] for place in places])
        return found


def _check_options(spec: Any) -> None:
    if not isinstance(spec, Mapping):
        raise CommandError("the $graphLookup stage specification must be an object", 40327)
    for name, value in spec.items():
        if name not in _OPTIONS:
            raise CommandError(f"Unknown argument to $graphLookup: {name}", 40104)
        if name == "from" and isinstance(value, Mapping):
            raise NotImplementedYetError("$graphLookup from another database is not supported")
        if name in _STRINGS and not isinstance(value, str):
            raise CommandError(f"expected string as argument for {name}, found: {value!r}", 40103)
    if any(name not in spec for name in _REQUIRED):
        raise CommandError(
            "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
            40105,
        )
    for name in ("as", "connectFromField", "connectToField", "depthField"):
        if name in spec:
            field_path.validate(spec[name])
    condition = spec.get("restrictSearchWithMatch", {})
    if not isinstance(condition, Mapping):
        raise CommandError("$graphLookup argument 'restrictSearchWithMatch' must be an object", 40185)
    compile_filter(condition)


def _depth_max(spec: Mapping[str, Any]) -> int | None:
    if "maxDepth" not in spec:
        return None
    value = spec["maxDepth"]
    if not is_number(value):
        raise CommandError("maxDepth requires numeric argument", 40100)
    depth = to_int64_exact(value)
    if depth is None:
        raise CommandError("maxDepth could not be represented as a long long", 40102)
    if depth < 0:
        raise CommandError("maxDepth requires a nonnegative argument", 40101)
    return depth
