"""One open database as the commands see it: the sum of its parts.

The parts are grouped by what they do (`write_commands`, `query_commands`, `schema_commands`, `transaction_commands`,
`statistics`, `explain`); their methods are the engine's. Errors are `skerry.errors`, with MongoDB's codes. Any number of
threads may use an engine; it must not be used after a fork.
"""

import datetime
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from skerry.catalog.catalog_entry import CatalogEntry
from skerry.config.engine_config import EngineConfig
from skerry.engine import oplog
from skerry.engine.cursor_registry import CursorRegistry
from skerry.engine.explain import Explain
from skerry.engine.logical_sessions import TransactionTable, forget_executed
from skerry.engine.maintenance import Maintenance, Task
from skerry.engine.op_observer import OpObserver
from skerry.engine.operation_context import Durability, OperationContext
from skerry.engine.operation_metrics import OperationMetrics
from skerry.engine.query_commands import QueryCommands
from skerry.engine.requests import DeleteStatement
from skerry.engine.schema_commands import SchemaCommands
from skerry.engine.slow_operations import SlowOperations
from skerry.engine.statistics import Statistics
from skerry.engine.storage_engine import MEMORY_PATH, StorageEngine
from skerry.engine.transaction_commands import TransactionCommands
from skerry.engine.ttl_monitor import TTL_INTERVAL_SECONDS, run_ttl
from skerry.engine.users import Users
from skerry.engine.write_commands import WriteCommands
from skerry.errors import CommandNotSupportedOnViewError, NamespaceNotFoundError
from skerry.storage import WriteView, compaction
from skerry.values.namespace import Namespace

_OPLOG_TRIM_SECONDS: Final = 10.0
_SESSIONS_SECONDS: Final = 5.0
_FORGET_SECONDS: Final = 300.0
_LOG_SECONDS: Final = 15.0
_LOG_BYTES_MAX: Final = 64 * 1024 * 1024

_logger: Final = logging.getLogger("skerry.engine")


class Engine:
    """An open data directory, or `":memory:"` for one that is gone when it is closed.

    Raises at opening: `NotADatabaseError`, `NewerSchemaError`, `CorruptDatabaseError`, `ReadOnlyDatabaseError`.
    """

    def __init__(self, path: str | Path, config: EngineConfig | None = None) -> None:
        self.config = config or EngineConfig()
        self.path = str(path)
        storage = self.storage = StorageEngine(path, self.config)
        self._open_transactions = TransactionTable(
            storage.store,
            storage.catalog,
            lifetime_ms_max=self.config.transaction_lifetime_ms_max,
            transactions_max=self.config.transactions_max,
        )
        self.operations = OperationMetrics()
        self.slow_operations = SlowOperations()
        self.cursors = CursorRegistry(idle_ms_max=self.config.cursor_idle_ms_max, cursors_max=self.config.cursors_max)

        writes = WriteCommands(storage)
        self.insert = writes.insert
        self.update = writes.update
        self.delete = writes.delete
        self.find_and_modify = writes.find_and_modify

        queries = QueryCommands(storage, lambda: self.cursors.sessions() | self._open_transactions.sessions())
        self.find = queries.find
        self.aggregate = queries.aggregate
        self.count = queries.count
        self.distinct = queries.distinct

        explain = Explain(storage)
        self.explain_find = explain.explain_find
        self.explain_aggregate = explain.explain_aggregate
        self.explain_update = explain.explain_update
        self.explain_delete = explain.explain_delete

        schema = SchemaCommands(storage)
        self.create_collection = schema.create_collection
        self.drop_collection = schema.drop_collection
        self.drop_database = schema.drop_database
        self.rename_collection = schema.rename_collection
        self.modify_collection = schema.modify_collection
        self.create_indexes = schema.create_indexes
        self.drop_indexes = schema.drop_indexes
        self.list_collections = schema.list_collections
        self.list_indexes = schema.list_indexes
        self.list_databases = schema.list_databases

        statistics = Statistics(storage)
        self.collection_stats = statistics.collection_stats
        self.database_stats = statistics.database_stats
        self.validate_collection = statistics.validate_collection

        transactions = TransactionCommands(storage, self._open_transactions)
        self.begin_transaction = transactions.begin_transaction
        self.transaction = transactions.transaction
        self.commit_transaction = transactions.commit_transaction
        self.abort_transaction = transactions.abort_transaction

        self.users = Users(storage)
        self.cluster_time = storage.cluster_time
        self._maintenance = Maintenance(
            [
                Task("oplog", _OPLOG_TRIM_SECONDS, self.trim_oplog),
                Task("log", _LOG_SECONDS, lambda: storage.store.bound_log(_LOG_BYTES_MAX)),
                Task("sessions", _SESSIONS_SECONDS, self._expire),
                Task("ttl", TTL_INTERVAL_SECONDS, self.delete_expired),
                Task("retryable writes", _FORGET_SECONDS, self._forget_executed),
            ],
            lambda name, error: _logger.error("maintenance task %r failed: %s", name, error),
        )

    @property
    def is_volatile(self) -> bool:
        """Whether nothing outlives `close`."""
        return self.path == MEMORY_PATH

    def observe(self, observer: OpObserver) -> None:
        """Report every change of the wanted namespaces to `observer` from now on, in the change's own transaction."""
        self.storage.observers = (*self.storage.observers, observer)

    def stop_observing(self, observer: OpObserver) -> None:
        """Report nothing more to `observer`."""
        self.storage.observers = tuple(each for each in self.storage.observers if each is not observer)

    def end_sessions(self, lsids: Iterable[bytes]) -> None:
        """Abort the sessions' transactions and drop their cursors."""
        for lsid in lsids:
            self._open_transactions.end_session(lsid)
            self.cursors.kill_of_session(lsid)

    def open_transactions(self) -> int:
        """How many multi-document transactions are open."""
        return self._open_transactions.count()

    def trim_oplog(self) -> int:
        """Remove the oldest oplog entries beyond the configured size; return how many."""
        bytes_max = self.config.oplog_bytes_max
        with self.storage.read() as view:
            if not oplog.is_beyond(view, bytes_max):
                return 0

        def job(view: WriteView) -> int:
            return oplog.trim(view, bytes_max=bytes_max, keep_from=oplog.pinned_from(view))

        return self.storage.store.write(job, durable=False)

    def delete_expired(self) -> None:
        """Delete what TTL indexes say has expired."""

        def delete(entry: CatalogEntry, statement: DeleteStatement) -> None:
            context = OperationContext(durability=Durability.RELAXED)
            self.delete(entry.namespace, [statement], ordered=True, ctx=context)

        with self.storage.catalogue() as (view, catalog):
            entries = list(catalog.snapshot(view).collections.values())
        run_ttl(entries, delete, datetime.datetime.now(datetime.UTC).replace(tzinfo=None))

    def compact(self, namespace: Namespace, *, dry_run: bool, target_bytes: int) -> int:
        """Rewrite the database's file without its free pages, if they have at least `target_bytes`; return the bytes freed.

        The file is one for all collections. `dry_run`: only return how many would be freed at least (manual: compact).
        Raises `NamespaceNotFoundError`, `CommandNotSupportedOnViewError`, `OutOfDiskSpaceError`.
        """
        with self.storage.catalogue() as (view, catalog):
            entry = catalog.snapshot(view).get(namespace)
        if entry is None:
            raise NamespaceNotFoundError("collection does not exist")
        if "viewOn" in entry.options:
            raise CommandNotSupportedOnViewError("can't compact a view")
        directory = self.storage.store.directory
        reclaimable = compaction.reclaimable_bytes(directory)
        if dry_run:
            return reclaimable
        return compaction.compact(directory).bytes_freed if reclaimable >= target_bytes else 0

    def close(self) -> None:
        """Abort what is open, flush everything and close the files. Idempotent."""
        self._maintenance.close()
        self.cursors.close()
        self._open_transactions.close()
        self.storage.close()

    def _expire(self) -> None:
        self._open_transactions.abort_expired()
        self.cursors.drop_idle()

    def _forget_executed(self) -> None:
        idle_ms = self.config.session_idle_ms_max
        self.storage.store.write(lambda view: forget_executed(view, before_ms=view.wall_ms - idle_ms), durable=False)
