"""What has become of a batch whose answer was lost: a fence makes sure that it has committed, or never will.

The fence is a document with the `_id` of the batch's marker. Either it gets in, and the batch can never commit, or the marker is
there. To look for the marker alone would not do: a commit that is late may still come.
"""

import time
from typing import Final

from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from skerry.sync.hub import HubFailure, failure_of, now
from skerry.sync.link import Link
from skerry.sync.origin import fence_document, parse_marker
from skerry.sync.protocol.event_grouping import Marker
from skerry.sync.protocol.push_batch import DUPLICATE_KEY, Failure, Fence, classify_failure, read_fence
from skerry.sync.push_records import OpenBatch

COMMIT_ATTEMPTS_MAX: Final = 3
FENCE_SECONDS_MAX: Final = 3.0  # then the link waits and asks again; a hub ends open transactions after 60 s
FENCE_PAUSE_SECONDS: Final = 0.1


class BatchUnsettledError(Exception):
    """The hub cannot say yet whether a batch committed; nothing may be pushed or applied before it can."""


class HubLostError(Exception):
    """The hub is away, unwell, or does not let us in; `failure` says what it answered."""

    def __init__(self, failure: HubFailure, *, denied: bool) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.denied = denied


def outcome_of(link: Link, batch: OpenBatch) -> Marker:
    """Return the batch's marker, which is a fence when it never will commit.

    Raises `BatchUnsettledError` while it is open on the hub, `HubLostError`, and pymongo's errors.
    """
    deadline = time.monotonic() + FENCE_SECONDS_MAX
    link.metrics.add("fences")
    while True:
        code = _insert_fence(link, batch)
        found = None
        if code is not None:
            found = link.hub.markers(batch.db).find_one({"_id": batch.id.to_document()})
        marker = None if found is None else parse_marker(found)
        verdict = _read(code, marker)
        if verdict is Fence.ABORTED:
            return Marker(batch.id, is_fence=True)
        if verdict is Fence.COMMITTED and marker is not None:
            return marker
        if time.monotonic() > deadline:
            raise BatchUnsettledError(f"batch {batch.number} is still open on the hub")
        link.hub.end_session(batch.lsid)
        time.sleep(FENCE_PAUSE_SECONDS)


def commit(session: ClientSession) -> HubFailure | None:
    """Commit; return what is known when it is not known whether it has committed. Raises pymongo's errors when it has not."""
    last: HubFailure | None = None
    for _ in range(COMMIT_ATTEMPTS_MAX):
        try:
            session.commit_transaction()
        except PyMongoError as error:
            last = failure_of(error)
            if classify_failure(last.code, last.labels, committing=True) is not Failure.UNKNOWN:
                raise
        else:
            return None
    return last


def _insert_fence(link: Link, batch: OpenBatch) -> int | None:
    """Try to insert the fence; return the code of the hub's refusal, None when it got in."""
    hub = link.hub
    try:
        with hub.session() as session, hub.transaction(session):
            hub.markers(batch.db).insert_one(fence_document(batch.id, at=now()), session=session)
            unknown = commit(session)
    except PyMongoError as error:
        failure = failure_of(error)
        if failure.code is None:
            raise
        return failure.code
    if unknown is not None:
        raise HubLostError(unknown, denied=False)
    return None


def _read(code: int | None, marker: Marker | None) -> Fence:
    if code == DUPLICATE_KEY and marker is None:
        return Fence.OPEN  # it was there and is gone: ask again
    try:
        return read_fence(code, taken_by_fence=marker is not None and marker.is_fence)
    except ValueError:
        return Fence.OPEN
