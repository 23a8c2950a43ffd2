"""What every kind of command works on: the store, its catalogue, who observes changes, and who waits for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bson.timestamp import Timestamp

from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.config.engine_config import EngineConfig
from skerry.engine import oplog
from skerry.engine.command_variables import CommandClock
from skerry.engine.commit_signal import CommitSignal
from skerry.engine.op_observer import OpObserver
from skerry.engine.operation_context import Durability, OperationContext
from skerry.engine.record_source import CommittedSource, RecordSource
from skerry.storage import ReadTransaction, ReadView, Store, WriteView
from skerry.values.namespace import Namespace

T = TypeVar("T")

MEMORY_PATH = ":memory:"


class StorageEngine:
    """One open data directory, as the parts of the engine share it.

    `observers` are told of every change; replace the tuple to add one. Raises at opening what `Store` raises.
    """

    def __init__(self, path: str | Path, config: EngineConfig) -> None:
        self.config = config
        self.store = Store(
            None if str(path) == MEMORY_PATH else Path(path),
            flush_interval_ms=config.journal_flush_interval_ms,
            reader_cache_kib=config.reader_cache_kib,
            writer_cache_kib=config.writer_cache_kib,
        )
        self.catalog = CollectionCatalog(auto_create=config.auto_create_collections)
        self.committed = CommittedSource(self.store, self.catalog)
        self.commit_signal = CommitSignal()
        self.observers: tuple[OpObserver, ...] = ()
        self._begin_oplog()

    def read(self) -> ReadTransaction:
        """Open a short read transaction."""
        return self.store.read()

    def write(self, job: Callable[[WriteView], T], context: OperationContext) -> T:
        """Run `job` in the writer's transaction, as durable as the operation asks, and wake whoever waits for changes."""

        def run(view: WriteView) -> T:
            result = job(view)
            view.after_commit.append(self.commit_signal.notify)
            return result

        return self.store.write(run, durable=context.durability is Durability.FSYNCED)

    def source(self, context: OperationContext) -> RecordSource:
        """Where an operation reads: its transaction, or the committed state."""
        return self.committed if context.transaction is None else context.transaction

    @contextmanager
    def catalogue(self) -> Iterator["tuple[ReadView, CollectionCatalog]"]:
        """A read view together with the catalogue."""
        with self.store.read() as view:
            yield view, self.catalog

    def lookup(self, view: ReadView, namespace: Namespace, key: bytes) -> bytes | None:
        """Return the committed version of a document by its `_id` key, None when there is none."""
        entry = self.catalog.snapshot(view).get(namespace)
        record = None if entry is None else view.record_by_key(entry.file_id, key)
        return None if record is None else record[1]

    def cluster_time(self) -> Timestamp:
        """Return the cluster time of the newest commit that this process knows of."""
        return oplog.as_timestamp(self.store.last_timestamp)

    def clock(self) -> CommandClock:
        return CommandClock.read(self.cluster_time())

    def close(self) -> None:
        self.store.close()

    def _begin_oplog(self) -> None:
        """Give a new oplog its first entry, so that there is a cluster time to start a change stream at."""
        with self.store.read() as view:
            newest = oplog.last_timestamp(view)
        if newest:
            self.store.last_timestamp = newest
            return

        def begin(view: WriteView) -> None:
            if oplog.last_timestamp(view) == 0:
                log = oplog.OplogBuffer(view, lsid=None, txn_number=None, origin="")
                log.add_command(oplog.NOOP, Namespace("", ""), {"msg": "initiating"})
                log.flush()

        self.store.write(begin, durable=True)
        with self.store.read() as view:
            self.store.last_timestamp = oplog.last_timestamp(view)
