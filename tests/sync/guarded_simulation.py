"""A simulated hub without transactions, and an edge that writes to it document by document, each under a guard.

The hub knows nothing of edges: a write takes effect if the document still has the content that was read before. Answers get
lost, and the writes that had not been done by then are done later, or never.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from protocol_simulation import Edge
from simulated_hub import DOCS, Event, Hub, Oracle, Version

from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import Shadow, State
from skerry.sync.protocol.event_grouping import Attribution
from skerry.sync.protocol.push_batch import HubStep, compare_with_base
from skerry.sync.shadow import IN_DOUBT_MAX


@dataclass(frozen=True)
class Guarded:
    """One write as it was sent: it is to take the place of the version that was read."""

    doc: str
    read: Version
    ours: Version


class GuardedHub(Hub):
    """`late` are writes that nobody waits for any more; `doubted` the versions that took effect without their writer knowing."""

    def __init__(self, oracle: Oracle, now: Callable[[], int]) -> None:
        super().__init__(oracle)
        self.now = now
        self.late: list[Guarded] = []
        self.doubted: set[int] = set()

    def read(self, doc: str) -> Version:
        """Nobody knows when it was written: it is taken to have been just now."""
        return replace(self.docs[doc], stamp=self.now())

    def write(self, sent: Guarded, *, compares: bool = True) -> bool:
        """Write if nothing has come between; false if something has. The hub's own clock says when it was."""
        there, ours = self.docs[sent.doc], sent.ours
        if compares and there.hash != sent.read.hash:
            return False
        assert ours.id not in there.ancestors or ours.id in self.doubted, "a push undid what it had seen (S3)"
        if there.hash == sent.read.hash:
            self.oracle.equate(there, sent.read)
        self.time += 1
        self.docs[sent.doc] = written = replace(ours, stamp=self.now())
        self.log.append(Event(self.time, sent.doc, written))
        return True

    def write_late(self, *, takes_effect: bool) -> None:
        sent = self.late.pop(0)
        if takes_effect:
            self.doubted.add(sent.ours.id)
            self.write(sent)


class LostAnswer(Enum):
    """What an edge makes of a batch whose answer was lost."""

    READ_BACK = "read back"
    YES = "yes"
    NO = "no"


class GuardedEdge(Edge):
    """`sending` is in memory: the writes of the present batch that are still to be done, None when no answer is waited for."""

    hub: GuardedHub
    compares = True
    remembers = True
    """What was pushed without a clear outcome is recognised when it comes back, or in what somebody made of it."""
    lost_answer = LostAnswer.READ_BACK
    has_streams = True
    sending: list[Guarded] | None = None
    is_complete = True
    """Whether all writes of the batch so far have found what was read."""
    taken: frozenset[str] = frozenset()  # of the batch, what the hub had already
    done: frozenset[str] = frozenset()  # of the batch, what has taken effect

    sent = False

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # on disk: by document, a base, what was pushed from it, and after which time
        self.doubts: dict[str, tuple[bytes | None, list[Version], int]] = {}

    def in_doubt(self, doc: str) -> list[Version]:
        shadow = self.disk.shadows.get(doc)
        if shadow is None or shadow.state is not State.DIRTY:
            return []
        base, pushed, _ = self.doubts.get(doc, (None, [], 0))
        return pushed if base == shadow.base else []

    def doubt(self, doc: str, ours: Version) -> None:
        """The hub may have had this version, or may get it yet."""
        shadow = self.disk.shadows[doc]
        before = [each for each in self.in_doubt(doc) if each.hash != ours.hash]
        if self.remembers:
            self.doubts[doc] = (shadow.base, [*before, ours][-IN_DOUBT_MAX:], self.disk.ahead_all)

    def set_shadow(self, doc: str, shadow: Shadow | None) -> None:
        super().set_shadow(doc, shadow)
        if shadow is None or shadow.state is State.CLEAN:
            self.doubts.pop(doc, None)

    def is_ours(self, event: Event) -> bool:
        """Whether an event brings a version of ours, and none from before it that was the same."""
        _, _, since = self.doubts.get(event.doc, (None, [], 0))
        if event.version is None or event.time <= max(since, self.told_until):
            return False
        return event.version.hash in {each.hash for each in self.in_doubt(event.doc)}

    def pull(self, count: int) -> None:
        self.told_until = self.disk.high.time
        super().pull(count)

    def without_superseded(self, news: list[tuple[Event, Attribution]]) -> list[tuple[Event, Attribution]]:
        """Leave out what comes before a version of ours: that was compared with it."""
        last = {event.doc: n for n, (event, _) in enumerate(news) if self.is_ours(event)}
        return [each for n, each in enumerate(news) if n >= last.get(each[0].doc, 0)]

    def versions_of(self, news: list[tuple[Event, Attribution]]) -> list[Version | None]:
        found = super().versions_of(news)
        return [event.version if self.is_ours(event) else version for (event, _), version in zip(news, found)]

    def begin_push(self, size: int = len(DOCS)) -> None:
        if not self.disk.batches:
            super().begin_push(size)

    def look(self) -> None:
        """Read what the hub has of the documents of the batch, and decide what is to be written."""
        disk = self.disk
        if not self.threads or self.sent:
            return
        self.sent, self.sending, self.is_complete = True, [], True
        for doc, shadow in disk.shadows.items():
            if shadow.state is not State.INFLIGHT:
                continue
            there, ours = self.hub.docs[doc], disk.carried[doc]
            step = compare_with_base(shadow.base, shadow.pushed, there.hash)
            if step is HubStep.ALREADY:
                self.oracle.equate(there, ours)
                self.taken |= {doc}
            elif step is HubStep.WRITE or not self.compares:
                if step is HubStep.WRITE:
                    self.oracle.equate(there, disk.bases[doc])
                self.sending.append(Guarded(doc, there, ours))
            else:
                self.left.add(doc)

    def write_next(self) -> None:
        """Have the hub do the next write of the batch."""
        if self.sending:
            sent = self.sending.pop(0)
            if self.hub.write(sent, compares=self.compares):
                self.done |= {sent.doc}
            else:
                self.is_complete = False

    def hear(self, *, is_lost: bool, goes_on: bool) -> None:
        """The answer comes, or is lost: then what has not been done is done later, if it `goes_on`."""
        if self.sending is None:
            return
        if is_lost:
            self.hub.late += self.sending if goes_on else []
            self.sending = None
            self.threads.clear()
            return
        while self.sending:
            self.write_next()
        self.sending = None
        taken = self.taken | (self.done if self.is_complete else self.read_back())
        self.take_in(taken, {*DOCS} - taken if self.done and not self.is_complete else set())

    def read_back(self) -> set[str]:
        """Return which documents of the batch the hub has as they were sent."""
        found = set()
        for doc, shadow in self.disk.shadows.items():
            if shadow.state is State.INFLIGHT and self.hub.docs[doc].hash == shadow.pushed:
                self.oracle.equate(self.hub.docs[doc], self.disk.carried[doc])
                found.add(doc)
        return found

    def take_in(self, taken: AbstractSet[str], in_doubt: AbstractSet[str]) -> None:
        """What the hub has taken is the base at once; events up to now are answered with look-ups."""
        disk = self.disk
        for doc, shadow in list(disk.shadows.items()):
            if shadow.state is State.INFLIGHT and doc in taken:
                self.settle(doc, states.acknowledged(shadow), shadow.position)
            elif shadow.state is State.INFLIGHT:
                if self.lost_answer is LostAnswer.READ_BACK and doc in self.done:  # and overwritten before it was seen
                    self.hub.doubted.add(disk.carried[doc].id)
                ours = disk.carried[doc]
                self.set_shadow(doc, states.not_written(shadow))
                if doc in in_doubt:
                    self.doubt(doc, ours)
        disk.batches.clear()
        self.threads.clear()
        self.sent = False
        self.taken = self.done = frozenset()
        disk.ahead_all = self.floor = self.hub.time

    def resolve_batches(self) -> bool:
        """Settle a batch whose answer was lost; false while its answer is waited for."""
        if not self.disk.batches:
            return True
        if self.threads:
            return False
        if self.lost_answer is LostAnswer.READ_BACK:
            self.take_in(self.read_back(), {*DOCS})
        else:
            self.take_in({*DOCS} if self.lost_answer is LostAnswer.YES else set(), set())
        return True

    def look_at_left(self) -> None:
        """Without a stream nothing else will bring them."""
        for doc in () if self.has_streams else self.left:
            self.read(doc)
        self.left.clear()

    def poll(self, doc: str) -> None:
        """Compare one document, as a walk does that has come to it."""
        if self.resolve_batches():
            self.look_at_left()
            self.read(doc)
            self.disk.ahead_all = self.floor = self.hub.time

    def set_local(self, doc: str, version: Version) -> None:
        if version.id in self.hub.doubted:
            self.seen[doc].discard(version.id)
        super().set_local(doc, version)

    def crash(self) -> None:
        super().crash()
        self.sending, self.sent = None, False
