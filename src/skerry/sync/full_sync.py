"""Walks both sides of a collection by `_id` range and decides for every document: first copy, lost history, repair.

Restartable: each chunk and the place it reached are one transaction. A chunk is read and applied while nothing else is pushed or
applied, so what it read is never older than what the stream has brought; events up to the time of reading are answered with
a look-up from then on, so that none can bring an older version back. Documents only here are pushed, ones only in the
shadow were deleted on the hub.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from skerry.config.sync_config import Direction
from skerry.storage import WriteView
from skerry.sync import link_log, link_records
from skerry.sync.change_applier import ChangeApplier
from skerry.sync.integration import Integration, RemoteVersion
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.sync.protocol.document_state import BEGINNING, content_hash
from skerry.sync.protocol.hybrid_clock import stamp_at
from skerry.sync.protocol.reconciliation import Action, decide_read, decide_unread
from skerry.sync.push_worker import PushWorker
from skerry.sync.shadow import Tracked
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

COPIED_STORE: Final = "a copy of this store uses its old name"
CHUNK_DOCUMENTS: Final = 1000
CHUNK_BYTES: Final = 8 * 1024 * 1024


@dataclass(slots=True)
class WalkRecord:
    """How far the walks have come. `complete` maps collections to the direction they were walked for; `after` is the last
    `_id` document of the first pending collection, None at its beginning; `rules` is the selection that was planned for."""

    pending: list[str] = field(default_factory=list)
    complete: dict[str, str] = field(default_factory=dict)
    after: bytes | None = None
    reason: str = ""
    rules: list[list[str]] = field(default_factory=list)

    def to_document(self) -> dict[str, Any]:
        return asdict(self)


class FullSync:
    """The walks of one link, chunk by chunk; `step` is called by the thread that pulls."""

    def __init__(self, link: Link, push: PushWorker, applier: ChangeApplier) -> None:
        self._link = link
        self._push = push
        self._applier = applier
        self.record = WalkRecord()

    @property
    def is_pending(self) -> bool:
        """Whether a walk is under way."""
        return bool(self.record.pending)

    def load(self) -> None:
        """Go on where the store says the last walk has stopped."""
        stored = self._link.read(lambda view: link_records.load(view, self._link.name, link_records.COPY))
        self.record = WalkRecord() if stored is None else WalkRecord(**stored)

    def plan(self, namespaces: list[Namespace], reason: str, *, again: bool) -> None:
        """Walk the collections that have not been walked for their direction yet, `again`: all of them."""
        link, record = self._link, self.record
        wanted = {str(each): link.selection.signature(each) for each in namespaces}
        complete = {} if again else {name: way for name, way in record.complete.items() if wanted.get(name) == way}
        fresh = [name for name in wanted if name not in complete and name not in link.selection.frozen]
        if not again and record.pending and record.pending[0] in fresh:
            first = record.pending[0]  # keep the place it has reached
            fresh = [first, *(name for name in fresh if name != first)]
            self.record = WalkRecord(fresh, complete, record.after, record.reason, self._rules)
        else:
            self.record = WalkRecord(fresh, complete, None, reason, self._rules)
        self._save()

    def planned_again(self, view: WriteView, wanted: list[Namespace], reason: str) -> WalkRecord:
        """Store that `wanted` are walked from their beginnings, besides what is pending; return the record as it then is."""
        record, names = self.record, [str(each) for each in wanted]
        planned = replace(
            record,
            pending=[*record.pending, *(name for name in names if name not in record.pending)],
            complete={name: way for name, way in record.complete.items() if name not in names},
            after=None if record.pending[:1] and record.pending[0] in names else record.after,
            reason=record.reason if record.pending else reason,
        )
        link_records.save(view, self._link.name, link_records.COPY, planned.to_document())
        return planned

    @property
    def is_planned(self) -> bool:
        """Whether the present selection has been planned for: what appears later comes through the stream."""
        return self.record.rules == self._rules

    @property
    def _rules(self) -> list[list[str]]:
        return [rule.to_list() for rule in self._link.selection.rules]

    def step(self) -> bool:
        """Do one chunk; false when nothing is pending. Raises pymongo's errors, and `BatchUnsettledError`."""
        if not self.record.pending:
            return False
        link, record = self._link, self.record
        namespace = Namespace.parse(record.pending[0])
        direction = link.selection.direction(namespace)
        if direction is Direction.NONE or str(namespace) in link.selection.frozen:
            record.pending, record.after = record.pending[1:], None
            self._save()
            return True
        with link.lock:
            self._push.resolve()
            theirs, upper, more = self._read_hub(namespace, direction)
            until = link.hub.cluster_time()
            stamp = link.stamp_of_reading(until)

            def job(view: WriteView) -> bytes | None:
                link.refresh(view)
                reached = self._chunk(view, namespace, theirs, stamp, upper, more=more)
                updated = self._advance(namespace, reached)
                link_records.save(view, link.name, link_records.COPY, updated.to_document())
                if reached is None:
                    link.compared(view, namespace)
                position = self._applier.position
                position.looked_up_until = max(position.looked_up_until, until)
                position.save(view, link.name)
                return reached

            reached = link.write(job)
            self.record = self._advance(namespace, reached)
            self._applier.answer_with_look_ups_until(until)
        if reached is None:
            link_log.compared(link.name, namespace)
        return True

    def _read_hub(self, namespace: Namespace, direction: Direction) -> tuple[list[tuple[bytes, bytes]], bytes, bool]:
        """Return the hub's next documents, up to which key that is all of them, and whether there may be more behind it."""
        if direction is Direction.PUSH:
            return [], key_string.HIGHEST, False
        link, after = self._link, self.record.after
        value = None if after is None else documents.decode(after)["_id"]
        query = link.selection.query(namespace)
        theirs, more = link.hub.find_after(
            namespace, value, is_first=after is None, limit=CHUNK_DOCUMENTS, bytes_max=CHUNK_BYTES, query=query
        )
        upper = theirs[-1][0] if more else key_string.HIGHEST
        if not query:
            return theirs, upper, more
        lower = key_string.LOWEST if after is None else key_string.encode(value)
        return self._with_known(namespace, theirs, (lower, upper), more=more)

    def _with_known(
        self, namespace: Namespace, theirs: list[tuple[bytes, bytes]], keys: tuple[bytes, bytes], *, more: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes, bool]:
        """Add the hub's versions of documents that this node has and the query does not find: left the scope, or deleted?"""
        link, (lower, upper) = self._link, keys
        there = dict(theirs)
        known = link.read(lambda view: list(link.shadows.between(view, namespace, lower, upper)))
        missing = sorted((each.key, each.id_document) for each in known if each.key not in there)
        if len(missing) > CHUNK_DOCUMENTS:
            missing = missing[:CHUNK_DOCUMENTS]
            upper, more = missing[-1][0], True
        ids = [documents.id_of(id_document) for _, id_document in missing]
        there.update(link.hub.find_by_ids(namespace, ids))
        return sorted((key, raw) for key, raw in there.items() if key <= upper), upper, more

    def _chunk(
        self,
        view: WriteView,
        namespace: Namespace,
        theirs: list[tuple[bytes, bytes]],
        stamp: int,
        upper: bytes,
        *,
        more: bool,
    ) -> bytes | None:
        """Compare one range of `_id`s; return the `_id` document it reached, None at the end of the collection."""
        link, after = self._link, self.record.after
        lower = key_string.LOWEST if after is None else key_string.encode(documents.decode(after)["_id"])
        entry = link.storage.catalog.snapshot(view).get(namespace)
        ours: list[tuple[bytes, int, bytes]] = []
        if entry is not None:
            ours, ours_more = view.scan_keys(
                entry.file_id,
                lower,
                upper + b"\x00",
                after=lower if after else None,
                reverse=False,
                limit=CHUNK_DOCUMENTS,
            )
            if ours_more and ours[-1][0] < upper:
                upper, more = ours[-1][0], True
        here = {key: raw for key, _, raw in ours}
        there = {key: raw for key, raw in theirs if key <= upper}
        known = {each.key: each for each in link.shadows.between(view, namespace, lower, upper)}
        last: bytes | None = None
        with open_documents(view, link.storage, link.name) as local:
            integration = Integration(link, view, local)
            for key in sorted(here.keys() | there.keys() | known.keys()):
                tracked = known.get(key)
                id_document = _id_document(tracked, here.get(key), there.get(key))
                integration.know(namespace, key, tracked)
                remote = RemoteVersion(namespace, key, id_document, there.get(key), stamp, BEGINNING)
                self._decide(integration, remote, tracked, here.get(key))
                last = id_document
            self._applier.put_aside(view, integration)
            integration.finish()
        return last if more else None

    def _decide(
        self, integration: Integration, remote: RemoteVersion, tracked: Tracked | None, here: bytes | None
    ) -> None:
        shadow = None if tracked is None else tracked.shadow
        direction = self._link.selection.direction(remote.namespace)
        trusts = self._link.selection.trusts_absence(remote.namespace)
        if direction is Direction.PUSH:
            action = decide_unread(shadow, local=content_hash(here), trusts_absence=trusts)
        else:
            # A copied store may find on the hub what the original has pushed of the very same writes.
            adds_up = self._link.rules.of(remote.namespace).adds_up and self.record.reason != COPIED_STORE
            ours, theirs = content_hash(here), content_hash(remote.raw)
            in_doubt = {content_hash(raw) for raw in integration.in_doubt(tracked)}
            action = decide_read(
                shadow, local=ours, remote=theirs, adds_up=adds_up, trusts_absence=trusts, in_doubt=in_doubt
            )
        if action is Action.PUSH:
            if direction is Direction.PULL:
                return
            remote.stamp = stamp_at(0)  # nobody knows when it was written
        integration.take(remote, action, here)

    def _advance(self, namespace: Namespace, reached: bytes | None) -> WalkRecord:
        record = self.record
        if reached is not None:
            return replace(record, after=reached)
        complete = {**record.complete, str(namespace): self._link.selection.signature(namespace)}
        return replace(record, pending=record.pending[1:], complete=complete, after=None)

    def _save(self) -> None:
        link = self._link
        link.write(lambda view: link_records.save(view, link.name, link_records.COPY, self.record.to_document()))


def _id_document(tracked: Tracked | None, here: bytes | None, there: bytes | None) -> bytes:
    if tracked is not None:
        return tracked.id_document
    raw = here if here is not None else there
    assert raw is not None
    return documents.id_document(raw)
