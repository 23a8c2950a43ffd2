"""What the parts of one link share: its place in the store, its identity, its hub, and the lock that orders push and pull."""

from collections.abc import Callable
from typing import TypeVar

from skerry.config.sync_config import Direction, SyncConfig
from skerry.engine.engine import Engine
from skerry.engine.operation_context import Durability, OperationContext
from skerry.storage import ReadView, WriteView
from skerry.sync import link_records, resume_tokens, selection_override
from skerry.sync.conflict_log import ConflictLog
from skerry.sync.conflict_rules import ConflictRules
from skerry.sync.dead_letters import DeadLetters
from skerry.sync.fair_lock import FairLock
from skerry.sync.hub import Hub
from skerry.sync.origin import Identity
from skerry.sync.selection import Selection
from skerry.sync.shadow import Shadows
from skerry.sync.sync_metrics import SyncMetrics
from skerry.values.namespace import Namespace

T = TypeVar("T")


class Link:
    """One edge's link to its hub. `lock` is held while a batch is on its way and while events are applied, never longer."""

    def __init__(self, engine: Engine, config: SyncConfig) -> None:
        self.engine = engine
        self.config = config
        self.name = config.link_name
        self.storage = engine.storage
        self.hub = Hub(config.hub_uri)
        self.shadows = Shadows(self.name)
        self.conflicts = ConflictLog(self.name)
        self.dead_letters = DeadLetters(self.name)
        self.metrics = SyncMetrics()
        self.rules = ConflictRules(config)
        self.clock_offset_ms = 0
        self.on_dirty: Callable[[], None] | None = None
        """Called after a commit that left something to push which no local write did."""
        self.lock = FairLock()
        self.selection = Selection(config.rules)
        self.identity = Identity.new()

    def register(self) -> list[Namespace]:
        """Store the selection, from when on every process captures, and take up the identity; return what no longer travels."""

        def job(view: WriteView) -> list[Namespace]:
            stored = resume_tokens.selection_of(view, self.name)
            frozen = {} if stored is None else stored.frozen
            rules = selection_override.load(view, self.name).applied_to(self.config.rules)
            self.selection = Selection(rules, frozen)
            if stored != self.selection:
                link_records.save(view, self.name, link_records.SELECTION, self.selection.to_document())
                self.storage.catalog.renew(view)
            self.rules.save(view, self.name)
            identity = Identity.load(view, self.name)
            if identity is None:
                self.identity.save(view, self.name)
            else:
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

        return self.write(job, durable=True)

    def freeze(self, view: WriteView, namespace: Namespace, reason: str) -> None:
        """Stop a collection both ways until an operator decides: applying the hub's drop would destroy what was written here."""
        frozen = {**self.selection.frozen, str(namespace): reason}
        self._store_frozen(view, frozen)

    def thaw(self, view: WriteView, namespace: Namespace) -> None:
        """Let a frozen collection travel again."""
        self._store_frozen(view, {name: why for name, why in self.selection.frozen.items() if name != str(namespace)})

    def read(self, job: Callable[[ReadView], T]) -> T:
        """Run `job` in a read transaction."""
        with self.storage.read() as view:
            return job(view)

    def write(self, job: Callable[[WriteView], T], *, durable: bool = False) -> T:
        """Run `job` in one transaction of the store and wake whoever waits for changes."""
        durability = Durability.FSYNCED if durable else Durability.RELAXED
        return self.storage.write(job, OperationContext(durability=durability, origin=self.name))

    def _store_frozen(self, view: WriteView, frozen: dict[str, str]) -> None:
        self.selection = Selection(self.selection.rules, frozen)
        link_records.save(view, self.name, link_records.SELECTION, self.selection.to_document())
        self.storage.catalog.renew(view)
