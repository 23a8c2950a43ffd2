"""Shadow, local and hub compared: what to do about one document of the hub, seen in the stream or read from it.

The same decision serves the change stream, the first copy of a collection and the walk after the stream's history was lost;
"in the shadow but not on the hub" means deleted there, "on neither" means created here.
"""

from collections.abc import Collection
from enum import Enum

from skerry.sync.protocol.document_state import Position, Shadow, State


class Action(Enum):
    """What to do about the hub's version of a document."""

    SKIP = "skip"
    """Already part of what is here, or older than what we have pushed."""
    ADVANCE = "advance"
    """It is the base: note the position."""
    APPLY = "apply"
    """Take the hub's version; nothing was written here."""
    AGREE = "agree"
    """Both sides made the same version: it is the base."""
    MERGE = "merge"
    """Written on both sides since the base."""
    CAPTURE = "capture"
    """It is the base, or nobody asks what it is, but here the document was written past the outbox: make it dirty now."""
    PUSH = "push"
    """It exists only here and the hub has never heard of it."""
    ECHO = "echo"
    """It is what a push of ours carried whose outcome was not clear: it is the base now, and was written here since."""
    EVICT = "evict"
    """The hub has it, but this node does not want it any more: it goes from here, and stays there."""


def decide(
    shadow: Shadow | None,
    *,
    local: bytes | None,
    remote: bytes | None,
    position: Position,
    adds_up: bool = False,
    trusts_absence: bool = False,
    in_doubt: Collection[bytes | None] = (),
) -> Action:
    """Decide about an event of the stream. A document in flight must have its batch settled or fenced before.

    `adds_up`: something in it is counted, so equal changes on both sides are two changes. `trusts_absence`: what is missing here
    was deleted, even if that was not captured. `in_doubt`: what was pushed from this base without a clear outcome.
    """
    if shadow is not None and position <= shadow.position:
        return Action.SKIP
    return _compare(shadow, local, remote, adds_up=adds_up, trusts_absence=trusts_absence, in_doubt=in_doubt)


def decide_read(
    shadow: Shadow | None,
    *,
    local: bytes | None,
    remote: bytes | None,
    adds_up: bool = False,
    trusts_absence: bool = False,
    in_doubt: Collection[bytes | None] = (),
) -> Action:
    """Decide about a version just read from the hub: it is never older than any event applied before the reading."""
    if shadow is None and remote is None and local is not None:
        return Action.PUSH
    return _compare(shadow, local, remote, adds_up=adds_up, trusts_absence=trusts_absence, in_doubt=in_doubt)


def decide_unread(shadow: Shadow | None, *, local: bytes | None, trusts_absence: bool = False) -> Action:
    """Decide about a document that only travels upwards: what the hub has of it is of no concern, and not read."""
    if shadow is None:
        return Action.SKIP if local is None else Action.PUSH
    is_written = shadow.state is State.CLEAN and local != shadow.base
    return Action.CAPTURE if is_written and (local is not None or trusts_absence) else Action.SKIP


def within_scope(action: Action, shadow: Shadow | None, *, local_is_in: bool, remote_is_in: bool) -> Action:
    """Narrow what was decided for a node that wants only some documents; a deleted one counts as in scope.

    What was written here and not pushed goes up first, in scope or not. Where the outcome is a version out of scope, the caller
    evicts it once both sides agree.
    """
    if remote_is_in:
        return action if local_is_in or action is not Action.PUSH else Action.SKIP
    if shadow is None:
        return Action.SKIP
    is_agreed = action in (Action.APPLY, Action.AGREE) or (action is Action.ADVANCE and shadow.state is State.CLEAN)
    return Action.EVICT if is_agreed else action


def _compare(
    shadow: Shadow | None,
    local: bytes | None,
    remote: bytes | None,
    *,
    adds_up: bool,
    trusts_absence: bool,
    in_doubt: Collection[bytes | None],
) -> Action:
    if shadow is None:
        if remote == local:
            return Action.AGREE if remote is not None else Action.SKIP
        if local is None:
            return Action.APPLY
        return Action.MERGE if remote is not None else Action.SKIP
    if shadow.state is State.INFLIGHT:
        raise ValueError("a document in flight needs its batch resolved first")
    if shadow.state is State.AWAIT:
        # Our write was compared with the hub's newest version then, so it supersedes whatever comes before its echo.
        return Action.SKIP
    if shadow.state is State.CLEAN:
        return _compare_clean(shadow, local, remote, trusts_absence=trusts_absence)
    if remote == shadow.base:
        return Action.ADVANCE
    if remote == local and not (adds_up and remote is not None and shadow.base is not None):
        return Action.AGREE
    if remote in in_doubt and not adds_up:  # of equal counts nobody knows whether they are one
        return Action.ECHO
    return Action.MERGE


def _compare_clean(shadow: Shadow, local: bytes | None, remote: bytes | None, *, trusts_absence: bool) -> Action:
    if local == shadow.base:
        return Action.ADVANCE if remote == shadow.base else Action.APPLY
    # Lost here (a dropped collection), or written by a process that captures nothing: bring back the one, keep the other.
    if local is None and not trusts_absence:
        return Action.APPLY
    if remote == shadow.base:
        return Action.CAPTURE
    return Action.AGREE if remote == local else Action.MERGE
