"""`$densify`: adds the documents that are missing in a regular row. Source: MongoDB manual, `$densify`.

The row of a partition starts at the range's lower bound, or at the least value of the partition or of all; documents that
are no number or date at the field are passed through, before the row. Output is ordered by partition and value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.aggregation.date_steps import check_unit, compile_step, is_date
from skerry.aggregation.document_paths import plain_value, with_value
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.errors import CommandError, FailedToParseError
from skerry.values import field_path
from skerry.values.compare import ValueKey, compare
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index, is_number, multiply, to_double
from skerry.values.type_order import bson_type

GENERATED_DOCUMENTS_MAX: Final = 500_000
"""Source: the server parameter `internalDocumentSourceDensifyMaxGeneratedDocs`."""
_OPTIONS: Final = frozenset(("field", "partitionByFields", "range"))


@dataclass(frozen=True, slots=True)
class _Row:
    """Which values there should be: from `lower` (None: the least) by `step` below `upper` (None: to the greatest)."""

    step: Any
    unit: str | None
    bounds: Any


def parse_densify(spec: Any, scope: StageScope) -> Run:
    """Parse `$densify`. Raises CommandError 5733201 … for a bad form or value, 5897900 for too many new documents."""
    if not isinstance(spec, Mapping):
        raise FailedToParseError("The $densify specification must be an object")
    for name in spec:
        if name not in _OPTIONS:
            raise CommandError(f"BSON field '$densify.{name}' is an unknown field.", 40415)
    for name in ("field", "range"):
        if name not in spec:
            raise CommandError(f"BSON field '$densify.{name}' is missing but a required field", 40414)
    paths = [spec["field"], *spec.get("partitionByFields", [])]
    for path in paths:
        if not isinstance(path, str):
            raise FailedToParseError("$densify's field and partitionByFields must be strings")
        field_path.validate(path)
    if spec["field"] in paths[1:]:
        raise CommandError(
            "BSON field '$densify.partitionByFields' contains the field that is being densified", 8993000
        )
    parts, *partition_paths = [field_path.split(path) for path in paths]
    row = _parse_range(spec["range"], has_partitions=bool(partition_paths))
    return lambda documents: _Densifier(parts, partition_paths, row, scope).run(documents)


class _Densifier:
    """One run."""

    def __init__(
        self, parts: tuple[str, ...], partition_paths: list[tuple[str, ...]], row: _Row, scope: StageScope
    ) -> None:
        self._parts = parts
        self._partition_paths = partition_paths
        self._row = row
        self._scope = scope
        self._advance = compile_step(row.unit)
        self._generated = 0

    def run(self, documents: Documents) -> Documents:
        others, members, keys = self._partitions(documents)
        yield from others
        everything = [entry for entries in members.values() for entry in entries]
        if not members and isinstance(self._row.bounds, tuple) and not self._partition_paths:
            members[()] = []
            keys[()] = []
        for key in sorted(members):
            entries = sorted(members[key], key=lambda entry: ValueKey(entry[0]))
            lower, upper, is_open = self._bounds(entries, everything)
            yield from self._densified(entries, keys[key], lower, upper, is_open=is_open)

    def _partitions(
        self, documents: Documents
    ) -> tuple[list[Document], dict[Any, list[tuple[Any, Document]]], dict[Any, list[Any]]]:
        meter = self._scope.meter("$densify")
        others: list[Document] = []
        members: dict[Any, list[tuple[Any, Document]]] = {}
        keys: dict[Any, list[Any]] = {}
        for document in documents:
            meter.add_sampled(document)
            value = plain_value(document, self._parts)
            if value is None or value is MISSING:
                others.append(document)
                continue
            self._check_value(value)
            values = [plain_value(document, path) for path in self._partition_paths]
            key = tuple(ValueKey(each) for each in values)
            keys.setdefault(key, values)
            members.setdefault(key, []).append((value, document))
        return others, members, keys

    def _check_value(self, value: Any) -> None:
        if is_date(value):
            if self._row.unit is None:
                raise CommandError("Encountered date densify value in collection when unit is not specified.", 6053600)
        elif not is_number(value):
            raise CommandError("Densify field type must be numeric or a date", 5733201)
        elif self._row.unit is not None:
            raise CommandError("Encountered numeric densify value in collection when unit is specified.", 6053600)

    def _bounds(
        self, entries: list[tuple[Any, Document]], everything: list[tuple[Any, Document]]
    ) -> tuple[Any, Any, bool]:
        bounds = self._row.bounds
        if isinstance(bounds, tuple):
            return bounds[0], bounds[1], True
        values = [value for value, _ in (everything if bounds == "full" else entries)]
        return min(values, key=ValueKey), max(values, key=ValueKey), False

    def _densified(
        self, entries: list[tuple[Any, Document]], key: list[Any], lower: Any, upper: Any, *, is_open: bool
    ) -> Iterator[Document]:
        number = 0
        target = lower
        for value, document in entries:
            while self._is_below(target, upper, is_open=is_open) and compare(target, value) < 0:
                yield self._new(target, key)
                number += 1
                target = self._nth(lower, number)
            if compare(target, value) == 0:
                number += 1
                target = self._nth(lower, number)
            yield document
        while self._is_below(target, upper, is_open=is_open):
            yield self._new(target, key)
            number += 1
            target = self._nth(lower, number)

    @staticmethod
    def _is_below(target: Any, upper: Any, *, is_open: bool) -> bool:
        order = compare(target, upper)
        return order < 0 or (order == 0 and not is_open)

    def _nth(self, lower: Any, number: int) -> Any:
        return self._advance(lower, multiply(self._row.step, number))

    def _new(self, value: Any, key: list[Any]) -> Document:
        self._generated += 1
        if self._generated > GENERATED_DOCUMENTS_MAX:
            raise CommandError(
                f"Generated {self._generated} documents in $densify, which is over the limit of "
                f"{GENERATED_DOCUMENTS_MAX}.",
                5897900,
            )
        document: Document = {}
        for path, each in zip(self._partition_paths, key):
            if each is not MISSING:
                document = with_value(document, path, each)
        return with_value(document, self._parts, value)


def _parse_range(spec: Any, *, has_partitions: bool) -> _Row:
    if not isinstance(spec, Mapping) or "step" not in spec or "bounds" not in spec:
        raise CommandError("$densify's range must be an object with 'step' and 'bounds'", 40414)
    for name in spec:
        if name not in ("step", "unit", "bounds"):
            raise CommandError(f"BSON field '$densify.range.{name}' is an unknown field.", 40415)
    step = spec["step"]
    if not is_number(step) or to_double(step) <= 0:
        raise CommandError("The step parameter in a range statement must be a strictly positive numeric value", 5733401)
    unit = check_unit("$densify", spec["unit"], 9) if spec.get("unit") is not None else None
    if unit is not None and as_index(step) is None:
        raise CommandError(
            "The step parameter in a range statement must be a whole number when densifying a date", 6586400
        )
    return _Row(step, unit, _parse_bounds(spec["bounds"], step, unit, has_partitions=has_partitions))


def _parse_bounds(bounds: Any, step: Any, unit: str | None, *, has_partitions: bool) -> Any:
    if isinstance(bounds, str):
        if bounds not in ("full", "partition"):
            raise CommandError("Bounds string must either be 'full' or 'partition'", 5946802)
        if bounds == "partition" and not has_partitions:
            raise CommandError(
                "One may not specify the bounds as 'partition' without specifying partitionByFields", 5733408
            )
        return bounds
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        raise CommandError("A bounding array in a range statement must have exactly two elements", 5733403)
    lower, upper = bounds
    if unit is not None and is_number(lower):
        raise CommandError("numeric bounds may not have unit parameter", 5733409)
    is_kind = is_number if unit is None else is_date
    if not (is_kind(lower) and is_kind(upper)):
        kind = "numbers when there is no unit" if unit is None else "dates when there is a unit"
        raise CommandError(f"A bounding array must have {kind}", 5733402)
    if compare(lower, upper) > 0:
        raise CommandError("A bounding array must be in ascending order", 5733402)
    if unit is None and len({bson_type(value) for value in (lower, upper, step)}) > 1:
        raise CommandError("Upper bound, lower bound, and step must all have the same type", 5876900)
    return lower, upper
