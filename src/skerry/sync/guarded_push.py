"""Pushes batches to a hub without transactions, and settles those whose answer was lost by looking what the hub has.

There is no marker and no echo: what the hub has taken is the base at once, and events up to then are answered with a look-up, so
that none of them brings an older version back. What the hub may have taken although it is not there stays in doubt: when it comes
back, or what somebody has made of it, it is known to be ours.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from pymongo.errors import PyMongoError

from skerry.storage import WriteView
from skerry.sync import link_log
from skerry.sync.guarded_writes import Guarded, Place, pushed_versions, read_back, write_guarded
from skerry.sync.hub_writes import PushItem
from skerry.sync.integration import Integration
from skerry.sync.link import Link
from skerry.sync.local_documents import open_documents
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import Shadow, State, content_hash
from skerry.sync.push_records import PushRecords
from skerry.sync.shadow import Tracked

ALWAYS: Final = (1 << 63) - 1  # the time until which look-ups answer where the hub tells no cluster time

Otherwise = Callable[[Place], Callable[[Shadow], Shadow]]


class GuardedPush:
    """Used by the push worker, under the link's lock. `note_reads` is told until when the hub was read, in the transaction
    that takes the outcome in; `reads_until` says until when it had been read before."""

    def __init__(self, link: Link, records: PushRecords) -> None:
        self._link = link
        self._records = records
        self.note_reads: Callable[[WriteView, int], None] = _nobody
        self.reads_until: Callable[[], int] = lambda: ALWAYS

    def send(self, number: int, items: Sequence[PushItem], otherwise: Callable[[Guarded], Otherwise]) -> Guarded:
        """Write a batch and take in the outcome; `otherwise` says what becomes of a document that was not taken.

        Raises pymongo's errors with the outcome open: the batch is settled by `resolve`.
        """
        result = write_guarded(self._link, items)
        self._finish(number, result.taken, otherwise(result), result.in_doubt)
        return result

    def resolve(self, number: int) -> None:
        """Settle a batch whose answer was lost. Raises pymongo's errors."""
        link = self._link
        sent = link.read(lambda view: link.shadows.of_batch(view, number, State.INFLIGHT))
        pushed = pushed_versions([PushItem(tracked, None, None, one_way=False) for tracked in sent])
        taken = read_back(link, pushed)
        self._finish(number, taken, lambda _: states.not_written, pushed.keys() - taken)

    def _finish(self, number: int, taken: set[Place], otherwise: Otherwise, in_doubt: AbstractSet[Place]) -> None:
        link = self._link
        until, since = self._time(), self.reads_until()

        def job(view: WriteView) -> None:
            refused: list[Tracked] = []
            with open_documents(view, link.storage, link.name) as local:
                integration = Integration(link, view, local)
                for tracked in link.shadows.of_batch(view, number, State.INFLIGHT):
                    place = namespace, key = tracked.namespace, tracked.key
                    become = states.acknowledged if place in taken else otherwise(place)
                    shadow = become(tracked.shadow)
                    outcome = Tracked(namespace, key, tracked.id_document, shadow)
                    link.shadows.save(view, [outcome])
                    if place in taken:
                        integration.settle(namespace, key, number, shadow.position)
                    else:
                        refused.append(outcome)
                        if place in in_doubt:
                            sent = self._sent(view, tracked, local.get(*place))
                            link.shadows.keep_in_doubt(view, outcome, sent, since=since)
                        link.shadows.forget_pushed(view, namespace, key)
                integration.finish()
            view.after_commit.append(lambda: link_log.quarantined(link.name, refused))
            self._records.remove(view, number)
            self.note_reads(view, until)

        link.write(job)

    def _sent(self, view: WriteView, tracked: Tracked, here: bytes | None) -> bytes | None:
        """Return the version that a batch carries: the one here, or the one kept when that was written since."""
        if content_hash(here) == tracked.shadow.pushed:
            return here
        return self._link.shadows.pushed(view, tracked.namespace, tracked.key)

    def _time(self) -> int:
        try:
            return self._link.hub.cluster_time() or ALWAYS
        except PyMongoError:
            return ALWAYS


def _nobody(view: WriteView, until: int) -> None:
    """Without a stream nothing old can come."""
