"""Two edges and a hub that follow the protocol's decisions step by step, and an oracle that knows the hidden causality.

Every version ever written carries the set of versions its writer had seen. An edge has threads that push, each a batch of its
own in a session of its own; what it applies, and what it makes of a batch without an answer, it does while none is on its way.
"""

import copy

from simulated_hub import DOCS, Event, Version
from simulated_store import Sending, SimulatedStore

from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.conflict_resolution import Rules
from skerry.sync.protocol.document_state import BEGINNING, Position, State
from skerry.sync.protocol.event_grouping import Attribution, BatchId, EventGrouping, Marker
from skerry.sync.protocol.push_batch import HubStep, compare_with_base
from skerry.sync.protocol.reconciliation import decide, decide_read

NO_RULES = Rules()
SESSIONS = 2  # that the stream leaves out from the beginning; a third batch has one whose events come
BATCHES_MAX = 3


class Edge(SimulatedStore):
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
