"""The `$changeStream` stage: what is watched, from where, in which form (manual: `$changeStream`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson.timestamp import Timestamp

from skerry.engine import oplog
from skerry.engine.resume_token import INVALIDATE, ResumeToken
from skerry.errors import (
    BadValueError,
    ChangeStreamFatalError,
    ChangeStreamHistoryLostError,
    CommandError,
    FailedToParseError,
    InvalidOptionsError,
    InvalidResumeTokenError,
    NotImplementedYetError,
)
from skerry.storage import ReadView
from skerry.values.namespace import Namespace

_FULL_DOCUMENT: Final = ("default", "updateLookup", "whenAvailable", "required")
_UNKNOWN_FIELD: Final = 40415


@dataclass(frozen=True, slots=True)
class ChangeStreamOptions:
    """A parsed stage. `db` and `coll` are None where every database or collection is watched.

    `lookup` is None where a post-image is wanted if there is one: there never is, because none are kept.
    """

    db: str | None
    coll: str | None
    lookup: bool | None
    shows_document_before: bool
    show_expanded_events: bool
    resume_after: ResumeToken | None
    start_after: ResumeToken | None
    start_at: int | None

    @classmethod
    def parse(cls, spec: Any, namespace: Namespace, *, collectionless: bool) -> "ChangeStreamOptions":
        """Raises `FailedToParseError`, `InvalidOptionsError`, 40415 for an unknown option, and 238 for pre- and post-images."""
        if not isinstance(spec, Mapping):
            raise FailedToParseError("the $changeStream stage must be specified as an object")
        rest = dict(spec)
        full_document = rest.pop("fullDocument", "default")
        before_change = rest.pop("fullDocumentBeforeChange", "off")
        whole_cluster = rest.pop("allChangesForCluster", False)
        expanded = bool(rest.pop("showExpandedEvents", False))
        resume_after, start_after = rest.pop("resumeAfter", None), rest.pop("startAfter", None)
        start_at = rest.pop("startAtOperationTime", None)
        if rest:
            raise CommandError(f"BSON field '$changeStream.{next(iter(rest))}' is an unknown field.", _UNKNOWN_FIELD)
        if full_document not in _FULL_DOCUMENT:
            raise BadValueError(f"Enumeration value '{full_document}' for field 'fullDocument' is not a valid value.")
        if full_document == "required" or before_change not in ("off", "whenAvailable"):
            raise NotImplementedYetError("change stream pre- and post-images are not implemented")
        if sum(each is not None for each in (resume_after, start_after, start_at)) > 1:
            raise InvalidOptionsError(
                "Only one of 'resumeAfter', 'startAfter' and 'startAtOperationTime' may be specified"
            )
        if start_at is not None and not isinstance(start_at, Timestamp):
            raise FailedToParseError("'startAtOperationTime' must be a timestamp")
        if whole_cluster and namespace.db != "admin":
            raise InvalidOptionsError("A $changeStream with 'allChangesForCluster:true' may only be opened on 'admin'")
        return cls(
            db=None if whole_cluster else namespace.db,
            coll=None if collectionless else namespace.coll,
            lookup=None if full_document == "whenAvailable" else full_document == "updateLookup",
            shows_document_before=before_change == "whenAvailable",
            show_expanded_events=expanded,
            resume_after=None if resume_after is None else ResumeToken.from_document(resume_after),
            start_after=None if start_after is None else ResumeToken.from_document(start_after),
            start_at=None if start_at is None else oplog.as_number(start_at),
        )

    def start_position(self, view: ReadView) -> int:
        """Return the timestamp after which the stream starts.

        Raises `ChangeStreamHistoryLostError` (286) when the oplog no longer reaches back that far, 280 for a token from a
        future that this store does not have (restored from a backup), 260 for resuming after an invalidation.
        """
        newest = oplog.last_timestamp(view)
        token = self.resume_after or self.start_after
        if token is None and self.start_at is None:
            return newest
        if token is not None:
            if self.resume_after is not None and token.kind == INVALIDATE:
                raise InvalidResumeTokenError(
                    "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate"
                    " notification; use 'startAfter'"
                )
            if token.timestamp > newest:
                raise ChangeStreamFatalError("cannot resume stream; the resume token was not found")
            position = token.timestamp
        else:
            assert self.start_at is not None
            position = self.start_at - 1
        check_history(view, position)
        return position


def check_history(view: ReadView, position: int) -> None:
    """Raise `ChangeStreamHistoryLostError` when entries after `position` have been removed from the oplog."""
    if oplog.trimmed_to(view) > position:
        raise ChangeStreamHistoryLostError(
            "Resume of change stream was not possible, as the resume point may no longer be in the oplog."
        )
