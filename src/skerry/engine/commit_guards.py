"""The fence at the commit: a transaction that ran under a lease applies only while the lease is still its own.

The check runs in the very transaction of the store that applies the writes, so nothing can come between the two. A lease that
has expired without passing on is still good: nobody else can have begun.
"""

from skerry.catalog import leases, modification_history
from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.catalog.index_records import COORDINATED, CommitGuard
from skerry.engine import oplog
from skerry.engine.oplog import OplogBuffer
from skerry.errors import CoordinationTimeoutError, ModificationConflictError
from skerry.storage import WriteView
from skerry.values.namespace import Namespace


def check(view: WriteView, catalog: CollectionCatalog, db: str, guard: CommitGuard) -> None:
    """Raise `CoordinationTimeoutError` when the lease has passed on, `ModificationConflictError` for another token."""
    lease = leases.read(view, db, guard.name)
    if lease is None or lease.owner != guard.owner or lease.fencing_number != guard.fencing_number:
        raise CoordinationTimeoutError(
            guard.operation, guard.timeout_ms, "its lease has passed on; nothing was written"
        )
    if not guard.checks_token:
        return
    metadata = catalog.metadata(view, Namespace(db, guard.name))
    token = None if metadata is None else metadata.modification_token
    if token != guard.expected_token:
        reason = "another write was committed while the operation ran"
        raise ModificationConflictError(guard.name, guard.expected_token, token, reason)


def sign(view: WriteView, catalog: CollectionCatalog, db: str, guard: CommitGuard, log: OplogBuffer) -> None:
    """Give the collection the operation's token, remember the operation, and give its lease back.

    The collection is created where needed. Raises `NamespaceNotFoundError` where it may not be.
    """
    namespace = Namespace(db, guard.name)
    entry = catalog.snapshot(view).get(namespace)
    if entry is None:
        catalog.check_auto_create(namespace)
        entry = catalog.create(view, namespace, {})
        log.add_command(oplog.CREATE, namespace, {"uuid": entry.uuid})
    catalog.describe(view, entry.file_id, token=guard.new_token, last_modified_ms=view.wall_ms)
    modification_history.record(view, entry.file_id, COORDINATED, guard.history_data())
    leases.release(view, db, guard.name, guard.owner)
