"""From a document to its keys in an index.

Rules (MongoDB manual, "Multikey Indexes", "Sparse Indexes", "Partial Indexes"):

* A missing field is indexed as null. An array is indexed element by element, an empty one as undefined, below null.
* An array on the way of a path is traversed. Paths that go through the same array are indexed together, element by element;
  two different arrays in one key are refused (171). A number in a path is a position of an array.
* A sparse index has no key where every field is missing, a partial one none of documents outside its filter.

Every value that the matcher finds at a path is among the keys; it may be accompanied by nulls of elements without the field.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from skerry.errors import CannotIndexParallelArraysError, CommandError
from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.matcher.compile import compile_filter
from skerry.values.field_path import array_position, split
from skerry.values.key_string import NULL_KEY, UNDEFINED_KEY, encode, invert
from skerry.values.missing import MISSING

AMBIGUOUS_FIELD_NAME: Final = 16746

Keys = tuple[list[bytes], frozenset[str]]
_Generate = Callable[[Mapping[str, Any]], Keys]
_Parts = tuple[str, ...]

_NO_PATHS: Final[frozenset[str]] = frozenset()
_NO_KEYS: Final[Keys] = ([], _NO_PATHS)
_SETTLED: Final = 1 << 30
"""The depth of a path that has reached its value; an array there is an element and is not expanded again."""


class _EmptyArray:
    """Stands in a row for an array without elements."""


class KeyGenerator:
    """Generates the keys of one index; immutable, may be shared between threads."""

    __slots__ = ("keys",)

    keys: _Generate
    """Return a document's distinct keys in order, and the paths of arrays that the index goes through in it.

    Raises CannotIndexParallelArraysError 171, CommandError 16746 for a path that means both a position and a field.
    """

    def __init__(self, keys: _Generate) -> None:
        self.keys = keys


def compile_key_generator(descriptor: IndexDescriptor) -> KeyGenerator:
    """Return the key generator of an index."""
    paths = tuple(split(path) for path, _ in descriptor.key)
    directions = tuple(direction for _, direction in descriptor.key)
    generate = _through_arrays(paths, directions, sparse=descriptor.sparse)
    if all(len(path) == 1 for path in paths):
        names = tuple(path[0] for path in paths)
        if len(names) == 1:
            generate = _of_field(names[0], generate, ascending=directions[0] > 0, sparse=descriptor.sparse)
        else:
            generate = _of_fields(names, directions, generate, sparse=descriptor.sparse)
    if descriptor.partial_filter is not None:
        generate = _where(compile_filter(descriptor.partial_filter).matches, generate)
    return KeyGenerator(generate)


def _where(matches: Callable[[dict[str, Any]], bool], generate: _Generate) -> _Generate:
    def keys(document: Mapping[str, Any]) -> Keys:
        return generate(document) if matches(document) else _NO_KEYS  # type: ignore[arg-type]

    return keys


def _of_field(name: str, general: _Generate, *, ascending: bool, sparse: bool) -> _Generate:
    def keys(document: Mapping[str, Any]) -> Keys:
        value = document.get(name, MISSING)
        if value is MISSING:
            if sparse:
                return _NO_KEYS
            key = NULL_KEY
        elif value.__class__ is list:
            return general(document)
        else:
            key = encode(value)
        return [key if ascending else invert(key)], _NO_PATHS

    return keys


def _of_fields(names: Sequence[str], directions: Sequence[int], general: _Generate, *, sparse: bool) -> _Generate:
    def keys(document: Mapping[str, Any]) -> Keys:
        row = [document.get(name, MISSING) for name in names]
        for value in row:
            if value.__class__ is list:
                return general(document)
        if sparse and all(value is MISSING for value in row):
            return _NO_KEYS
        return [_key(row, directions)], _NO_PATHS

    return keys


def _through_arrays(paths: Sequence[_Parts], directions: Sequence[int], *, sparse: bool) -> _Generate:
    def keys(document: Mapping[str, Any]) -> Keys:
        walk = _Walk(paths)
        walk.descend([document] * len(paths), [0] * len(paths))
        rows = walk.rows
        if sparse:
            rows = [row for row in rows if not all(value is MISSING for value in row)]
        if len(rows) == 1:
            return [_key(rows[0], directions)], frozenset(walk.array_paths)
        return sorted({_key(row, directions) for row in rows}), frozenset(walk.array_paths)

    return keys


def _key(row: Sequence[Any], directions: Sequence[int]) -> bytes:
    parts = []
    for value, direction in zip(row, directions):
        key = NULL_KEY if value is MISSING else UNDEFINED_KEY if value is _EmptyArray else encode(value)
        parts.append(key if direction > 0 else invert(key))
    return b"".join(parts)


class _Walk:
    """One document's rows of values, one value a path, found by going down all paths at once."""

    __slots__ = ("array_paths", "paths", "rows")

    def __init__(self, paths: Sequence[_Parts]) -> None:
        self.paths = paths
        self.rows: list[list[Any]] = []
        self.array_paths: set[str] = set()

    def descend(self, values: list[Any], depths: list[int]) -> None:
        """Go on from `values[i]`, which path i has reached after `depths[i]` of its components."""
        waiting: list[int] = []
        for i in range(len(self.paths)):
            if depths[i] != _SETTLED:
                values[i], depths[i] = self._follow(values[i], self.paths[i], depths[i])
                if depths[i] != _SETTLED:
                    waiting.append(i)
        if not waiting:
            self.rows.append(values)
            return
        prefix = self.paths[waiting[0]][: depths[waiting[0]]]
        for i in waiting:
            other = self.paths[i][: depths[i]]
            if other != prefix:
                raise CannotIndexParallelArraysError(f"cannot index parallel arrays [{other[-1]}] [{prefix[-1]}]")
        self.array_paths.add(".".join(prefix))
        for element in values[waiting[0]] or (_EmptyArray,):
            next_values, next_depths = values.copy(), depths.copy()
            for i in waiting:
                if depths[i] == len(self.paths[i]):
                    next_values[i], next_depths[i] = element, _SETTLED
                elif element.__class__ is dict:
                    next_values[i] = element
                else:
                    next_values[i], next_depths[i] = MISSING, _SETTLED
            self.descend(next_values, next_depths)

    def _follow(self, value: Any, parts: _Parts, depth: int) -> tuple[Any, int]:
        """Return the array that stops the path and the depth there, or the path's value and `_SETTLED`."""
        while depth < len(parts):
            name = parts[depth]
            if value.__class__ is list:
                position = array_position(name)
                if position is None:
                    return value, depth
                self.array_paths.add(".".join(parts[:depth]))
                value = _element(value, name, position)
            elif isinstance(value, Mapping):
                value = value.get(name, MISSING)
            else:
                return MISSING, _SETTLED
            depth += 1
        return (value, depth) if value.__class__ is list else (value, _SETTLED)


def _element(array: Sequence[Any], name: str, position: int) -> Any:
    if any(element.__class__ is dict and name in element for element in array):
        raise CommandError(
            "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array),"
            f" field: '{name}'",
            AMBIGUOUS_FIELD_NAME,
        )
    return array[position] if position < len(array) else MISSING
