"""`$rank`, `$denseRank` and `$documentNumber`: the place of a document in its partition. Source: the manual's pages."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.window_functions.partition import Compute, Partition, WindowFunctionSpec
from skerry.errors import CommandError
from skerry.values.compare import ValueKey


def parse_rank(spec: WindowFunctionSpec) -> Compute:
    """Parse `$rank`: equal documents share a number, and the next one is skipped as often."""
    _check(spec)

    def compute(partition: Partition) -> list[Any]:
        ranks: list[Any] = []
        previous: ValueKey | None = None
        for place, value in enumerate(spec.single_sort_values(partition, 5371602)):
            key = ValueKey(value)
            ranks.append(ranks[-1] if key == previous else place + 1)
            previous = key
        return ranks

    return compute


def parse_dense_rank(spec: WindowFunctionSpec) -> Compute:
    """Parse `$denseRank`: equal documents share a number, and none is skipped."""
    _check(spec)

    def compute(partition: Partition) -> list[Any]:
        ranks: list[Any] = []
        previous: ValueKey | None = None
        for value in spec.single_sort_values(partition, 5371602):
            key = ValueKey(value)
            ranks.append((ranks[-1] if ranks else 0) + (key != previous))
            previous = key
        return ranks

    return compute


def parse_document_number(spec: WindowFunctionSpec) -> Compute:
    """Parse `$documentNumber`: 1, 2, 3, …"""
    spec.refuse_window()
    _check_empty(spec)
    spec.require_sort()
    return lambda partition: list(range(1, len(partition.documents) + 1))


def _check(spec: WindowFunctionSpec) -> None:
    spec.refuse_window()
    _check_empty(spec)
    spec.check_single_sort(5371602)


def _check_empty(spec: WindowFunctionSpec) -> None:
    if not isinstance(spec.argument, Mapping) or spec.argument:
        raise CommandError(f"{spec.name} must be specified with '{{}}' as the value", 5371603)
