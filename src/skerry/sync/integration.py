"""Takes one version of a document from the hub into the local store, as the protocol decides; all in the caller's transaction."""

from dataclasses import dataclass, replace
from typing import Any

from skerry.config.sync_config import Direction, Granularity, OnFull, OnInvalid
from skerry.errors import CommandError, DocumentValidationFailureError, DuplicateKeyError
from skerry.storage import WriteView
from skerry.sync.incoming_validation import has_validator, refusal
from skerry.sync.link import Link
from skerry.sync.local_documents import LocalDocuments
from skerry.sync.passed_on import origin_of
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.conflict_resolution import Resolution, Stamps, Winner, resolve
from skerry.sync.protocol.document_state import Position, Shadow, State, content_hash
from skerry.sync.protocol.event_grouping import Marker
from skerry.sync.protocol.hybrid_clock import corrected, stamp_at
from skerry.sync.protocol.reconciliation import Action, within_scope
from skerry.sync.protocol.three_way_diff import with_ours
from skerry.sync.shadow import Tracked
from skerry.sync.transaction_groups import TransactionGroups
from skerry.values import documents
from skerry.values.namespace import Namespace

COUNTED = {
    Action.SKIP: "pulled_skipped",
    Action.ADVANCE: "pulled_unchanged",
    Action.APPLY: "pulled_applied",
    Action.AGREE: "pulled_agreed",
    Action.MERGE: "pulled_merged",
    Action.CAPTURE: "captured_late",
    Action.PUSH: "found_here",
    Action.EVICT: "evicted",
    Action.ECHO: "pulled_recognised",
}


@dataclass(slots=True)
class RemoteVersion:
    """A document as the hub has it (`raw` None: gone), when it was written, and where that stands in the stream."""

    namespace: Namespace
    key: bytes
    id_document: bytes
    raw: bytes | None
    stamp: int
    position: Position
    is_own: bool = False
    """It is part of a batch of this edge."""


class Integration:
    """The versions of one transaction. Shadows are written by `finish`; `refused` are those a unique index does not let in."""

    def __init__(self, link: Link, view: WriteView, local: LocalDocuments) -> None:
        self._link = link
        self._view = view
        self._local = local
        self._known: dict[tuple[Namespace, bytes], Tracked | None] = {}
        self._changed: dict[tuple[Namespace, bytes], Tracked] = {}
        self._validated: dict[Namespace, bool] = {}
        self._touched: set[tuple[Namespace, bytes]] = set()
        self._counts: dict[Action, int] = {}
        self._settled: list[tuple[Namespace, bytes]] = []  # clean again: what was kept for them is to be forgotten
        self._ungrouped: list[tuple[Namespace, bytes]] = []  # the same, for the groups that they have been in
        self.refused: list[tuple[RemoteVersion, CommandError]] = []

    def know(self, namespace: Namespace, key: bytes, tracked: Tracked | None) -> None:
        """Spare a read: the caller has read the shadow within this transaction."""
        self._known.setdefault((namespace, key), tracked)

    def shadow(self, namespace: Namespace, key: bytes) -> Tracked | None:
        """Return the shadow as it is after what was integrated so far."""
        place = (namespace, key)
        if place not in self._known:
            self._known[place] = self._link.shadows.get(self._view, namespace, key)
        return self._known[place]

    def in_doubt(self, tracked: Tracked | None) -> list[bytes | None]:
        """Return what was pushed of a document and may come back as if it were somebody else's."""
        link = self._link
        has_markers = link.hub.facts is None or link.hub.tier.has_transactions
        if has_markers or tracked is None or tracked.shadow.state not in (State.DIRTY, State.QUARANTINED):
            return []
        return link.shadows.in_doubt(self._view, tracked)

    def take(self, remote: RemoteVersion, action: Action, local: bytes | None) -> None:
        """Do what was decided about `remote`, within what this node wants of the collection; `local` is the version here."""
        selection = self._link.selection
        if selection.has_filter(remote.namespace):
            tracked = self.shadow(remote.namespace, remote.key)
            action = within_scope(
                action,
                None if tracked is None else tracked.shadow,
                local_is_in=selection.in_scope(remote.namespace, local),
                remote_is_in=selection.in_scope(remote.namespace, remote.raw),
            )
        self.integrate(remote, action, local)

    def integrate(self, remote: RemoteVersion, action: Action, local: bytes | None) -> None:
        """Do what was decided about `remote`; `local` is the present version here."""
        self._counts[action] = self._counts.get(action, 0) + 1
        if action is Action.SKIP:
            return
        tracked = self.shadow(remote.namespace, remote.key)
        old = None if tracked is None else tracked.shadow
        theirs = content_hash(remote.raw)
        if action is Action.CAPTURE and self._link.selection.direction(remote.namespace) is Direction.PULL:
            action = Action.APPLY
        if action is Action.ADVANCE:
            assert old is not None
            self._set(remote, old, states.advanced(old, remote.position))
        elif action is Action.AGREE:
            self._set(remote, old, states.integrated(theirs, remote.position, remote.stamp))
        elif action is Action.APPLY:
            if self._put(remote, local, remote.raw):
                self._set(remote, old, states.integrated(theirs, remote.position, remote.stamp))
        elif action is Action.EVICT:
            if self._put(remote, local, None):
                self._set(remote, old, None)
        elif action is Action.ECHO:
            assert old is not None
            self._set(remote, old, states.recognised(old, theirs, remote.position))
            self._rebase(remote)
        elif action is Action.MERGE:
            self._merge(remote, old, local)
        elif action is Action.CAPTURE:
            assert old is not None
            stamp = stamp_at(self._view.wall_ms)
            self._set(remote, old, states.rebased(None, old.base, remote.position, order=self._order(), stamp=stamp))
            self._forget_settled()
            if theirs == old.base:
                self._link.shadows.replace_base(self._view, remote.namespace, remote.key, remote.raw)
        elif action is Action.PUSH:
            self._set(remote, old, states.rebased(None, None, remote.position, order=self._order(), stamp=remote.stamp))

    def settle_batch(self, db: str, marker: Marker, position: Position) -> None:
        """The echo of a whole batch has come."""
        link, view, number = self._link, self._view, marker.batch.number
        is_of_present_name = marker.batch.edge == link.identity.edge
        is_every_write_noted = link.config.on_full is not OnFull.MARK_COLLECTION and not link.selection.untracked
        is_simple = is_of_present_name and is_every_write_noted and not link.selection.has_filters
        if is_simple and not link.dead_letters.has_any(view):
            self._save()
            self._known.clear()
            link.shadows.settle_unchanged(view, number, position)
        for tracked in link.shadows.of_batch(view, number, State.AWAIT):
            if (tracked.namespace.coll, tracked.key) in marker.stamps and tracked.namespace.db == db:
                self.know(tracked.namespace, tracked.key, tracked)
                self.settle(tracked.namespace, tracked.key, number, position)

    def settle(self, namespace: Namespace, key: bytes, batch: int | None, position: Position) -> None:
        """The echo of a batch has come: what it carried is the base now. `batch` None: whatever batch it is in."""
        tracked = self.shadow(namespace, key)
        if tracked is None or tracked.shadow.state is not State.AWAIT:
            return
        if batch is not None and tracked.shadow.batch != batch:
            return
        link, view, old = self._link, self._view, tracked.shadow
        local = self._local.get(namespace, key)
        new = states.settled(old, local=content_hash(local), position=position)
        if new is not None and new.state is State.DIRTY:
            self._forget_settled()
            link.shadows.replace_base(view, namespace, key, link.shadows.pushed(view, namespace, key))
            link.shadows.forget_pushed(view, namespace, key)
        place = RemoteVersion(namespace, key, tracked.id_document, None, 0, position)
        self._set(place, old, new)

    def take_together(self) -> None:
        """Give refused documents that hold each other's unique values, as after a swap, their new versions at once."""
        of_index = [remote for remote, error in self.refused if isinstance(error, DuplicateKeyError)]
        refused = [remote for remote in of_index if self._is_clean(remote)]
        changes = [(each.namespace, each.key, self._local.get(each.namespace, each.key), each.raw) for each in refused]
        if len(refused) < 2 or not self._local.replace_together(changes):
            return
        for remote in refused:
            tracked = self.shadow(remote.namespace, remote.key)
            new = states.integrated(content_hash(remote.raw), remote.position, remote.stamp)
            self._set(remote, None if tracked is None else tracked.shadow, new)
        self.refused = [each for each in self.refused if each[0] not in refused]

    def _is_clean(self, remote: RemoteVersion) -> bool:
        """Whether the hub's version may simply take the place of the one here."""
        tracked, here = self.shadow(remote.namespace, remote.key), self._local.get(remote.namespace, remote.key)
        if tracked is None:
            return here is None
        return tracked.shadow.state is State.CLEAN and tracked.shadow.base == content_hash(here)

    def finish(self) -> None:
        """Write the shadows and count; documents that have come to agree and are out of scope go from here."""
        self._evict_settled()
        self._discard_superseded()
        self._save()
        self._view.after_commit.append(self._count)

    def _save(self) -> None:
        """Write the shadows that have changed so far."""
        self._forget_settled()
        shadows = self._link.shadows
        shadows.save(self._view, self._changed.values())
        if shadows.groups is not None:
            for place in self._ungrouped:
                shadows.groups.forget(self._view, *place)
            self._ungrouped.clear()
        on_dirty = self._link.on_dirty
        if on_dirty is not None and any(each.shadow.state is State.DIRTY for each in self._changed.values()):
            self._view.after_commit.append(on_dirty)
        self._changed.clear()

    def _discard_superseded(self) -> None:
        """Drop the dead letters of documents that a newer version of the hub has been taken of."""
        if not self._link.dead_letters.has_any(self._view):
            return
        refused = {(remote.namespace, remote.key) for remote, _ in self.refused}
        for namespace, key in self._touched - refused:
            self._link.dead_letters.discard_of(self._view, namespace, key)

    def _evict_settled(self) -> None:
        selection = self._link.selection
        for (namespace, key), tracked in list(self._changed.items()):
            if tracked.shadow.state is not State.CLEAN or not selection.has_filter(namespace):
                continue
            local = self._local.get(namespace, key)
            if content_hash(local) == tracked.shadow.base and not selection.in_scope(namespace, local):
                place = RemoteVersion(namespace, key, tracked.id_document, None, 0, tracked.shadow.position)
                self.integrate(place, Action.EVICT, local)

    @property
    def counts(self) -> dict[str, int]:
        """What was decided so far, as the link's counters name it."""
        return {COUNTED[action]: count for action, count in self._counts.items()}

    def _count(self) -> None:
        for name, count in self.counts.items():
            self._link.metrics.add(name, count)

    def _set(self, remote: RemoteVersion, old: Shadow | None, new: Shadow | None) -> None:
        shadows, view = self._link.shadows, self._view
        namespace, key = place = (remote.namespace, remote.key)
        self._touched.add(place)
        if shadows.groups is not None and old is not None:
            self._regroup(shadows.groups, place, old, new)
        if new is None:
            self._known[place] = None
            self._changed.pop(place, None)
            if old is not None:
                shadows.remove(view, namespace, key)
            return
        tracked = Tracked(namespace, key, remote.id_document, new)
        self._known[place] = self._changed[place] = tracked
        if new.state is State.CLEAN and old is not None and old.state is not State.CLEAN:
            self._settled.append(place)

    def _regroup(
        self, groups: TransactionGroups, place: tuple[Namespace, bytes], old: Shadow, new: Shadow | None
    ) -> None:
        """Take note of what becomes of a document that may be part of a group."""
        if old.state is State.AWAIT:
            groups.forget_sent(self._view, *place)
        elif old.state is State.QUARANTINED:
            groups.make_due(self._view, *place)
        if new is not None and new.state is State.CLEAN and old.state is not State.CLEAN:
            self._ungrouped.append(place)

    def _forget_settled(self) -> None:
        self._link.shadows.forget_kept(self._view, self._settled)
        self._settled.clear()

    def _put(self, remote: RemoteVersion, before: bytes | None, after: bytes | None) -> bool:
        """Put a version in place; false when a unique index or the validator refuses it, and it has been put aside."""
        if after is not None and after == remote.raw and not self._is_valid(remote, after):
            return False
        try:
            self._local.put(remote.namespace, remote.key, before, after)
        except DuplicateKeyError as error:
            self.refused.append((remote, error))
            return False
        return True

    def _is_valid(self, remote: RemoteVersion, raw: bytes) -> bool:
        """Whether a version of the hub may be stored here; says what is wrong with it in the counters or by a dead letter."""
        link = self._link
        if remote.namespace not in self._validated:
            self._validated[remote.namespace] = has_validator(self._view, link.storage, remote.namespace)
        if not self._validated[remote.namespace]:
            return True
        refused = refusal(self._view, link.storage, remote.namespace, raw)
        if refused is None:
            return True
        self._view.after_commit.append(lambda: link.metrics.add("pulled_invalid"))
        if link.config.on_invalid is OnInvalid.ACCEPT:
            return True
        self.refused.append((remote, DocumentValidationFailureError(refused)))
        return False

    def _merge(self, remote: RemoteVersion, old: Shadow | None, local: bytes | None) -> None:
        link, view, namespace, key = self._link, self._view, remote.namespace, remote.key
        self._forget_settled()
        if link.selection.direction(namespace) is Direction.PULL:
            if self._put(remote, local, remote.raw):
                self._set(remote, old, states.integrated(content_hash(remote.raw), remote.position, remote.stamp))
            return
        base = None if old is None or old.base is None else link.shadows.base(view, namespace, key)
        if old is None:
            # Here before the link was made, so nobody knows the base: the hub's version stands, ours is kept.
            stamp = 0
            found = Resolution(_decoded(remote.raw), Winner.REMOTE, ("",))
        else:
            origin = origin_of(view, link.shadows, namespace, key, local)
            stamp = corrected(old.last_hlc if origin is None else origin.stamp, link.clock_offset_ms)
            stamps = Stamps(stamp, remote.stamp)
            rules = link.rules.of(namespace)
            if old.base is not None and base is None:
                # It was not kept, so nobody knows which fields either side changed.
                rules = replace(rules, granularity=Granularity.DOCUMENT, paths={})
                known = None
            else:
                known = self._base_with_ours(remote, _decoded(base), adds_up=rules.adds_up)
            found = resolve(known, _decoded(local), _decoded(remote.raw), stamps, rules)
        result = None if found.document is None else documents.encode(found.document)
        if result is not None and result not in (local, remote.raw):
            refused = refusal(view, link.storage, namespace, result)
            if refused is not None:
                paths = found.paths or ("",)
                result, found = remote.raw, Resolution(_decoded(remote.raw), Winner.REMOTE, paths, refused)
        if not self._put(remote, local, result):
            if old is not None and old.state is State.CLEAN:
                # Written past the outbox: to be remembered, or the next try would take the hub's version for the only one.
                self._set(remote, old, states.rebased(old, old.base, old.position, order=self._order(), stamp=stamp))
            return
        if found.is_conflict:
            self._log(remote, found, {"base": base, "local": local, "remote": remote.raw, "result": result}, stamp)
        theirs = content_hash(remote.raw)
        if result == remote.raw:
            self._set(remote, old, states.integrated(theirs, remote.position, remote.stamp))
            return
        new_stamp = max(stamp, remote.stamp) + 1
        self._set(remote, old, states.rebased(old, theirs, remote.position, order=self._order(), stamp=new_stamp))
        self._rebase(remote)

    def _rebase(self, remote: RemoteVersion) -> None:
        """Keep the hub's version as the base of what is here; what was pushed from another base is of no use any more."""
        self._link.shadows.forget_kept(self._view, [(remote.namespace, remote.key)])
        self._link.shadows.replace_base(self._view, remote.namespace, remote.key, remote.raw)

    def _base_with_ours(
        self, remote: RemoteVersion, base: dict[str, Any] | None, *, adds_up: bool
    ) -> dict[str, Any] | None:
        """Return the base, with what somebody has left standing of a push whose outcome was not clear."""
        if remote.raw is None or adds_up:
            return base
        for pushed in self.in_doubt(self.shadow(remote.namespace, remote.key)):
            if pushed is not None:
                base = with_ours(base, documents.decode(pushed), documents.decode(remote.raw))
        return base

    def _log(self, remote: RemoteVersion, found: Resolution, versions: dict[str, bytes | None], stamp: int) -> None:
        facts: dict[str, Any] = {"local_stamp": stamp, "remote_stamp": remote.stamp}
        if found.review is not None:
            facts["needs_review"] = found.review
        self._link.conflicts.add(self._view, remote.namespace, remote.key, versions, found, facts)
        metrics = self._link.metrics
        winner = found.winner.value
        self._view.after_commit.append(lambda: metrics.add("conflicts"))
        self._view.after_commit.append(lambda: metrics.add(f"conflicts_won_by_{winner}"))

    def _order(self) -> int:
        return self._view.next_timestamp()


def _decoded(raw: bytes | None) -> dict[str, Any] | None:
    return None if raw is None else documents.decode(raw)
