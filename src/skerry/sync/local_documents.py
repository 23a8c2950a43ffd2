"""Reads and writes of local documents on behalf of a link, within one transaction of the store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from skerry.engine import oplog
from skerry.engine.oplog import OplogBuffer
from skerry.engine.storage_engine import StorageEngine
from skerry.engine.write_path import CollectionWriter
from skerry.errors import DuplicateKeyError
from skerry.storage import WriteView
from skerry.values import documents
from skerry.values.namespace import Namespace

Change = tuple[Namespace, bytes, bytes | None, bytes | None]
"""Collection, key, and the document before and after; None is no document."""


class LocalDocuments:
    """Puts whole documents in place; entries of the oplog carry `origin`. Use `open_documents`."""

    def __init__(self, view: WriteView, storage: StorageEngine, origin: str, *, validate: bool = False) -> None:
        self._view = view
        self._storage = storage
        self._origin = origin
        self._validate = validate
        self._log = OplogBuffer(view, lsid=None, txn_number=None, origin=origin)
        self._writers: dict[Namespace, CollectionWriter] = {}
        self._new: dict[bytes, bytes] = {}  # by key; of the collection of `_new_in`
        self._new_in: CollectionWriter | None = None

    def get(self, namespace: Namespace, key: bytes) -> bytes | None:
        writer = self._writers.get(namespace)
        if writer is None:
            return self._storage.lookup(self._view, namespace, key)
        if key in self._new:
            self._insert_new()
        record = self._view.record_by_key(writer.entry.file_id, key)
        return None if record is None else record[1]

    def put(self, namespace: Namespace, key: bytes, before: bytes | None, after: bytes | None) -> None:
        """Replace `before`, which is the present version, by `after`; None is no document.

        Raises `DuplicateKeyError` of a unique index, with nothing changed then.
        """
        writer = self._writer(namespace)
        has_unique = any(index.descriptor.unique for index in writer.entry.indexes)
        if before is None and after is not None and not has_unique:
            if self._new_in is not writer:
                self._insert_new()
                self._new_in = writer
            self._new[key] = after
            return
        self._insert_new()
        if not has_unique:
            self._put(writer, key, before, after)
            return
        mark, logged = writer.mark(), self._log.mark()
        try:
            with self._view.savepoint():
                self._put(writer, key, before, after)
        except BaseException:
            self._log.discard(logged)
            writer.discard(mark)
            raise

    def replace_together(self, changes: Sequence[Change]) -> bool:
        """Replace documents that hold each other's unique values: all of them go before any comes.

        False, with nothing changed, when a unique index still refuses one.
        """
        self._insert_new()
        writers = {namespace: self._writer(namespace) for namespace, _, _, _ in changes}
        marks, logged = {namespace: writer.mark() for namespace, writer in writers.items()}, self._log.mark()
        try:
            with self._view.savepoint():
                for namespace, key, before, _ in changes:
                    self._put(writers[namespace], key, before, None)
                for namespace, key, _, after in changes:
                    self._put(writers[namespace], key, None, after)
        except DuplicateKeyError:
            self._log.discard(logged)
            for namespace, mark in marks.items():
                writers[namespace].discard(mark)
            return False
        return True

    def finish(self) -> None:
        self._insert_new()
        for writer in self._writers.values():
            writer.finish()
        self._log.flush()

    def _insert_new(self) -> None:
        """Insert the documents that were collected: many at once are faster than one by one."""
        new, self._new = self._new, {}
        if new and self._new_in is not None:
            self._new_in.insert_many(list(new.items()))

    def _put(self, writer: CollectionWriter, key: bytes, before: bytes | None, after: bytes | None) -> None:
        if before is None:
            if after is not None:
                writer.insert(after, documents.id_of(after))
            return
        record = self._view.record_by_key(writer.entry.file_id, key)
        assert record is not None
        if after is None:
            writer.delete(record[0], before)
        else:
            old, new = documents.decode(before), documents.decode(after)
            writer.replace(record[0], before, old, new, is_replacement=True, after=after)

    def _writer(self, namespace: Namespace) -> CollectionWriter:
        writer = self._writers.get(namespace)
        if writer is None:
            catalog = self._storage.catalog
            entry = catalog.snapshot(self._view).get(namespace)
            if entry is None:
                entry = catalog.create(self._view, namespace, {})
                self._log.add_command(oplog.CREATE, namespace, {"uuid": entry.uuid})
            writer = self._writers[namespace] = CollectionWriter(
                self._view,
                catalog,
                entry,
                self._log,
                self._storage.observers,
                origin=self._origin,
                validate=self._validate,
            )
        return writer


@contextmanager
def open_documents(
    view: WriteView, storage: StorageEngine, origin: str, *, validate: bool = False
) -> Iterator[LocalDocuments]:
    """Change documents within the block; what was changed is logged and told to observers at its end.

    `validate`: the collections' validators are asked, as for a user's write; they raise `DocumentValidationFailureError`.
    """
    local = LocalDocuments(view, storage, origin, validate=validate)
    yield local
    local.finish()
