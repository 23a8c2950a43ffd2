"""Two edges and a hub that follow the protocol's decisions step by step, and an oracle that knows the hidden causality.

Every version ever written carries the set of versions its writer had seen.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simulated_hub import DOCS, Content, Event, Hub, Oracle, Version

from skerry.config.sync_config import Granularity
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.coalesce import Keep, note_local_write
from skerry.sync.protocol.conflict_resolution import Rules, Stamps, resolve
from skerry.sync.protocol.document_state import BEGINNING, Position, Shadow, State
from skerry.sync.protocol.event_grouping import Attribution, BatchId, EventGrouping, Marker
from skerry.sync.protocol.push_batch import HubStep, compare_with_base
from skerry.sync.protocol.reconciliation import Action, decide, decide_read, within_scope

NO_RULES = Rules()


@dataclass
class Stored:
    """What an edge has on disk: survives a crash."""

    local: dict[str, Version]
    shadows: dict[str, Shadow] = field(default_factory=dict)
    bases: dict[str, Version] = field(default_factory=dict)
    carried: dict[str, Version] = field(default_factory=dict)  # by a batch, until its echo
    batch: BatchId | None = None
    numbers: int = 0
    cursor: int = 0
    grouping: EventGrouping = field(default_factory=EventGrouping)
    high: Position = BEGINNING
    ahead_all: int = 0


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


class Edge:
    def __init__(self, name: str, hub: Hub, oracle: Oracle, ablation: Ablation, rules: Rules = NO_RULES) -> None:
        self.name, self.hub, self.oracle, self.ablation, self.rules = name, hub, oracle, ablation, rules
        self.scope: Callable[[Content], bool] | None = None
        self.spilled: set[str] = set()  # documents whose base is not kept, only its hash
        self.trusts_absence = False  # what is missing here was deleted, even if that was not captured
        self.left: set[str] = set()  # left out of a push: their versions on the hub have to be read
        self.disk = Stored(dict.fromkeys(DOCS, oracle.versions[0]), bases=dict.fromkeys(DOCS, oracle.versions[0]))
        self.ack: set[str] | None = None  # in memory: what the hub said it wrote
        self.sent = False
        self.ahead: dict[str, int] = {}  # up to which time a document's events are answered with a look-up
        self.floor = 0  # the same for every document
        self.seen: dict[str, set[int]] = {doc: set() for doc in DOCS}

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

    def look_at_left(self) -> None:
        for doc in self.left if self.scope is not None else ():
            theirs, shadow = self.hub.read(doc), self.disk.shadows.get(doc)
            action = decide_read(shadow, local=self.disk.local[doc].hash, remote=theirs.hash)
            self.remote(doc, theirs, BEGINNING, action)
            self.disk.ahead_all = self.floor = self.hub.time
        self.left.clear()

    def read(self, doc: str) -> None:
        theirs, shadow = self.hub.read(doc), self.disk.shadows.get(doc)
        if theirs.hash == self.disk.local[doc].hash:
            self.oracle.equate(theirs, self.disk.local[doc])
        action = decide_read(
            shadow,
            local=self.disk.local[doc].hash,
            remote=theirs.hash,
            adds_up=self.rules.adds_up,
            trusts_absence=self.trusts_absence,
        )
        self.remote(doc, theirs, BEGINNING, action)

    def begin_push(self) -> None:
        disk = self.disk
        if disk.batch is not None:
            return
        dirty = [doc for doc, shadow in list(disk.shadows.items()) if shadow.state is State.DIRTY]
        dirty = [doc for doc in dirty if not self.is_as_base(doc)]
        if not dirty:
            return
        disk.numbers += 1
        disk.batch = BatchId(self.name, 1, disk.numbers)
        self.ack, self.sent = None, False
        for doc in dirty:
            self.set_shadow(doc, states.sent(disk.shadows[doc], disk.numbers, disk.local[doc].hash))
            disk.carried[doc] = disk.local[doc]

    def is_as_base(self, doc: str) -> bool:
        """Settle a dirty document that has come to be as the hub has it."""
        disk = self.disk
        shadow, here = disk.shadows[doc], disk.local[doc]
        if here.hash != shadow.base or not self.in_scope(here.content):
            return False
        self.oracle.equate(disk.bases[doc], here)
        self.set_shadow(doc, states.integrated(shadow.base, shadow.position, shadow.last_hlc))
        return True

    def send(self, outcome: str) -> None:
        disk, hub = self.disk, self.hub
        if disk.batch is None or self.sent:
            return
        self.sent = True
        writes: dict[str, Version] = {}
        named: set[str] = set()
        for doc, shadow in disk.shadows.items():
            if shadow.state is not State.INFLIGHT:
                continue
            there, ours = hub.docs[doc], disk.carried[doc]
            step = compare_with_base(shadow.base, shadow.pushed, there.hash, adds_up=self.rules.adds_up)
            if step is HubStep.LEAVE and self.ablation.compare:
                self.left.add(doc)
                continue
            named.add(doc)
            if step is HubStep.ALREADY:
                self.oracle.equate(there, ours)
            else:
                if step is HubStep.WRITE:
                    self.oracle.equate(there, disk.bases[doc])
                writes[doc] = ours
        marker = Marker(disk.batch, {(doc, b""): disk.carried[doc].stamp for doc in named})
        if outcome == "late":
            hub.pending[disk.batch] = (marker, writes, dict(hub.docs))
        elif outcome != "never":
            hub.commit(marker, writes)
            self.ack = named if outcome == "ok" else None

    def acknowledge(self, named: set[str]) -> None:
        disk = self.disk
        for doc, shadow in list(disk.shadows.items()):
            if shadow.state is State.INFLIGHT:
                left = states.not_written(shadow)
                if self.ablation.ack_time and doc in named:
                    self.settle(doc, shadow, Position(self.hub.time, 1 << 31))
                elif not (self.ablation.marker and self.ablation.await_echo) and doc in named:
                    self.settle(doc, shadow, shadow.position)
                else:
                    self.set_shadow(doc, states.acknowledged(shadow) if doc in named else left)
        disk.batch, self.ack, self.sent = None, None, False

    def resolve_batch(self) -> bool:
        """Acknowledge or fence; false while the transaction is still open on the hub."""
        batch = self.disk.batch
        if batch is None:
            return True
        if self.ack is not None:
            self.acknowledge(self.ack)
        elif not self.ablation.ledger:
            self.acknowledge(set())
        elif batch in self.hub.pending and self.ablation.fence:
            return False
        elif not self.ablation.fence:
            found = self.hub.markers.get(batch)
            self.acknowledge(set() if found is None else {doc for doc, _ in found.stamps})
        else:
            marker = self.hub.markers.setdefault(batch, Marker(batch, is_fence=True))
            self.acknowledge({doc for doc, _ in marker.stamps})
        return True

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

    def pull(self, count: int) -> None:
        if not self.resolve_batch():
            return
        self.look_at_left()
        disk, hub = self.disk, self.hub
        news: list[tuple[Event, Attribution]] = []
        for event in hub.log[disk.cursor : disk.cursor + count]:
            found = disk.grouping.take(event.time, event.key, event.marker)
            disk.cursor += 1
            if found.position > disk.high:
                news.append((event, found))
                disk.high = found.position
        versions = self.versions_of(news)
        for (event, _), version in zip(news, versions):
            if event.doc and version is None:
                self.ahead[event.doc] = disk.ahead_all = hub.time
        for (event, found), version in zip(news, versions):
            is_own = found.marker is not None and found.marker.batch.edge == self.name
            is_own = is_own and self.ablation.marker and not self.ablation.ack_time
            if is_own:
                assert found.marker is not None
                for doc, shadow in list(disk.shadows.items()):
                    if shadow.state is State.AWAIT and shadow.batch == found.marker.batch.number:
                        self.settle(doc, shadow, found.position)
            elif event.doc:
                theirs = version or hub.docs[event.doc]
                shadow = disk.shadows.get(event.doc)
                here = disk.local[event.doc].hash
                action = decide(
                    shadow,
                    local=here,
                    remote=theirs.hash,
                    position=found.position,
                    adds_up=self.rules.adds_up,
                    trusts_absence=self.trusts_absence,
                )
                self.remote(event.doc, theirs, found.position, action)

    def versions_of(self, news: list[tuple[Event, Attribution]]) -> list[Version | None]:
        """Return the version that each event leads to, as far as that is known without a look-up."""
        known: dict[str, Version | None] = {}
        found: list[Version | None] = []
        for event, (_, marker, leads) in news:
            doc, version = event.doc, event.version
            is_own = marker is not None and marker.batch.edge == self.name
            if is_own and leads:
                known |= dict.fromkeys(self.named(event), None)
            elif doc and not (is_own and event.before is not None):
                if event.time <= self.ahead_of(doc) or known.get(doc, version) is None:
                    version = None
                elif event.before is not None:
                    start = known[doc] if doc in known else self.kept_base(doc)
                    version = None if start is None else event.follow(start)
                known[doc] = version
            found.append(version)
        return found

    def named(self, event: Event) -> list[str]:
        """Return the documents of a batch: what is known of them from before it does not lead to what comes after it."""
        return [] if event.marker is None else [doc for doc, _ in event.marker.stamps]

    def kept_base(self, doc: str) -> Version | None:
        """Return the base of a document that has been written here, as far as it is kept."""
        shadow, base = self.disk.shadows.get(doc), self.disk.bases[doc]
        is_kept = doc not in self.spilled and base.content is not None and shadow is not None
        return base if is_kept and shadow.state is State.DIRTY and base.hash == shadow.base else None

    def ahead_of(self, doc: str) -> int:
        return max(self.ahead.get(doc, 0), self.floor)

    def crash(self) -> None:
        self.disk = copy.deepcopy(self.disk)
        self.ack, self.sent, self.ahead, self.floor = None, True, {}, self.disk.ahead_all

    def rewind(self, steps: int) -> None:
        """The token is not found: start at a cluster time, where all events of that time come again."""
        disk = self.disk
        if disk.cursor:
            time = self.hub.log[max(0, disk.cursor - steps)].time
            disk.cursor = next(i for i, event in enumerate(self.hub.log) if event.time == time)
            disk.grouping.start_again()

    def lose_history(self) -> None:
        """The events are gone: take a new position, then compare every document by shadow, local and hub."""
        if not self.resolve_batch():
            return
        disk = self.disk
        disk.cursor, disk.grouping, disk.high = len(self.hub.log), EventGrouping(), BEGINNING
        position = BEGINNING  # every event up to now will be answered with a look-up, so none can be too old
        disk.ahead_all = self.floor = self.hub.time
        for doc in DOCS:
            shadow = disk.shadows.get(doc)
            if shadow is not None and shadow.state is State.AWAIT:
                self.settle(doc, shadow, position)
            theirs, shadow = self.hub.read(doc), disk.shadows.get(doc)
            if not self.ablation.walk:
                continue
            if not self.ablation.base_in_walk:
                shadow = shadow and shadow._replace(state=State.CLEAN, base=b"unknown")
            action = decide_read(
                shadow,
                local=disk.local[doc].hash,
                remote=theirs.hash,
                adds_up=self.rules.adds_up,
                trusts_absence=self.trusts_absence,
            )
            self.remote(doc, theirs, position, action)
