"""Which dirty documents travel together, what each becomes on the hub, and what the outcome of a push means.

A batch is one hub transaction: the marker first, then the documents whose hub version still is the base. A document is never in
two batches on their way, and what must travel together is planned as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from skerry.sync.protocol.three_way_diff import same
from skerry.values import documents

TOGETHER_MAX: Final = 1000
"""Documents that travel together because one transaction wrote them; a hub's transactions should not be larger."""
DUPLICATE_KEY: Final = 11000
WRITE_CONFLICT: Final = 112
_HISTORY_LOST: Final = frozenset({286, 136, 40585, 40615})
_TOKEN_NOT_FOUND: Final = frozenset({280, 260, 50811})
DENIED: Final = frozenset({13, 18, 8000})
"""Unauthorized, AuthenticationFailed, AtlasError: the credentials or the rights do not suffice."""
# What the hub says of one document: it cannot be repaired by trying again as it is.
_DOCUMENT: Final = frozenset(
    {2, 9, 14, 22, 28, 40, 52, 53, 54, 55, 56, 57, 66, 73, 121, 10334, DUPLICATE_KEY, 17280, 17419}
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dirty document as the planner sees it, or a group of them; `size` is that of the local versions, in bytes."""

    db: str
    size: int
    next_retry: int | None
    documents: int = 1


def plan_batch(candidates: Iterable[Candidate], *, documents_max: int, bytes_max: int, now_ms: int) -> list[int]:
    """Return which of the candidates (oldest first) form the next batch: one database's, within the limits.

    A candidate beyond the limits travels alone. Those whose retry lies ahead are passed over.
    """
    chosen: list[int] = []
    size, documents, db = 0, 0, ""
    for index, candidate in enumerate(candidates):
        if candidate.next_retry is not None and candidate.next_retry > now_ms:
            continue
        if chosen and candidate.db != db:
            continue
        size, documents = size + candidate.size, documents + candidate.documents
        if chosen and (size > bytes_max or documents > documents_max):
            break
        db = candidate.db
        chosen.append(index)
        if documents >= documents_max:
            break
    return chosen


def why_not_together(sizes: Sequence[int], databases: int, *, bytes_max: int) -> str | None:
    """Say why documents that one transaction wrote here cannot be one batch, None when they can; `sizes` in bytes."""
    if databases > 1:
        return f"it is spread over {databases} databases"
    if len(sizes) > TOGETHER_MAX:
        return f"{len(sizes)} documents are more than {TOGETHER_MAX}"
    if len(sizes) > 1 and sum(sizes) > bytes_max:
        return f"{sum(sizes)} bytes are more than {bytes_max}"
    return None


class HubStep(Enum):
    """What a push does about one document, having seen the hub's version inside the transaction."""

    WRITE = "write"
    ALREADY = "already"
    """The hub has this very version: nothing to write, the document is settled."""
    LEAVE = "leave"
    """Somebody else wrote it: stays dirty until pull has brought that version."""
    OVERWRITE = "overwrite"
    """Somebody else wrote a document that only travels upwards: ours stands, theirs is kept in the conflict log."""


def compare_with_base(
    base: bytes | None,
    local: bytes | None,
    hub: bytes | None,
    *,
    one_way: bool = False,
    adds_up: bool = False,
    in_transaction: bool = False,
) -> HubStep:
    """Decide by hashes (None: no document); `adds_up` as in `reconciliation.decide`.

    `in_transaction`: what is read and not written may change before the commit, so the marker must not say that we have passed
    it; the stream brings the version that is the same.
    """
    if hub == local and in_transaction and not one_way:
        return HubStep.LEAVE
    if hub == local and not (adds_up and hub is not None and base is not None and hub != base):
        return HubStep.ALREADY
    if hub == base:
        return HubStep.WRITE
    return HubStep.OVERWRITE if one_way else HubStep.LEAVE


@dataclass(frozen=True, slots=True)
class MinimalUpdate:
    """Top-level fields to `$set` and `$unset`."""

    set: Mapping[str, Any]
    unset: Sequence[str]

    def to_document(self) -> dict[str, Any]:
        update: dict[str, Any] = {}
        if self.set:
            update["$set"] = dict(self.set)
        if self.unset:
            update["$unset"] = dict.fromkeys(self.unset, "")
        return update


def minimal_update(base: Mapping[str, Any], local: Mapping[str, Any]) -> MinimalUpdate | None:
    """Return the smaller update that turns `base` into exactly `local`, None where only a replacement surely does.

    Exactly means byte for byte: the order in which a hub adds several new fields is its own affair, so at most one is added,
    behind all others.
    """
    changed = {name: value for name, value in local.items() if not same(base.get(name), value) or name not in base}
    removed = [name for name in base if name not in local]
    names = [*changed, *removed]
    if any("." in name or name.startswith("$") or not name for name in names) or "_id" in names:
        return None
    added = [name for name in local if name not in base]
    if [name for name in base if name in local] + added != list(local) or len(added) > 1:
        return None
    if not names or len(documents.encode(changed)) * 2 > len(documents.encode(local)):
        return None
    return MinimalUpdate(changed, removed)


# TransactionTooLarge, TransactionExceededLifetimeLimitSeconds.
_TOO_MUCH: Final = frozenset({257, 290})


class Failure(Enum):
    """What an error of a push says about the batch."""

    ABORTED = "aborted"
    """The transaction surely did not commit: try again, under the same id."""
    UNKNOWN = "unknown"
    """It may have committed, or may yet: settle it with a fence before anything else."""
    DOCUMENT = "document"
    """The hub refuses one document; the transaction did not commit."""
    TOO_MUCH = "too much"
    """The transaction is too large or took too long; it did not commit. The same with fewer documents may pass."""
    DENIED = "denied"
    """The credentials or rights do not suffice; nothing is dropped."""
    LINK = "link"
    """The hub is away or unwell."""


def classify_failure(code: int | None, labels: Iterable[str], *, committing: bool) -> Failure:
    """Say what an error means; `code` None for a broken connection, `committing` once the commit had been sent."""
    known = set(labels)
    if committing and (code is None or "UnknownTransactionCommitResult" in known):
        return Failure.UNKNOWN
    if code in _TOO_MUCH:
        return Failure.TOO_MUCH
    if "TransientTransactionError" in known or code == WRITE_CONFLICT:
        return Failure.LINK if code is None else Failure.ABORTED
    if code in DENIED:
        return Failure.DENIED
    if code in _DOCUMENT:
        return Failure.DOCUMENT
    return Failure.UNKNOWN if committing else Failure.LINK


class Fence(Enum):
    """What the attempt to insert a batch's marker as a fence has shown."""

    ABORTED = "aborted"
    COMMITTED = "committed"
    OPEN = "open"
    """The transaction is still open on the hub: wait (at most its lifetime limit), then ask again."""


def read_fence(code: int | None, *, taken_by_fence: bool = False) -> Fence:
    """Interpret the insert of a fence: `code` is None when it succeeded; `taken_by_fence` when the marker there is a fence."""
    if code is None or (code == DUPLICATE_KEY and taken_by_fence):
        return Fence.ABORTED
    if code == DUPLICATE_KEY:
        return Fence.COMMITTED
    if code == WRITE_CONFLICT:
        return Fence.OPEN
    raise ValueError(f"an error {code} says nothing about the batch")


class StreamFailure(Enum):
    """What an error of the change stream asks for."""

    REOPEN = "reopen"
    """Resume behind the stored token."""
    START_AT_TIME = "start_at_time"
    """The token is not found: one try at its cluster time."""
    HISTORY_LOST = "history_lost"
    """Events are gone: reconcile, never start from now."""
    DENIED = "denied"


def classify_stream_failure(code: int | None, labels: Iterable[str], *, by_token: bool) -> StreamFailure:
    """Say how to go on; `by_token` when the stream had been resumed by its token (not by time)."""
    if code in _HISTORY_LOST:
        return StreamFailure.HISTORY_LOST
    if code in _TOKEN_NOT_FOUND:
        return StreamFailure.START_AT_TIME if by_token else StreamFailure.HISTORY_LOST
    if "NonResumableChangeStreamError" in set(labels):
        return StreamFailure.HISTORY_LOST
    return StreamFailure.DENIED if code in DENIED else StreamFailure.REOPEN
