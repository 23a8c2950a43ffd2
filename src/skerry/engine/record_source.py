"""Where a query reads: the committed store, the writer's own transaction, or a multi-document transaction's merged view."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.catalog.collection_catalog import CatalogSnapshot, CollectionCatalog
from skerry.engine.operation_context import Check
from skerry.engine.query_executor import CHUNK_RECORDS_FIRST, Match, run_solution
from skerry.matcher.compile import Filter
from skerry.planner.query_solution import QuerySolution
from skerry.storage import ReadView, Store
from skerry.values.namespace import Namespace


class RecordSource(Protocol):
    """Reads one consistent idea of the data."""

    def catalog(self) -> CatalogSnapshot:
        """The catalogue as this source sees it."""
        ...

    def entry(self, namespace: Namespace) -> CatalogEntry | None:
        """The collection as this source sees it."""
        ...

    def view(self) -> AbstractContextManager[ReadView]:
        """A read view for a short while."""
        ...

    def keeps_index_order(self, namespace: Namespace) -> bool:
        """Whether documents come in the order of the index scanned (not when unsaved ones are merged in)."""
        ...

    def matches(
        self,
        solution: QuerySolution,
        entry: CatalogEntry,
        filter: Filter,
        check: Check,
        *,
        first_chunk: int = CHUNK_RECORDS_FIRST,
        need_documents: bool = True,
    ) -> Iterator[Match]:
        """Iterate over the documents that match."""
        ...


class CommittedSource:
    """The committed state; each chunk of a scan sees the newest."""

    def __init__(self, store: Store, catalog: CollectionCatalog) -> None:
        self._store = store
        self._catalog = catalog

    def catalog(self) -> CatalogSnapshot:
        with self._store.read() as view:
            return self._catalog.snapshot(view)

    def entry(self, namespace: Namespace) -> CatalogEntry | None:
        return self.catalog().get(namespace)

    def view(self) -> AbstractContextManager[ReadView]:
        return self._store.read()

    def keeps_index_order(self, namespace: Namespace) -> bool:  # noqa: ARG002  the same for every collection
        return True

    def matches(
        self,
        solution: QuerySolution,
        entry: CatalogEntry,
        filter: Filter,
        check: Check,
        *,
        first_chunk: int = CHUNK_RECORDS_FIRST,
        need_documents: bool = True,
    ) -> Iterator[Match]:
        return run_solution(
            solution, entry, filter, self.view, check=check, first_chunk=first_chunk, need_documents=need_documents
        )


class WriterSource(CommittedSource):
    """What the writer sees inside its transaction, its own writes included."""

    def __init__(self, view: ReadView, catalog: CollectionCatalog) -> None:
        self._view = view
        self._catalog = catalog

    def catalog(self) -> CatalogSnapshot:
        return self._catalog.snapshot(self._view)

    def view(self) -> AbstractContextManager[ReadView]:
        return nullcontext(self._view)
