"""The description of an index: key pattern and options, as the catalogue keeps it and `listIndexes` shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from skerry.indexes.index_spec_validation import direction_of, validate_index_spec
from skerry.values.numbers import to_double

INDEX_VERSION: Final = 2


def default_name(key: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """Return the name that drivers give an index: `a_1_b_-1`."""
    pairs = key.items() if isinstance(key, Mapping) else key
    return "_".join(f"{path}_{direction}" for path, direction in pairs)


@dataclass(frozen=True, slots=True)
class IndexDescriptor:
    """One index; immutable. `key` pairs paths with directions: positive ascends, negative descends."""

    name: str
    key: tuple[tuple[str, int], ...]
    unique: bool = False
    sparse: bool = False
    partial_filter: dict[str, Any] | None = None
    expire_after_seconds: int | None = None
    hidden: bool = False
    background: bool | None = field(default=None, compare=False)
    """As it was given: it is shown, but every index is built the same way, so it makes no other index."""

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Return the descriptor of a specification as `createIndexes` takes it.

        Raises what `validate_index_spec` raises.
        """
        validate_index_spec(spec)
        key = tuple((path, direction_of(value)) for path, value in spec["key"].items())
        partial_filter = spec.get("partialFilterExpression")
        seconds = spec.get("expireAfterSeconds")
        return cls(
            name="_id_" if key == (("_id", 1),) else spec["name"],
            key=key,
            unique=bool(spec.get("unique", False)),
            sparse=bool(spec.get("sparse", False)),
            partial_filter=None if partial_filter is None else dict(partial_filter),
            expire_after_seconds=None if seconds is None else int(to_double(seconds)),
            hidden=bool(spec.get("hidden", False)),
            background=None if spec.get("background") is None else bool(spec["background"]),
        )

    def to_spec(self) -> dict[str, Any]:
        """Return the specification as `listIndexes` shows it; options that are off are left out."""
        spec: dict[str, Any] = {"v": INDEX_VERSION, "key": dict(self.key), "name": self.name}
        if self.unique:
            spec["unique"] = True
        if self.sparse:
            spec["sparse"] = True
        if self.partial_filter is not None:
            spec["partialFilterExpression"] = self.partial_filter
        if self.expire_after_seconds is not None:
            spec["expireAfterSeconds"] = self.expire_after_seconds
        if self.hidden:
            spec["hidden"] = True
        if self.background is not None:
            spec["background"] = self.background
        return spec


ID_INDEX: Final = IndexDescriptor("_id_", (("_id", 1),))
"""The index that every collection has without asking. It is unique, though its specification does not say so."""
