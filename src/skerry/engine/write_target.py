"""Where a write statement writes: straight into the writer's transaction, or into a multi-document transaction's overlay.

Statements (`write_statements`) are the same for both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.engine import oplog
from skerry.engine.document_validation import check_valid
from skerry.engine.op_observer import OpObserver
from skerry.engine.operation_context import OperationContext
from skerry.engine.oplog import OplogBuffer
from skerry.engine.query_executor import Match
from skerry.engine.record_source import RecordSource, WriterSource
from skerry.engine.transactions import UNCOMMITTED_FILE_ID, Transaction
from skerry.engine.write_path import CollectionWriter
from skerry.errors import CommandError, CommandNotSupportedOnViewError
from skerry.storage import KeyTakenError, WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace


class WriteTarget(Protocol):
    """One collection that statements write to. `undoes_statements`: whether `statement` can undo a part of the command."""

    source: RecordSource
    undoes_statements: bool

    def entry(self) -> CatalogEntry | None:
        """The collection, None while it does not exist."""
        ...

    def insert(self, raw: bytes, id_value: Any) -> None:
        """Insert a prepared document, creating the collection where needed."""
        ...

    def insert_together(self, prepared: Sequence[tuple[bytes, bytes]]) -> bool:
        """Insert prepared documents, as (key string of the `_id`, raw); false when one is refused, and none is in then."""
        ...

    def replace(self, match: Match, new: Mapping[str, Any], *, is_replacement: bool) -> bytes:
        """Put `new` in place of the matched document and return it raw."""
        ...

    def delete(self, match: Match) -> None:
        """Remove the matched document."""
        ...

    def refetch(self, rids: list[int]) -> Iterator[Match]:
        """Iterate over the documents of these record ids that still exist."""
        ...

    def statement(self) -> AbstractContextManager[None]:
        """Undo what the block did when it raises, and nothing else of the command."""
        ...


class DirectTarget:
    """Writes within the store's own transaction; `finish` before it commits."""

    undoes_statements = True

    def __init__(
        self,
        view: WriteView,
        catalog: CollectionCatalog,
        namespace: Namespace,
        context: OperationContext,
        observers: Callable[[], tuple[OpObserver, ...]],
    ) -> None:
        self._view = view
        self._catalog = catalog
        self._namespace = namespace
        self._context = context
        self._observers = observers
        self._writer: CollectionWriter | None = None
        self.log = OplogBuffer(view, lsid=None, txn_number=None, origin=context.origin)
        self.source: RecordSource = WriterSource(view, catalog)

    def entry(self) -> CatalogEntry | None:
        if self._writer is not None:
            return self._writer.entry
        return _writable(self._catalog.snapshot(self._view).get(self._namespace))

    def writer(self) -> CollectionWriter:
        """Return the collection's writer, creating the collection where needed."""
        if self._writer is None:
            entry = self.entry()
            if entry is None:
                self._catalog.check_auto_create(self._namespace)
                entry = self._catalog.create(self._view, self._namespace, {})
                self.log.add_command(oplog.CREATE, self._namespace, {"uuid": entry.uuid})
            self._writer = CollectionWriter(
                self._view,
                self._catalog,
                entry,
                self.log,
                self._observers(),
                origin=self._context.origin,
                validate=not self._context.bypass_document_validation,
            )
        return self._writer

    def insert(self, raw: bytes, id_value: Any) -> None:
        self.writer().insert(raw, id_value)

    def insert_together(self, prepared: Sequence[tuple[bytes, bytes]]) -> bool:
        try:
            with self.statement():
                self.writer().insert_many(prepared)
        except (KeyTakenError, CommandError):
            return False
        return True

    def replace(self, match: Match, new: Mapping[str, Any], *, is_replacement: bool) -> bytes:
        rid, before, old = match
        assert old is not None
        return self.writer().replace(rid, before, old, new, is_replacement=is_replacement)

    def delete(self, match: Match) -> None:
        self.writer().delete(*match)

    def refetch(self, rids: list[int]) -> Iterator[Match]:
        entry = self.entry()
        assert entry is not None
        for rid in rids:
            raw = self._view.record(entry.file_id, rid)
            if raw is not None:
                yield rid, raw, documents.decode(raw)

    @contextmanager
    def statement(self) -> Iterator[None]:
        """Undo what the block did when it raises, and nothing else of the command."""
        log_mark = self.log.mark()
        writer, writer_mark = self._writer, None
        if writer is not None:
            writer_mark = writer.mark()
        try:
            with self._view.savepoint():
                yield
        except BaseException:
            self.log.discard(log_mark)
            self._writer = writer
            if writer is not None and writer_mark is not None:
                writer.discard(writer_mark)
            raise

    def finish(self) -> None:
        """Write what was collected for the whole command: oplog entries, counts, observers."""
        if self._writer is not None:
            self._writer.finish()
        self.log.flush()


class TransactionTarget:
    """Writes into the overlay of an open transaction."""

    undoes_statements = False

    def __init__(self, transaction: Transaction, namespace: Namespace, context: OperationContext) -> None:
        self._transaction = transaction
        self._namespace = namespace
        self._validate = not context.bypass_document_validation
        self.source: RecordSource = transaction

    def entry(self) -> CatalogEntry | None:
        return _writable(self._transaction.entry(self._namespace))

    def insert(self, raw: bytes, id_value: Any) -> None:
        entry = self._transaction.ensure_entry(self._namespace, self._uncommitted)
        self._check(entry, documents.decode(raw) if "validator" in entry.options else {})
        self._transaction.insert(entry, raw, id_value)

    def insert_together(self, prepared: Sequence[tuple[bytes, bytes]]) -> bool:
        entry = self._transaction.ensure_entry(self._namespace, self._uncommitted)
        return "validator" not in entry.options and self._transaction.insert_together(entry, prepared)

    def replace(self, match: Match, new: Mapping[str, Any], *, is_replacement: bool) -> bytes:
        entry = self.entry()
        assert entry is not None
        self._check(entry, new)
        return self._transaction.replace(entry, match[1], new, is_replacement=is_replacement)

    def delete(self, match: Match) -> None:
        entry = self.entry()
        assert entry is not None
        self._transaction.delete(entry, match[1])

    def refetch(self, rids: list[int]) -> Iterator[Match]:  # noqa: ARG002
        raise AssertionError("a transaction's matches are already its own")  # see `write_statements.to_write`

    def statement(self) -> AbstractContextManager[None]:
        return nullcontext()  # the first error aborts the whole transaction, as in MongoDB

    def _check(self, entry: CatalogEntry, document: Mapping[str, Any]) -> None:
        if self._validate and "validator" in entry.options:
            check_valid(document, entry)

    def _uncommitted(self) -> CatalogEntry:
        return CatalogEntry(UNCOMMITTED_FILE_ID, self._namespace, b"", {}, ())


def _writable(entry: CatalogEntry | None) -> CatalogEntry | None:
    if entry is not None and "viewOn" in entry.options:
        raise CommandNotSupportedOnViewError(f"Namespace {entry.namespace} is a view, not a collection")
    return entry
