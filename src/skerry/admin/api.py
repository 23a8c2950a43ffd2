"""What the routes share: the node, the tokens, the audit log, and the work they have started."""

import threading

from skerry.admin import monitor
from skerry.admin.audit_log import AuditLog
from skerry.admin.failure_limit import FailureLimit
from skerry.admin.full_sync_run import FullSyncRuns
from skerry.admin.responses import ApiError
from skerry.admin.running_node import RunningNode
from skerry.admin.sessions import Sessions
from skerry.admin.tokens import Tokens
from skerry.admin.verify_run import VerifyRuns
from skerry.sync.link import Link
from skerry.sync.replicator import Replicator
from skerry.sync.sync_health import LinkState


class Api:
    """One admin API of one node. `stopping` is set when the event streams have to end.

    `selection_lock` is held while the selection is changed. `dashboard_problem` says why there is no dashboard, None when there
    is one.
    """

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        self.dashboard_problem: str | None = "this node has no dashboard"
        self.tokens = Tokens(node.engine)
        self.audit = AuditLog(node.engine)
        self.sessions = Sessions()
        self.failures = FailureLimit()
        self.verifies = VerifyRuns()
        self.full_syncs = FullSyncRuns()
        self.stopping = threading.Event()
        self.selection_lock = threading.Lock()

    @property
    def replicator(self) -> Replicator:
        """The node's link. Raises `ApiError` 409 for a node without a hub."""
        replicator = self.node.replicator
        if replicator is None and self.node.sync_fault is not None:
            fault = monitor.of_wrong_setting(self.node.sync_fault)
            raise ApiError(409, "sync_not_configured", f"{fault.message}; {fault.advice}")
        if replicator is None:
            raise ApiError(409, "sync_not_configured", "this node has no hub: start it with --hub and --sync")
        return replicator

    @property
    def running(self) -> Replicator:
        """The node's link, running. Raises `ApiError` 409 otherwise."""
        replicator = self.replicator
        if replicator.status().state is LinkState.STOPPED:
            raise ApiError(409, "sync_stopped", "the link is stopped; start it first")
        return replicator

    @property
    def link(self) -> Link:
        """What the parts of the node's link share, also while it is stopped. Raises `ApiError` 409 for a node without a hub."""
        return self.replicator.link

    def close(self) -> None:
        """End what runs in the background."""
        self.stopping.set()
        self.verifies.stop()
