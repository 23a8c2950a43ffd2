"""Two edges and a hub that follow the protocol's decisions step by step, and an oracle that knows the hidden causality.

Every version ever written carries the set of versions its writer had seen. An edge has threads that push, each a batch of its
own in a session of its own; what it applies, and what it makes of a batch without an answer, it does while none is on its way.
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


class Edge:
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
            in_doubt={each.hash for each in self.in_doubt(doc)},
        )
        self.remote(doc, theirs, BEGINNING, action)

    def begin_push(self, size: int = len(DOCS)) -> None:
        """Have a thread begin to push a batch of the documents that wait longest."""
        disk = self.disk
        if len(self.threads) == BATCHES_MAX or not self.resolve_batches():
            return
        dirty = [doc for doc, shadow in list(disk.shadows.items()) if shadow.state is State.DIRTY]
        dirty = [doc for doc in dirty if not self.is_as_base(doc)]
        dirty.sort(key=lambda doc: disk.shadows[doc].first_write or 0)
        if not dirty:
            return
        disk.numbers += 1
        number, batch = disk.numbers, BatchId(self.name, 1, disk.numbers)
        disk.batches[number] = batch
        for doc in dirty[:size]:
            self.set_shadow(doc, states.sent(disk.shadows[doc], number, disk.local[doc].hash))
            disk.carried[doc] = disk.local[doc]
        items = {doc: (disk.shadows[doc], disk.local[doc]) for doc in dirty[:size]}
        session = self.idle.pop() if self.idle else self.hub.new_session()
        self.threads[number] = Sending(batch, items, session)

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

    def send(self, outcome: str, which: int = 0) -> None:
        """Have one of the threads open its transaction on the hub, and perhaps commit it."""
        hub = self.hub
        waiting = [n for n, each in self.threads.items() if each.named is None and each.batch not in hub.pending]
        if not waiting:
            return
        number = waiting[which % len(waiting)]
        sending = self.threads[number]
        batch = sending.batch
        if batch in hub.markers:  # a fence: somebody has settled it
            self.give_up(number)
            return
        named, writes = self.planned(sending)
        if not named:
            sending.named = named
            return
        stamps = {(doc, b""): version.stamp for doc, (_, version) in sending.items.items() if doc in named}
        hub.begin(Marker(batch, stamps), writes, sending.session)
        if outcome in ("ok", "ack lost"):
            hub.commit(batch)
            sending.named = named
        elif outcome == "never":
            del hub.pending[batch]
            self.finish(number, set())
        if outcome not in ("ok", "open"):
            self.give_up(number)

    def planned(self, sending: Sending) -> tuple[set[str], dict[str, Version]]:
        """Return the documents that the marker names, and what is written."""
        writes: dict[str, Version] = {}
        named: set[str] = set()
        for doc, (shadow, ours) in sending.items.items():
            there = self.hub.docs[doc]
            step = compare_with_base(
                shadow.base,
                shadow.pushed,
                there.hash,
                adds_up=self.rules.adds_up,
                in_transaction=self.ablation.reads_may_change,
            )
            if step is HubStep.LEAVE and self.ablation.compare:
                self.left.add(doc)
                continue
            named.add(doc)
            if step is HubStep.ALREADY:
                self.oracle.equate(there, ours)
            else:
                if step is HubStep.WRITE:
                    self.oracle.equate(there, self.disk.bases[doc])
                writes[doc] = ours
        return named, writes

    def give_up(self, number: int) -> None:
        """The thread has met an error: nobody sends the batch any more, and its session is not used again."""
        self.threads.pop(number)

    def commit_open(self, batch: BatchId) -> None:
        """The hub commits, or aborts, a transaction that was left open; a thread that waits for it hears of that."""
        waiting = next((each for each in self.threads.values() if each.batch == batch), None)
        named = self.hub.pending[batch].named
        if self.hub.commit(batch) and waiting is not None:
            waiting.named = named

    def receive(self, which: int = 0) -> None:
        """Have a thread that has the hub's answer take it in."""
        answered = [number for number, each in self.threads.items() if each.named is not None]
        if answered:
            number = answered[which % len(answered)]
            sending = self.threads.pop(number)
            self.idle.append(sending.session)
            assert sending.named is not None
            self.finish(number, sending.named)

    def finish(self, number: int, named: set[str]) -> None:
        """The outcome of a batch is known."""
        disk = self.disk
        for doc, shadow in list(disk.shadows.items()):
            if shadow.state is State.INFLIGHT and shadow.batch == number:
                left = states.not_written(shadow)
                if self.ablation.ack_time and doc in named:
                    self.settle(doc, shadow, Position(self.hub.time, 1 << 31))
                elif not (self.ablation.marker and self.ablation.await_echo) and doc in named:
                    self.settle(doc, shadow, shadow.position)
                else:
                    self.set_shadow(doc, states.acknowledged(shadow) if doc in named else left)
        disk.batches.pop(number, None)

    def resolve_batches(self) -> bool:
        """Acknowledge or fence the batches that nobody is sending; false while a transaction is still open on the hub."""
        for number, batch in list(self.disk.batches.items()):
            if number in self.threads and self.ablation.settles_own:
                continue
            if not self.ablation.ledger:
                self.finish(number, set())
            elif batch in self.hub.pending and self.ablation.fence:
                return False
            elif not self.ablation.fence:
                found = self.hub.markers.get(batch)
                self.finish(number, set() if found is None else {doc for doc, _ in found.stamps})
            else:
                marker = self.hub.markers.setdefault(batch, Marker(batch, is_fence=True))
                self.finish(number, {doc for doc, _ in marker.stamps})
        return True

    def settle_batch(self, marker: Marker, position: Position) -> None:
        """The echo of a batch has come: first what no local write has overtaken, without a look at the documents."""
        disk, number = self.disk, marker.batch.number
        echoed = [doc for doc, s in disk.shadows.items() if s.state is State.AWAIT and s.batch == number]
        for doc in echoed:
            shadow = disk.shadows[doc]
            is_overtaken = doc in disk.overtaken and self.ablation.overtaken
            if self.settles_at_once and self.scope is None and shadow.pushed is not None and not is_overtaken:
                self.settle_at_once(doc, shadow, position)
            elif (doc, b"") in marker.stamps:
                self.settle(doc, shadow, position)

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

    def pull(self, count: int) -> None:
        if self.is_sending or not self.resolve_batches():
            return
        self.look_at_left()
        disk, hub = self.disk, self.hub
        news: list[tuple[Event, Attribution]] = []
        for event in hub.log[disk.cursor : disk.cursor + count]:
            disk.cursor += 1
            if event.marker is None and event.key is not None and event.key[0] in self.left_out:
                continue
            found = disk.grouping.take(event.time, event.key, event.marker)
            if found.position > disk.high:
                news.append((event, found))
                disk.high = found.position
        news = self.without_superseded(news)
        versions = self.versions_of(news)
        for (event, _), version in zip(news, versions):
            if event.doc and version is None:
                self.ahead[event.doc] = disk.ahead_all = hub.time
        for (event, found), version in zip(news, versions):
            is_own = found.marker is not None and found.marker.batch.edge == self.name
            is_own = is_own and self.ablation.marker and not self.ablation.ack_time
            if is_own and found.leads:
                assert found.marker is not None
                self.settle_batch(found.marker, found.position)
            elif event.doc and not (is_own and event.before is not None):
                theirs = version or hub.docs[event.doc]
                self.take(event.doc, theirs, found.position, is_own=is_own)

    def without_superseded(self, news: list[tuple[Event, Attribution]]) -> list[tuple[Event, Attribution]]:
        return news

    def take(self, doc: str, theirs: Version, position: Position, *, is_own: bool) -> None:
        shadow = self.disk.shadows.get(doc)
        if is_own and shadow is not None and shadow.base == theirs.hash:
            return
        if not self.ablation.alone and shadow is not None and shadow.state is State.INFLIGHT:
            return
        action = decide(
            shadow,
            local=self.disk.local[doc].hash,
            remote=theirs.hash,
            position=position,
            adds_up=self.rules.adds_up,
            trusts_absence=self.trusts_absence,
            in_doubt={each.hash for each in self.in_doubt(doc)},
        )
        self.remote(doc, theirs, position, action)

    def in_doubt(self, doc: str) -> list[Version]:
        """Return what was pushed from the document's base without a clear outcome: nothing where there are markers."""
        return []

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
        self.ahead, self.floor = {}, self.disk.ahead_all
        self.threads.clear()
        self.idle.clear()
        self.open_stream()

    def rewind(self) -> None:
        """The token is not found: start at its cluster time, where all events of that time come again."""
        disk = self.disk
        if disk.high != BEGINNING:
            time = disk.high.time
            disk.cursor = next(i for i, event in enumerate(self.hub.log) if event.time >= time)
            disk.grouping.start_again(disk.high if self.ablation.counts_on else BEGINNING)
            disk.ahead_all = self.floor = max(self.floor, time)
            self.open_stream()

    def lose_history(self) -> None:
        """The events are gone: take a new position, then compare every document by shadow, local and hub."""
        if self.threads or not self.resolve_batches():
            return
        self.open_stream()
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
                in_doubt={each.hash for each in self.in_doubt(doc)},
            )
            self.remote(doc, theirs, position, action)
