"""The hub of the simulated protocol, and the oracle: every version ever written, with the set of versions its writer had seen."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from skerry.sync.protocol.document_state import content_hash
from skerry.sync.protocol.event_grouping import BatchId, Marker
from skerry.values import documents

Content = dict[str, Any] | None
DOCS = ("x", "y")


@dataclass(frozen=True)
class Version:
    id: int
    content: Content
    ancestors: frozenset[int]
    stamp: int = 0

    @cached_property
    def hash(self) -> bytes | None:
        return None if self.content is None else content_hash(documents.encode(self.content))


@dataclass
class Event:
    time: int
    doc: str
    version: Version | None  # None: a marker
    key: tuple[bytes, int] | None = None
    marker: Marker | None = None
    before: Version | None = None
    """Of an update, which tells only what it has changed."""

    def follow(self, start: Version) -> Version:
        """Return what the description of an update makes of a version."""
        assert self.before is not None
        assert self.version is not None
        old, new, found = self.before.content or {}, self.version.content, start.content
        assert new is not None
        assert found is not None
        kept = {name: value for name, value in found.items() if name in new or name not in old}
        made = {**kept, **{name: value for name, value in new.items() if name not in old or old[name] != value}}
        assert made == new, "a version that never was (S2)"
        return self.version


class Oracle:
    """Knows every version, which were seen to be the same, and which were put into a conflict log."""

    def __init__(self) -> None:
        self.versions: list[Version] = [Version(0, None, frozenset())]
        self.same: list[tuple[int, int]] = []
        self.logged: set[int] = set()

    def make(self, content: Content, *parents: Version, stamp: int = 0) -> Version:
        seen = frozenset(itertools.chain.from_iterable(p.ancestors | {p.id} for p in parents))
        self.versions.append(Version(len(self.versions), content, seen, stamp))
        return self.versions[-1]

    def equate(self, a: Version, b: Version) -> None:
        self.same.append((a.id, b.id))

    def lost(self, survivors: list[Version]) -> set[int]:
        covered: set[int] = set()
        todo = [v.id for v in survivors] + list(self.logged) + [0]
        while todo:
            one = todo.pop()
            if one not in covered:
                covered.add(one)
                todo += self.versions[one].ancestors
                todo += [b if a == one else a for a, b in self.same if one in (a, b)]
        return set(range(len(self.versions))) - covered


@dataclass
class Open:
    """A transaction that has not ended. `seen` are the versions it found of what it writes."""

    marker: Marker
    writes: dict[str, Version]
    seen: dict[str, Version]
    session: bytes

    @property
    def named(self) -> set[str]:
        return {doc for doc, _ in self.marker.stamps}


class Hub:
    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.docs = dict.fromkeys(DOCS, oracle.versions[0])
        self.log: list[Event] = []
        self.time = 1
        self.markers: dict[BatchId, Marker] = {}
        self.pending: dict[BatchId, Open] = {}
        self._sessions = itertools.count()

    def new_session(self) -> bytes:
        return b"session %d" % next(self._sessions)

    def read(self, doc: str) -> Version:
        return self.docs[doc]

    def foreign_write(
        self, doc: str, content: Content, *, shares_time: bool, stamp: int, replaces: bool = False
    ) -> None:
        self.time += not shares_time
        old = self.docs[doc]
        self.docs[doc] = new = self.oracle.make(content, old, stamp=stamp)
        is_update = old.content is not None and content is not None and not replaces
        self.log.append(Event(self.time, doc, new, before=old if is_update else None))

    def begin(self, marker: Marker, writes: dict[str, Version], session: bytes) -> None:
        """Open a transaction: what it has read and does not write, others may write before it commits."""
        self.pending[marker.batch] = Open(marker, writes, {doc: self.docs[doc] for doc in writes}, session)

    def commit(self, batch: BatchId) -> bool:
        """Commit a transaction; false when it is aborted, because somebody else has written what it writes."""
        found = self.pending.pop(batch)
        marker = found.marker
        if any(self.docs[doc] is not version for doc, version in found.seen.items()):
            return False
        if marker.batch in self.markers:
            assert self.markers[marker.batch].is_fence, "a push took effect twice (S3)"
            return False
        self.markers[marker.batch] = marker
        self.time += 1
        key = (found.session, self.time)
        self.log.append(Event(self.time, "", None, key, marker))
        for doc, version in found.writes.items():
            assert version.id not in self.docs[doc].ancestors, "a push undid what it had seen (S3)"
            old, self.docs[doc] = self.docs[doc], version
            is_update = old.content is not None and version.content is not None
            self.log.append(Event(self.time, doc, version, key, before=old if is_update else None))
        return True
