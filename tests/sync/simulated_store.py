"""What an edge of the simulation has in its store and in memory, and how versions get in there."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simulated_hub import DOCS, Content, Hub, Oracle, Version

from skerry.config.sync_config import Granularity
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.coalesce import Keep, note_local_write
from skerry.sync.protocol.conflict_resolution import Rules, Stamps, resolve
from skerry.sync.protocol.document_state import BEGINNING, Position, Shadow, State
from skerry.sync.protocol.event_grouping import BatchId, EventGrouping
from skerry.sync.protocol.reconciliation import Action, within_scope
from skerry.sync.protocol.three_way_diff import with_ours

NO_RULES = Rules()
SESSIONS = 2  # that the stream leaves out from the beginning; a third batch has one whose events come
BATCHES_MAX = 3


@dataclass
class Stored:
    """What an edge has on disk: survives a crash."""

    local: dict[str, Version]
    shadows: dict[str, Shadow] = field(default_factory=dict)
    bases: dict[str, Version] = field(default_factory=dict)
    carried: dict[str, Version] = field(default_factory=dict)  # by a batch, until its echo
    overtaken: set[str] = field(default_factory=set)  # in a batch, and written since: the version it carries is kept
    batches: dict[int, BatchId] = field(default_factory=dict)  # without an outcome
    numbers: int = 0
    cursor: int = 0
    grouping: EventGrouping = field(default_factory=EventGrouping)
    high: Position = BEGINNING
    ahead_all: int = 0


@dataclass
class Sending:
    """What a thread has in memory that pushes a batch; `named` is the hub's answer, `session` is None once it is of no use."""

    batch: BatchId
    items: dict[str, tuple[Shadow, Version]]
    session: bytes
    named: set[str] | None = None


@dataclass(frozen=True)
class Ablation:
    """The safeguards, each of which can be taken away."""

    marker: bool = True
    compare: bool = True
    base_in_walk: bool = True
    ledger: bool = True
    """An outcome that did not arrive is looked up on the hub; without, the documents are just pushed again."""
    fence: bool = True
    """The look-up keeps the batch from committing later."""
    await_echo: bool = True
    """What was pushed is the base when its echo comes; without, at the acknowledgement."""
    walk: bool = True
    """A lost history is made up for; without, the stream starts from now."""
    ack_time: bool = False
    """Instead of the marker, the time of the acknowledgement says which events are ours or older."""
    settles_own: bool = True
    """A batch that a thread is sending is settled by that thread alone."""
    alone: bool = True
    """Events are applied while no batch is being sent."""
    reads_may_change: bool = True
    """What a transaction has only read may be written by others before it commits, so its marker does not name that."""
    counts_on: bool = True
    """Events of a time that a stream begins at are taken for new; without, they are known by how many there were."""
    overtaken: bool = True
    """The echo of a whole batch settles at once only the documents that no local write has overtaken."""
    filters: bool = True
    """The stream leaves out what was written in sessions that were known when it was opened, but for markers."""


class SimulatedStore:
    settles_at_once = True

    def __init__(self, name: str, hub: Hub, oracle: Oracle, ablation: Ablation, rules: Rules = NO_RULES) -> None:
        self.name, self.hub, self.oracle, self.ablation, self.rules = name, hub, oracle, ablation, rules
        self.scope: Callable[[Content], bool] | None = None
        self.spilled: set[str] = set()  # documents whose base is not kept, only its hash
        self.trusts_absence = False  # what is missing here was deleted, even if that was not captured
        self.left: set[str] = set()  # left out of a push: their versions on the hub have to be read
        self.disk = Stored(dict.fromkeys(DOCS, oracle.versions[0]), bases=dict.fromkeys(DOCS, oracle.versions[0]))
        self.threads: dict[int, Sending] = {}
        self.idle: list[bytes] = []  # sessions
        self.left_out: frozenset[bytes] = frozenset()  # sessions whose events the stream does not bring
        self.open_stream()
        self.ahead: dict[str, int] = {}  # up to which time a document's events are answered with a look-up
        self.floor = 0  # the same for every document
        self.seen: dict[str, set[int]] = {doc: set() for doc in DOCS}

    def open_stream(self) -> None:
        used = [each.session for each in self.threads.values()]
        while len(self.idle) + len(used) < SESSIONS:
            self.idle.append(self.hub.new_session())
        self.left_out = frozenset([*self.idle, *used]) if self.ablation.filters else frozenset()

    def renew_session(self) -> None:
        """A session is of no use any more; the next batch has another."""
        del self.idle[:1]

    @property
    def is_sending(self) -> bool:
        """Whether a thread has the link's lock together with others; events have to wait."""
        return bool(self.threads) and self.ablation.alone

    def set_local(self, doc: str, version: Version) -> None:
        assert version.id not in self.seen[doc], f"{self.name} went back to a superseded {doc} (S4)"
        self.seen[doc] |= version.ancestors
        self.disk.local[doc] = version

    def set_shadow(self, doc: str, shadow: Shadow | None) -> None:
        disk = self.disk
        disk.shadows.pop(doc, None)
        if shadow is not None:
            disk.shadows[doc] = shadow
        if shadow is None or shadow.state is State.CLEAN:
            disk.bases[doc] = disk.local[doc]
            self.spilled.discard(doc)
        if shadow is None or shadow.state not in (State.INFLIGHT, State.AWAIT):
            disk.carried.pop(doc, None)
            disk.overtaken.discard(doc)

    def write(self, doc: str, content: Content, stamp: int) -> None:
        before, disk = self.disk.local[doc], self.disk
        shadow = disk.shadows.get(doc)
        if content == before.content or (shadow is None and not self.in_scope(content)):
            return
        noted = note_local_write(shadow, is_delete=content is None, order=stamp, stamp=stamp)
        last = noted.shadow.last_hlc if noted.shadow else stamp
        self.set_local(doc, self.oracle.make(content, before, stamp=last))
        if noted.keep is Keep.BASE and shadow is not None and before.hash != shadow.base:
            self.spilled.add(doc)
        if noted.keep is Keep.PUSHED and shadow is not None and before.hash == shadow.pushed:
            disk.overtaken.add(doc)
        if shadow is None and before.content is None:
            disk.bases[doc] = before
        if noted.shadow is None:  # created and deleted again before the hub heard of it
            self.oracle.equate(disk.bases[doc], disk.local[doc])
        self.set_shadow(doc, noted.shadow)

    def in_scope(self, content: Content) -> bool:
        return self.scope is None or content is None or self.scope(content)

    def evict_settled(self, doc: str) -> None:
        """A document that both sides agree on and that is out of scope goes from here; the hub keeps it."""
        shadow = self.disk.shadows.get(doc)
        if shadow is not None and shadow.state is State.CLEAN and not self.in_scope(self.disk.local[doc].content):
            self.disk.local[doc] = self.oracle.versions[0]
            self.set_shadow(doc, None)

    def settle_at_once(self, doc: str, shadow: Shadow, position: Position) -> None:
        base = self.disk.carried[doc]
        self.set_shadow(doc, states.integrated(shadow.pushed, position, shadow.last_hlc))
        self.disk.bases[doc] = base

    def settle(self, doc: str, shadow: Shadow, position: Position) -> None:
        base = self.disk.carried[doc]
        self.set_shadow(doc, states.settled(shadow, local=self.disk.local[doc].hash, position=position))
        self.disk.bases[doc] = base
        self.spilled.discard(doc)
        if base.hash == self.disk.local[doc].hash:
            self.oracle.equate(base, self.disk.local[doc])
        self.evict_settled(doc)

    def remote(self, doc: str, theirs: Version, position: Position, action: Action) -> None:
        disk = self.disk
        shadow, mine = disk.shadows.get(doc), disk.local[doc]
        if self.scope is not None:
            scopes = {"local_is_in": self.in_scope(mine.content), "remote_is_in": self.in_scope(theirs.content)}
            action = within_scope(action, shadow, **scopes)
        if action is Action.EVICT:
            if mine.hash == theirs.hash:
                self.oracle.equate(theirs, mine)
            disk.local[doc] = self.oracle.versions[0]
            self.set_shadow(doc, None)
        elif action is Action.ADVANCE:
            assert shadow is not None
            self.oracle.equate(theirs, disk.bases[doc])
            self.set_shadow(doc, states.advanced(shadow, position))
        elif action is Action.AGREE:
            self.oracle.equate(theirs, mine)
            self.set_shadow(doc, states.integrated(theirs.hash, position, theirs.stamp))
        elif action is Action.APPLY:
            self.set_local(doc, theirs)
            self.set_shadow(doc, states.integrated(theirs.hash, position, theirs.stamp))
        elif action in (Action.CAPTURE, Action.PUSH):
            if action is Action.CAPTURE:
                self.oracle.equate(theirs, disk.bases[doc])
            base = None if action is Action.PUSH else theirs.hash
            self.set_shadow(doc, states.rebased(None, base, position, order=mine.stamp, stamp=mine.stamp))
            disk.bases[doc] = self.oracle.versions[0] if action is Action.PUSH else theirs
            self.spilled.discard(doc)
        elif action is Action.ECHO:
            assert shadow is not None
            self.oracle.equate(theirs, next(each for each in self.in_doubt(doc) if each.hash == theirs.hash))
            self.set_shadow(doc, states.recognised(shadow, theirs.hash, position))
            disk.bases[doc] = theirs
            self.spilled.discard(doc)
        elif action is Action.MERGE and shadow is None:  # nobody knows the base: the hub's version stands, ours is kept
            self.oracle.logged |= {mine.id, theirs.id}
            self.set_local(doc, theirs)
            self.set_shadow(doc, states.integrated(theirs.hash, position, theirs.stamp))
        elif action is Action.MERGE:
            base = disk.bases.get(doc, self.oracle.versions[0])
            rules, known = self.rules, base.content
            assert shadow is not None
            if shadow.base is not None and (doc in self.spilled or base.hash != shadow.base):
                rules, known = replace(rules, granularity=Granularity.DOCUMENT, paths={}), None
            for each in self.in_doubt(doc) if theirs.content is not None and not rules.adds_up else ():
                known = known if each.content is None else with_ours(known, each.content, theirs.content)
            found = resolve(known, mine.content, theirs.content, Stamps(shadow.last_hlc, theirs.stamp), rules)
            if found.is_conflict:
                self.oracle.logged |= {mine.id, theirs.id}
            content = None if found.document is None else dict(found.document)
            if content == theirs.content:
                self.set_local(doc, theirs)
                self.set_shadow(doc, states.integrated(theirs.hash, position, theirs.stamp))
                if not found.is_conflict:
                    self.oracle.equate(self.oracle.make(content, mine, theirs), theirs)
            else:
                stamp = max(shadow.last_hlc, theirs.stamp) + 1
                self.set_local(doc, self.oracle.make(content, mine, theirs, stamp=stamp))
                self.set_shadow(doc, states.rebased(shadow, theirs.hash, position, order=stamp, stamp=stamp))
                disk.bases[doc] = theirs
                self.spilled.discard(doc)
            self.evict_settled(doc)

    def in_doubt(self, doc: str) -> list[Version]:
        """Return what was pushed from the document's base without a clear outcome: nothing where there are markers."""
        return []

    def kept_base(self, doc: str) -> Version | None:
        """Return the base of a document that has been written here, as far as it is kept."""
        shadow, base = self.disk.shadows.get(doc), self.disk.bases[doc]
        is_kept = doc not in self.spilled and base.content is not None and shadow is not None
        return base if is_kept and shadow.state is State.DIRTY and base.hash == shadow.base else None

    def ahead_of(self, doc: str) -> int:
        return max(self.ahead.get(doc, 0), self.floor)

    def is_as_base(self, doc: str) -> bool:
        """Settle a dirty document that has come to be as the hub has it."""
        disk = self.disk
        shadow, here = disk.shadows[doc], disk.local[doc]
        if here.hash != shadow.base:
            return False
        self.oracle.equate(disk.bases[doc], here)
        self.seen[doc].discard(disk.bases[doc].id)  # it is that version again, by intention
        self.set_shadow(doc, states.integrated(shadow.base, shadow.position, shadow.last_hlc))
        self.evict_settled(doc)
        return True
