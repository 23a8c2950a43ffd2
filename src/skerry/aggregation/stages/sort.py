"""Sorts documents: `$sort`, and the order that `find` asks for.

Rules (MongoDB manual, `$sort`, "Comparison/Sort Order"): an array stands for its least element when ascending, for its
greatest when descending; an empty array is below null; a missing field is null. The sort is stable. With several fields an
array gives the least combination, and two arrays side by side are refused.

Strategy: one column of keys per field, sorted from the last field to the first by Python's own stable sort. Columns whose
values are of one plain class are compared natively, all others as key strings. With a limit, only that many are kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from bson.int64 import Int64
from bson.objectid import ObjectId

from skerry.aggregation.memory_limit import MEMORY_LIMIT_BYTES, MemoryMeter
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.errors import BadValueError, CommandError, NotImplementedYetError
from skerry.values import field_path, key_string
from skerry.values.field_path import array_position
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number

Item = TypeVar("Item")
SortPattern = Sequence[tuple[str, int]]

SORT_KEYS_MAX: Final = 32
"""Source: MongoDB manual, "MongoDB Limits and Thresholds"."""
_BUFFER_ITEMS_MIN: Final = 4096
_NUMBERS: Final = frozenset((int, Int64, float))
_NATIVE: Final = (frozenset((str,)), frozenset((datetime,)), frozenset((ObjectId,)), frozenset((bool,)))


def parse_sort_pattern(spec: Any) -> list[tuple[str, int]]:
    """Return the paths and directions of a `$sort` specification.

    Raises CommandError 15973 for no document, 15974 and 15975 for a direction other than 1 and -1, 15976 for none at all.
    """
    if not isinstance(spec, Mapping):
        raise CommandError("the $sort key specification must be an object", 15973)
    pattern = []
    for path, order in spec.items():
        if isinstance(order, Mapping):
            raise NotImplementedYetError(f"sorting by {next(iter(order), 'an object')} is not supported yet")
        if not is_number(order):
            raise CommandError("$sort key ordering must be specified using a number or {$meta: 'textScore'}", 15974)
        direction = as_index(order)
        if direction not in (1, -1):
            raise CommandError("$sort key ordering must be 1 (for ascending) or -1 (for descending)", 15975)
        field_path.validate(path)
        pattern.append((path, direction))
    if not pattern:
        raise CommandError("$sort stage must have at least one sort key", 15976)
    if len(pattern) > SORT_KEYS_MAX:
        raise BadValueError(f"too many compound keys in a sort, the limit is {SORT_KEYS_MAX}")
    return pattern


def parse_sort(spec: Any, scope: StageScope) -> Run:
    """Parse `$sort`."""
    return _sort_run(spec, scope, None)


def parse_bounded_sort(spec: Any, scope: StageScope, limit: int) -> Run:
    """Parse a `$sort` of which only the first `limit` documents are wanted."""
    return _sort_run(spec, scope, limit)


def _sort_run(spec: Any, scope: StageScope, limit: int | None) -> Run:
    pattern = parse_sort_pattern(spec)

    def run(documents: Documents) -> Documents:
        yield from sort_documents(documents, pattern, limit, memory_limit_bytes=scope.memory_limit_bytes)

    return run


def sort_documents(
    documents: Iterable[Document],
    pattern: SortPattern,
    limit: int | None = None,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> list[Document]:
    """Return the documents in the order of `pattern`, the first `limit` of them; raises as `sort_items` does."""
    return sort_items(documents, pattern, None, limit, memory_limit_bytes=memory_limit_bytes)


def sort_items(
    items: Iterable[Item],
    pattern: SortPattern,
    document_of: Callable[[Item], Document] | None,
    limit: int | None = None,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> list[Item]:
    """Return the items in the order of their documents, the first `limit` of them.

    `document_of` is None when the items are documents themselves. Raises CommandError 292 when what is held exceeds
    `memory_limit_bytes`, BadValueError for arrays side by side.
    """
    capacity = None if limit is None else max(2 * limit, _BUFFER_ITEMS_MIN)
    order = _compile_order(pattern)
    held: list[Item] = []
    meter = MemoryMeter("$sort", memory_limit_bytes)
    for item in items:
        held.append(item)
        meter.add_sampled(item if document_of is None else document_of(item))
        if capacity is not None and len(held) >= capacity:
            held = order(held, document_of)[:limit]
            meter = MemoryMeter("$sort", memory_limit_bytes)
            for each in held:
                meter.add_sampled(each if document_of is None else document_of(each))
    ordered = order(held, document_of)
    return ordered if limit is None else ordered[:limit]


def compile_sort_key(pattern: SortPattern) -> Callable[[Document], Any]:
    """Return the key function of an order: the keys are bytes that sort as the documents do."""
    directions = [direction for _, direction in pattern]
    values_of = compile_sort_values(pattern)
    if len(pattern) > 1:
        return lambda document: key_string.encode_compound(values_of(document), directions)
    encode, invert = key_string.encode, key_string.invert
    if directions[0] < 0:
        return lambda document: invert(encode(values_of(document)[0]))
    return lambda document: encode(values_of(document)[0])


def compile_sort_values(pattern: SortPattern) -> Callable[[Document], Sequence[Any]]:
    """Return the function from a document to the values it is sorted by, one a field; an empty array gives MISSING."""
    if len(pattern) == 1:
        value_of = _compile_single(*pattern[0])
        return lambda document: (value_of(document),)
    paths = [field_path.split(path) for path, _ in pattern]
    directions = [direction for _, direction in pattern]
    plain = [_plain_reader(parts) for parts in paths]

    def values_of(document: Document) -> Sequence[Any]:
        values = [read(document) for read in plain]
        if any(value is _ARRAY for value in values):
            rows = _combinations(document, list(paths))
            return min(rows, key=lambda row: key_string.encode_compound(row, directions))
        return values

    return values_of


class _ArrayMet:
    """Marks that an array stands on a path or at its end."""


_ARRAY: Final = _ArrayMet()


def _plain_reader(parts: tuple[str, ...]) -> Callable[[Document], Any]:
    """Return the reader of a path without arrays: null where the field is missing, `_ARRAY` where an array is met."""
    if len(parts) == 1:
        name = parts[0]

        def read_field(document: Document) -> Any:
            value = document.get(name)
            return _ARRAY if value.__class__ is list else value

        return read_field

    def read_path(document: Document) -> Any:
        value: Any = document
        for part in parts:
            if value.__class__ is dict:
                value = value.get(part)
            else:
                return _ARRAY if value.__class__ is list else None
        return _ARRAY if value.__class__ is list else value

    return read_path


def _compile_single(path: str, direction: int) -> Callable[[Document], Any]:
    parts = field_path.split(path)
    plain = _plain_reader(parts)
    choose = min if direction > 0 else max

    def value_of(document: Document) -> Any:
        value = plain(document)
        if value is not _ARRAY:
            return value
        return choose((row[0] for row in _combinations(document, [parts])), key=key_string.encode)

    return value_of


def _combinations(document: Any, paths: list[tuple[str, ...]]) -> list[list[Any]]:
    """Return every combination of values that an index on these paths would hold for the document.

    All paths through one array take their values from the same element of it. Raises BadValueError for two arrays.
    """
    row: list[Any] = [None] * len(paths)
    array: list[Any] | None = None
    array_at: tuple[str, ...] = ()
    rests: dict[int, tuple[str, ...]] = {}
    for number, parts in enumerate(paths):
        value, depth = _descend(document, parts)
        if value.__class__ is not list:
            row[number] = value
            continue
        if array is not None and array_at != parts[:depth]:
            raise BadValueError("cannot sort with keys that are parallel arrays")
        array, array_at = value, parts[:depth]
        rests[number] = parts[depth:]
    if array is None:
        return [row]
    if not array:
        return [[(None if rests[at] else MISSING) if at in rests else value for at, value in enumerate(row)]]
    rows = []
    inner = [(at, rest) for at, rest in rests.items() if rest]
    for element in array:
        filled = list(row)
        for at, rest in rests.items():
            filled[at] = None if rest else element
        if not inner or element.__class__ is not dict:
            rows.append(filled)
            continue
        for values in _combinations(element, [rest for _, rest in inner]):
            for (at, _), value in zip(inner, values):
                filled[at] = value
            rows.append(list(filled))
    return rows


def _descend(value: Any, parts: tuple[str, ...]) -> tuple[Any, int]:
    """Walk down to the first array that must be expanded, or to the end; a number may name a position in an array."""
    for depth, part in enumerate(parts):
        if value.__class__ is list:
            position = array_position(part)
            if position is None or position >= len(value):
                return value, depth
            value = value[position]
        elif value.__class__ is dict:
            value = value.get(part)
        else:
            return None, depth
    return value, len(parts)


def _compile_order(pattern: SortPattern) -> Callable[[list[Any], Callable[[Any], Document] | None], list[Any]]:
    descending = [direction < 0 for _, direction in pattern]
    single = _compile_single(*pattern[0]) if len(pattern) == 1 else None
    values_of = compile_sort_values(pattern)

    def order(items: list[Any], document_of: Callable[[Any], Document] | None) -> list[Any]:
        documents: Iterable[Document] = items if document_of is None else map(document_of, items)
        columns: list[Sequence[Any]]
        if single is not None:
            columns = [[single(document) for document in documents]]
        else:
            columns = list(zip(*map(values_of, documents)))
        places = list(range(len(items)))
        for column, reverse in zip(reversed(columns), reversed(descending)):
            places.sort(key=_comparable(column).__getitem__, reverse=reverse)
        return [items[place] for place in places]

    return order


def _comparable(column: Sequence[Any]) -> Sequence[Any]:
    """Return the column itself where Python orders its values as MongoDB does, else their key strings."""
    classes = frozenset(map(type, column))
    if classes in _NATIVE:
        return column
    if classes <= _NUMBERS and (float not in classes or not any(value != value for value in column)):
        return column
    return [key_string.encode(value) for value in column]


def sort_bound(following: Iterable[tuple[str, Any]]) -> int | None:
    """Return how many documents of a sort the stages after it let through, None for all of them."""
    skipped = 0
    for name, argument in following:
        count = as_index(argument)
        if name not in ("$skip", "$limit") or count is None or count < 0:
            return None
        if name == "$limit":
            return skipped + count
        skipped += count
    return None
