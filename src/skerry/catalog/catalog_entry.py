"""What the catalogue knows of one collection's structure: enough to read and write its documents.

Entries are immutable; a change of the catalogue makes new ones. What changes with every write (count, token) is not here but
in the collection's row: see `CollectionCatalog.metadata`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.indexes.key_generator import KeyGenerator, compile_key_generator
from skerry.planner.query_planner import PlannerIndex
from skerry.values.namespace import Namespace


@dataclass(frozen=True)
class IndexEntry:
    """One secondary index: `index_id` names its table."""

    index_id: int
    descriptor: IndexDescriptor
    multikey_paths: frozenset[str]

    @cached_property
    def key_generator(self) -> KeyGenerator:
        return compile_key_generator(self.descriptor)


@dataclass(frozen=True)
class CatalogEntry:
    """One collection: `file_id` names the table of its documents."""

    file_id: int
    namespace: Namespace
    uuid: bytes
    options: Mapping[str, Any]
    indexes: tuple[IndexEntry, ...]

    @cached_property
    def planner_indexes(self) -> tuple[PlannerIndex, ...]:
        """The secondary indexes as the planner wants them."""
        return tuple(PlannerIndex(entry.descriptor, entry.multikey_paths) for entry in self.indexes)

    def index_named(self, name: str) -> IndexEntry | None:
        return next((entry for entry in self.indexes if entry.descriptor.name == name), None)


@dataclass(frozen=True, slots=True)
class CollectionMetadata:
    """What the master index says of a collection at one moment; times in milliseconds since 1970."""

    name: str
    file_id: int
    created_ms: int
    last_modified_ms: int
    document_count: int
    document_bytes: int
    modification_token: str
