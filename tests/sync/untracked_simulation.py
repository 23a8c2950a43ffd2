"""A simulated edge whose dirty set gets full: bases are given up, or documents are written untracked, and compared later."""

from protocol_simulation import Edge
from simulated_hub import DOCS, Content

from skerry.sync.protocol.document_state import Position, Shadow, State
from skerry.sync.selection import COMPARING, FULL

ON_THEIR_WAY = (State.INFLIGHT, State.AWAIT)


class FullEdge(Edge):
    """`untracked` and `pending` are on disk: they change together, so that nothing is compared only in part."""

    compares = True
    """What was not tracked is compared with the hub; without, it is only tracked again."""
    begins_anew = True
    """A collection that got full again while it was compared is compared from its beginning; without, from where it was."""
    settles_at_once = False
    """Whether echoes settle what no noted write has overtaken, as where every write is noted."""
    untracked: str | None = None
    pending: tuple[str, ...] = ()
    unnoted: frozenset[str] = frozenset()  # on their way, and overtaken by a write that was not noted

    def spill(self) -> None:
        self.spilled |= {doc for doc, shadow in self.disk.shadows.items() if shadow.state is not State.CLEAN}

    def write(self, doc: str, content: Content, stamp: int) -> None:
        disk, before = self.disk, self.disk.local[doc]
        shadow = disk.shadows.get(doc)
        is_first_since = shadow is not None and shadow.state in ON_THEIR_WAY and before.hash == shadow.pushed
        if self.untracked != FULL:
            super().write(doc, content, stamp)
            if is_first_since:
                self.unnoted -= {doc}
        elif content != before.content:
            if is_first_since:
                self.unnoted |= {doc}
            self.set_local(doc, self.oracle.make(content, before, stamp=stamp))
            self.note_return(doc)

    def note_return(self, doc: str) -> None:
        """Tell the oracle that a document is again what both sides have agreed on: nothing was changed."""
        shadow, here = self.disk.shadows.get(doc), self.disk.local[doc]
        if shadow is None or shadow.state not in ON_THEIR_WAY:
            base = None if shadow is None else shadow.base
            if here.hash == base:
                self.oracle.equate(self.disk.bases.get(doc, self.oracle.versions[0]), here)

    def stop_tracking(self) -> None:
        """What waits becomes clean, with the base it had; what is written from now on is not noted."""
        disk = self.disk
        for doc, shadow in list(disk.shadows.items()):
            self.note_return(doc)
            if shadow.state is State.DIRTY:
                disk.shadows.pop(doc)
                if shadow.base is not None:
                    disk.shadows[doc] = shadow._replace(state=State.CLEAN)
        self.spilled |= disk.shadows.keys()
        self.untracked, self.trusts_absence = FULL, True

    def track_again(self) -> None:
        """Capture again, and plan to compare every document."""
        if self.untracked == FULL:
            self.untracked = COMPARING
            self.pending = DOCS if self.begins_anew or not self.pending else self.pending

    def compare(self, count: int) -> None:
        """Compare the next documents with the hub, and remember how far that has come."""
        if not self.pending or self.threads or not self.resolve_batches():
            return
        self.disk.ahead_all = self.floor = self.hub.time
        for doc in self.pending[:count]:
            if self.compares:
                self.read(doc)
        self.pending = self.pending[count:]
        self.note_compared()

    def note_compared(self) -> None:
        if not self.pending and self.untracked == COMPARING:
            self.untracked, self.trusts_absence = None, False

    def lose_history(self) -> None:
        if not self.threads and self.resolve_batches():
            super().lose_history()
            self.pending = ()
            self.note_compared()

    def settle(self, doc: str, shadow: Shadow, position: Position) -> None:
        super().settle(doc, shadow, position)
        self.note_settled(doc)

    def settle_at_once(self, doc: str, shadow: Shadow, position: Position) -> None:
        super().settle_at_once(doc, shadow, position)
        self.note_settled(doc)

    def note_settled(self, doc: str) -> None:
        if doc in self.unnoted:
            self.spilled.add(doc)
            self.unnoted -= {doc}
