"""Counts the bytes that blocking stages hold, and refuses to hold more than the limit.

Nothing is spilled to disk here: `allowDiskUse` means that the caller passes a larger limit. The sizes are estimates, about
those of the documents' BSON form, which is what MongoDB counts; Python's objects take a small multiple of it.
"""

from typing import Any, Final

from skerry.errors import CommandError

MEMORY_LIMIT_BYTES: Final = 100 * 1024 * 1024
"""What one blocking stage may hold. Source: MongoDB manual, "Aggregation Pipeline Limits"."""
EXCEEDED_MEMORY_LIMIT: Final = 292
_SCALAR_BYTES: Final = 16
_ELEMENT_BYTES: Final = 8
_COUNTED_EXACTLY: Final = 64
_SAMPLE_EVERY: Final = 8


class MemoryMeter:
    """What one stage holds in one run; not shared."""

    __slots__ = ("_limit", "_stage", "_values", "used_bytes")

    def __init__(self, stage: str, limit_bytes: int) -> None:
        self._stage = stage
        self._limit = limit_bytes
        self._values = 0
        self.used_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count `size_bytes` more. Raises CommandError 292 above the limit."""
        self.used_bytes += size_bytes
        if self.used_bytes > self._limit:
            raise CommandError(
                f"Exceeded memory limit for {self._stage} of {self._limit} bytes, and did not opt in to external "
                "sorting. Pass allowDiskUse:true to opt in.",
                EXCEEDED_MEMORY_LIMIT,
            )

    def add_value(self, value: Any) -> None:
        """Count a value. Raises CommandError 292 above the limit."""
        self.add(approximate_bytes(value))

    def release_value(self, value: Any) -> None:
        """Count a value no more."""
        self.used_bytes -= approximate_bytes(value)

    def add_sampled(self, value: Any) -> None:
        """Count a value of a long row: the first few exactly, then one in eight, which stands for all eight.

        Raises CommandError 292 above the limit.
        """
        number = self._values = self._values + 1
        if number <= _COUNTED_EXACTLY:
            self.add(approximate_bytes(value))
        elif not number % _SAMPLE_EVERY:
            self.add(_SAMPLE_EVERY * approximate_bytes(value))


def approximate_bytes(value: Any) -> int:
    """Estimate the size of a value's BSON form in bytes."""
    kind = type(value)
    if kind is dict:
        size = _ELEMENT_BYTES
        for name, field in value.items():
            field_kind = type(field)
            if field_kind is str:
                size += len(name) + len(field) + _ELEMENT_BYTES
            elif field_kind is dict or field_kind is list or field_kind is bytes:
                size += len(name) + approximate_bytes(field)
            else:
                size += len(name) + _SCALAR_BYTES
        return size
    if kind is list:
        return _ELEMENT_BYTES + sum(approximate_bytes(element) for element in value)
    if kind is str or kind is bytes:
        return len(value) + _ELEMENT_BYTES
    return _SCALAR_BYTES
