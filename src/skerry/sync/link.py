"""What the parts of one link share: its place in the store, its identity, its hub, and the lock that orders push and pull."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from skerry.config.sync_config import Atomicity, Direction, SyncConfig
from skerry.engine.engine import Engine
from skerry.engine.operation_context import Durability, OperationContext
from skerry.storage import ReadView, WriteView
from skerry.sync import link_log, link_records, resume_tokens, selection_override
from skerry.sync.conflict_log import ConflictLog
from skerry.sync.conflict_rules import ConflictRules
from skerry.sync.dead_letters import DeadLetters
from skerry.sync.fair_lock import FairLock
from skerry.sync.hub import Hub
from skerry.sync.origin import Identity
from skerry.sync.protocol.dirty_limits import DirtyLimits
from skerry.sync.protocol.hybrid_clock import stamp_at, stamp_of_cluster_time
from skerry.sync.push_sessions import PushSessions
from skerry.sync.selection import COMPARING, FULL, Selection
from skerry.sync.shadow import Shadows
from skerry.sync.sync_metrics import SyncMetrics
from skerry.sync.transaction_groups import TransactionGroups
from skerry.values.namespace import Namespace

T = TypeVar("T")


class LeftOut(NamedTuple):
    """A document left out of a push, to be read from the hub once the stream has come to cluster time `seen_at`."""

    id_value: Any
    seen_at: int


class Link:
    """One edge's link to its hub. `lock` is held while a batch is on its way and while events are applied, never longer."""

    def __init__(self, engine: Engine, config: SyncConfig) -> None:
        self.engine = engine
        self.config = config
        self.name = config.link_name
        self.storage = engine.storage
        self.hub = Hub(config.hub_uri, config.hub_password)
        self.push_sessions = PushSessions(self.hub, config.batches_in_flight)
        self.shadows = Shadows(self.name, config.atomicity)
        self.conflicts = ConflictLog(self.name)
        self.dead_letters = DeadLetters(self.name)
        self.metrics = SyncMetrics()
        self.rules = ConflictRules(config)
        self.limits = DirtyLimits(
            config.dirty_documents_max, config.dirty_bytes_max, config.dirty_age_ms_max, config.on_full
        )
        self.clock_offset_ms = 0
        self.left_out: dict[tuple[Namespace, bytes], LeftOut] = {}
        self.on_dirty: Callable[[], None] | None = None
        """Called after a commit that left something to push which no local write did."""
        self.lock = FairLock()
        self.selection = Selection(config.rules)
        self.selection.check_filters()
        self.identity = Identity.new()
        self._seen_version: object = None

    def register(self) -> list[Namespace]:
        """Store the selection, from when on every process captures, and take up the identity; return what no longer travels."""
        return self.write(self.take_up, durable=True)

    def take_up(self, view: WriteView) -> list[Namespace]:
        """Do what `register` does, in the transaction of `view`."""
        stored = resume_tokens.selection_of(view, self.name)
        frozen = {} if stored is None else stored.frozen
        rules = selection_override.load(view, self.name).applied_to(self.config.rules)
        version = 0 if stored is None else stored.version
        untracked = {} if stored is None else stored.untracked
        self.selection = Selection(rules, frozen, version, untracked)
        if stored != self.selection:
            self._store(view, self.selection)
        limits = self.limits.to_document()
        if (link_records.load(view, self.name, link_records.LIMITS) or DirtyLimits().to_document()) != limits:
            link_records.save(view, self.name, link_records.LIMITS, limits)
            self.storage.catalog.renew(view)
        self._register_atomicity(view)
        self.rules.save(view, self.name)
        identity = Identity.load(view, self.name)
        if identity is None:
            # Never the one in memory: the link may have been forgotten since, and with it which batch is the next.
            identity = Identity.new()
            identity.save(view, self.name)
        self.identity = identity
        if stored is None or stored.rules == self.selection.rules:
            return []
        known = self.shadows.namespaces(view)
        for namespace in known:
            if self.selection.direction(namespace) is Direction.PULL:
                self.shadows.remove_unclean(view, namespace)
        none = [each for each in known if self.selection.direction(each) is Direction.NONE]
        for namespace in none:
            self.shadows.remove_namespace(view, namespace)
        return none

    def _register_atomicity(self, view: WriteView) -> None:
        """Store what is pushed together, for every process that captures; groups of before are forgotten where nobody asks."""
        stored = link_records.load(view, self.name, link_records.ATOMICITY) or {"atomicity": Atomicity.PER_DOCUMENT}
        if stored["atomicity"] == self.config.atomicity:
            return
        if self.config.atomicity is Atomicity.PER_DOCUMENT:
            TransactionGroups(self.name).clear(view)
        link_records.save(view, self.name, link_records.ATOMICITY, {"atomicity": self.config.atomicity.value})
        self.storage.catalog.renew(view)

    def stamp_of_reading(self, cluster_time: int) -> int:
        """Return when a version that was read from the hub is taken to have been written: at the reading, which was then.

        A cluster time, 0 where there is none, tells the second only.
        """
        return max(stamp_of_cluster_time(cluster_time), stamp_at(int(time.time() * 1000) + self.clock_offset_ms))

    def freeze(self, view: WriteView, namespace: Namespace, reason: str) -> None:
        """Stop a collection both ways until an operator decides: applying the hub's drop would destroy what was written here."""
        frozen = {**self.selection.frozen, str(namespace): reason}
        self._store_frozen(view, frozen)
        view.after_commit.append(lambda: link_log.frozen(self.name, namespace, reason))

    def track_again(self, view: WriteView) -> list[Namespace]:
        """Capture again what was not tracked any more; return the collections that have to be compared."""
        stored = self._stored(view)
        full = [name for name, state in stored.untracked.items() if state == FULL]
        if full:
            self._store(view, replace(stored, untracked={**stored.untracked, **dict.fromkeys(full, COMPARING)}))
        return [Namespace.parse(name) for name in full]

    def compared(self, view: WriteView, namespace: Namespace) -> None:
        """Take note that a collection has been compared from beginning to end."""
        stored = self._stored(view)
        if stored.untracked.get(str(namespace)) == COMPARING:
            rest = {name: state for name, state in stored.untracked.items() if name != str(namespace)}
            self._store(view, replace(stored, untracked=rest))

    def thaw(self, view: WriteView, namespace: Namespace) -> None:
        """Let a frozen collection travel again."""
        self._store_frozen(view, {name: why for name, why in self.selection.frozen.items() if name != str(namespace)})
        view.after_commit.append(lambda: link_log.thawed(self.name, namespace))

    def read(self, job: Callable[[ReadView], T]) -> T:
        """Run `job` in a read transaction."""
        with self.storage.read() as view:
            return job(view)

    def write(self, job: Callable[[WriteView], T], *, durable: bool = False) -> T:
        """Run `job` in one transaction of the store and wake whoever waits for changes."""
        durability = Durability.FSYNCED if durable else Durability.RELAXED
        return self.storage.write(job, OperationContext(durability=durability, origin=self.name))

    def _store_frozen(self, view: WriteView, frozen: dict[str, str]) -> None:
        self._store(view, replace(self._stored(view), frozen=frozen))

    def refresh(self, view: ReadView) -> None:
        """Take up what another thread or process has changed of the selection: decisions are made in this transaction."""
        version = view.setting("catalog_version")
        if version != self._seen_version:
            self._seen_version = version
            self.selection = self._stored(view)

    def _stored(self, view: ReadView) -> Selection:
        """Return the selection as the store has it: other processes may have stopped tracking a collection."""
        return resume_tokens.selection_of(view, self.name) or self.selection

    def _store(self, view: WriteView, selection: Selection) -> None:
        self.selection = replace(selection, version=selection.version + 1)
        link_records.save(view, self.name, link_records.SELECTION, self.selection.to_document())
        self.storage.catalog.renew(view)
