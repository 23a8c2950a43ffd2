"""Which documents the next batch carries: read from the store, one by one or in the groups that transactions have made."""

import logging
from collections.abc import Iterator
from typing import Final, NamedTuple

from skerry.catalog.collection_catalog import CatalogSnapshot
from skerry.storage import WriteView
from skerry.sync.hub_writes import PushItem
from skerry.sync.integration import Integration, RemoteVersion
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.sync.passed_on import origin_of
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import State, content_hash
from skerry.sync.protocol.push_batch import Candidate, plan_batch, why_not_together
from skerry.sync.protocol.reconciliation import Action
from skerry.sync.shadow import Tracked
from skerry.sync.transaction_groups import TransactionGroups

LOG: Final = logging.getLogger("skerry.sync")


class _Reading(NamedTuple):
    """What a batch is read from. `has_origins`: whether anything that is passed on waits."""

    view: WriteView
    collections: CatalogSnapshot
    has_origins: bool


class PushUnits:
    """Puts the batches of one link together; used by one thread at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._has_said_no_transactions = False

    def next_batch(self, view: WriteView, documents_max: int) -> list[PushItem]:
        """Return the documents that go next, empty when none can; those that are as the hub has them are settled."""
        link = self._link
        link.shadows.retry_refused(view, view.wall_ms)
        if not link.hub.tier.has_transactions:
            self._give_up_groups(view)
        waiting = link.shadows.dirty(view, excluded=link.selection.frozen, now_ms=view.wall_ms, limit=documents_max)
        units: list[list[PushItem]] = []
        chosen = plan_batch(
            self._candidates(view, waiting, units),
            documents_max=documents_max,
            bytes_max=link.config.batch_bytes_max,
            now_ms=view.wall_ms,
        )
        return [item for index in chosen for item in units[index]]

    def split_sent(self, view: WriteView, batch: int, reason: str) -> None:
        """Have the documents of the group that a batch carries pushed each for itself."""
        assert self._link.shadows.groups is not None
        self._link.shadows.groups.forget_batch(view, batch)
        self._report_split(view, reason)

    def _candidates(self, view: WriteView, waiting: list[Tracked], units: list[list[PushItem]]) -> Iterator[Candidate]:
        """Read the documents that may go with the oldest one, no more of them than are asked for; `units` takes them up."""
        link = self._link
        reading = _Reading(view, link.storage.catalog.snapshot(view), link.shadows.has_origins(view))
        taken: set[int] = set()
        for tracked in waiting:
            if tracked.namespace.db != waiting[0].namespace.db:
                continue
            groups = link.shadows.groups
            group = None if groups is None else groups.group_of(view, tracked.namespace, tracked.key)
            if group in taken:
                continue
            items = [] if groups is None or group is None else self._together(reading, groups, group)
            if group is not None and items:
                taken.add(group)
            else:
                alone = self._item(reading, tracked)
                items = [] if alone is None else [alone]
            if items:
                units.append(items)
                size = sum(len(item.local or b"") for item in items)
                yield Candidate(tracked.namespace.db, size, tracked.shadow.next_retry, len(items))

    def _together(self, reading: "_Reading", groups: TransactionGroups, group: int) -> list[PushItem]:
        """Return the documents of a group, empty when they cannot go together; then each may go for itself."""
        link, view = self._link, reading.view
        known = [link.shadows.get(view, *place) for place in groups.members(view, group)]
        waiting = [tracked for tracked in known if tracked is not None and tracked.shadow.state is State.DIRTY]
        waiting.sort(key=lambda tracked: tracked.shadow.first_write or 0)
        found = [self._item(reading, tracked) for tracked in waiting]
        items = [item for item in found if item is not None]
        databases = len({item.tracked.namespace.db for item in items})
        sizes = [len(item.local or b"") for item in items]
        reason = why_not_together(sizes, databases, bytes_max=link.config.batch_bytes_max)
        if reason is not None:
            groups.dissolve(view, group)
            self._report_split(view, reason)
            return []
        for item in items:
            item.group = group
        return items

    def _report_split(self, view: WriteView, reason: str) -> None:
        link = self._link
        LOG.warning(
            "link %s: what a transaction wrote is pushed document by document, because %s",
            link.name,
            reason,
            extra={"link": link.name},
        )
        view.after_commit.append(lambda: link.metrics.add("transactions_split"))

    def _give_up_groups(self, view: WriteView) -> None:
        link = self._link
        count = 0 if link.shadows.groups is None else link.shadows.groups.dissolve_all(view)
        if not count:
            return
        if not self._has_said_no_transactions:
            self._has_said_no_transactions = True
            LOG.warning(
                "link %s: the hub has no transactions, so that what transactions write here is pushed document by document",
                link.name,
                extra={"link": link.name},
            )
        view.after_commit.append(lambda: link.metrics.add("transactions_split", count))

    def _item(self, reading: "_Reading", tracked: Tracked) -> PushItem | None:
        """Return what to push for a dirty document; None when it is as the hub has it, and so is settled here."""
        link, view = self._link, reading.view
        namespace, key, _, shadow = tracked
        entry = reading.collections.get(namespace)
        record = None if entry is None else view.record_by_key(entry.file_id, key)
        local = None if record is None else record[1]
        if content_hash(local) != shadow.base:
            base = link.shadows.base(view, namespace, key) if local is not None and shadow.base is not None else None
            origin = origin_of(view, link.shadows, namespace, key, local) if reading.has_origins else None
            return PushItem(tracked, local, base, one_way=link.selection.is_one_way(namespace), origin=origin)
        if not link.selection.in_scope(namespace, local):
            there = RemoteVersion(namespace, key, tracked.id_document, local, shadow.last_hlc, shadow.position)
            with open_documents(view, link.storage, link.name) as here:
                integration = Integration(link, view, here)
                integration.integrate(there, Action.EVICT, local)
                integration.finish()
            return None
        settled = states.integrated(shadow.base, shadow.position, shadow.last_hlc)
        if settled is None:
            link.shadows.remove(view, namespace, key)
        else:
            link.shadows.save(view, [Tracked(namespace, key, tracked.id_document, settled)])
            link.shadows.forget_kept(view, [(namespace, key)])
            if link.shadows.groups is not None:
                link.shadows.groups.forget(view, namespace, key)
        return None
