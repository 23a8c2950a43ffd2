"""A simulated hub without transactions, and an edge that writes to it document by document, each under a guard.

The hub knows nothing of edges: a write takes effect if the document still has the content that was read before. Answers get
lost, and the writes that had not been done by then are done later, or never.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum

from protocol_simulation import Edge
from simulated_hub import DOCS, Event, Hub, Oracle, Version

from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import State
from skerry.sync.protocol.push_batch import HubStep, compare_with_base


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
    lost_answer = LostAnswer.READ_BACK
    has_streams = True
    sending: list[Guarded] | None = None
    is_complete = True
    """Whether all writes of the batch so far have found what was read."""
    taken: frozenset[str] = frozenset()  # of the batch, what the hub had already
    done: frozenset[str] = frozenset()  # of the batch, what has taken effect

    def look(self) -> None:
        """Read what the hub has of the documents of the batch, and decide what is to be written."""
        disk = self.disk
        if disk.batch is None or self.sent:
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
            return
        while self.sending:
            self.write_next()
        self.sending = None
        self.finish(self.taken | (self.done if self.is_complete else self.read_back()))

    def read_back(self) -> set[str]:
        """Return which documents of the batch the hub has as they were sent."""
        found = set()
        for doc, shadow in self.disk.shadows.items():
            if shadow.state is State.INFLIGHT and self.hub.docs[doc].hash == shadow.pushed:
                self.oracle.equate(self.hub.docs[doc], self.disk.carried[doc])
                found.add(doc)
        return found

    def finish(self, taken: AbstractSet[str]) -> None:
        """What the hub has taken is the base at once; events up to now are answered with look-ups."""
        disk = self.disk
        for doc, shadow in list(disk.shadows.items()):
            if shadow.state is State.INFLIGHT and doc in taken:
                self.settle(doc, states.acknowledged(shadow), shadow.position)
            elif shadow.state is State.INFLIGHT:
                if self.lost_answer is LostAnswer.READ_BACK and doc in self.done:  # and overwritten before it was seen
                    self.hub.doubted.add(disk.carried[doc].id)
                self.set_shadow(doc, states.not_written(shadow))
        disk.batch, self.sent = None, False
        self.taken = self.done = frozenset()
        disk.ahead_all = self.floor = self.hub.time

    def resolve_batch(self) -> bool:
        """Settle a batch whose answer was lost; false while its answer is waited for."""
        if self.disk.batch is None:
            return True
        if self.sending is not None:
            return False
        if self.lost_answer is LostAnswer.READ_BACK:
            self.finish(self.read_back())
        else:
            self.finish({*DOCS} if self.lost_answer is LostAnswer.YES else set())
        return True

    def look_at_left(self) -> None:
        """Without a stream nothing else will bring them."""
        for doc in () if self.has_streams else self.left:
            self.read(doc)
        self.left.clear()

    def poll(self, doc: str) -> None:
        """Compare one document, as a walk does that has come to it."""
        if self.resolve_batch():
            self.look_at_left()
            self.read(doc)
            self.disk.ahead_all = self.floor = self.hub.time

    def set_local(self, doc: str, version: Version) -> None:
        if version.id in self.hub.doubted:
            self.seen[doc].discard(version.id)
        super().set_local(doc, version)

    def crash(self) -> None:
        super().crash()
        self.sending = None
