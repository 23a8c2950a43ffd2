"""`$push`, `$addToSet` and `$mergeObjects`: put values together. Source: the manual's pages so named."""

from typing import Any

from skerry.aggregation.accumulators.accumulator import unary
from skerry.aggregation.memory_limit import MemoryMeter
from skerry.aggregation.value_hash import hash_key
from skerry.errors import CommandError
from skerry.values.missing import MISSING
from skerry.values.type_order import type_name_of


class Push:
    """`$push`; a missing value is passed over."""

    __slots__ = ("_meter", "_values")

    def __init__(self, meter: MemoryMeter) -> None:
        self._meter = meter
        self._values: list[Any] = []

    def add(self, value: Any) -> None:
        """Take a value."""
        if value is not MISSING:
            self._meter.add_value(value)
            self._values.append(value)

    def result(self) -> list[Any]:
        """Return the values in the order of coming."""
        return list(self._values)


class AddToSet:
    """`$addToSet`; of equal values the first is kept, a missing one is passed over."""

    __slots__ = ("_meter", "_values")

    def __init__(self, meter: MemoryMeter) -> None:
        self._meter = meter
        self._values: dict[Any, Any] = {}

    def add(self, value: Any) -> None:
        """Take a value."""
        if value is MISSING:
            return
        key = hash_key(value)
        if key not in self._values:
            self._meter.add_value(value)
            self._values[key] = value

    def result(self) -> list[Any]:
        """Return the distinct values; MongoDB promises no order."""
        return list(self._values.values())


class MergeObjects:
    """`$mergeObjects`; later fields win, null and missing are passed over."""

    __slots__ = ("_merged", "_meter")

    def __init__(self, meter: MemoryMeter) -> None:
        self._meter = meter
        self._merged: dict[str, Any] = {}

    def add(self, value: Any) -> None:
        """Take a document. Raises CommandError 40400 for any other type."""
        if value.__class__ is dict:
            for name, field in value.items():
                if name in self._merged:
                    self._meter.release_value(self._merged[name])
                self._meter.add_value(field)
                self._merged[name] = field
        elif value is not None and value is not MISSING:
            raise CommandError(
                f"$mergeObjects requires object inputs, but input {value!r} is of type {type_name_of(value)}", 40400
            )

    def result(self) -> dict[str, Any]:
        """Return the merged document."""
        return dict(self._merged)


parse_push = unary(Push)
parse_add_to_set = unary(AddToSet)
parse_merge_objects = unary(MergeObjects)
