"""Shadow, local and hub compared: what to do about one document of the hub, seen in the stream or read from it.

The same decision serves the change stream, the first copy of a collection and the walk after the stream's history was lost;
"in the shadow but not on the hub" means deleted there, "on neither" means created here.
"""

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
    """It is the base, but here the document was written past the outbox: make it dirty now."""
    PUSH = "push"
    """It exists only here and the hub has never heard of it."""


def decide(
    shadow: Shadow | None, *, local: bytes | None, remote: bytes | None, position: Position, adds_up: bool = False
) -> Action:
    """Decide about an event of the stream. A document in flight must have its batch settled or fenced before.

    `adds_up`: something in it is counted, so equal changes on both sides are two changes.
    """
    if shadow is not None and position <= shadow.position:
        return Action.SKIP
    return _compare(shadow, local, remote, adds_up=adds_up)


def decide_read(
    shadow: Shadow | None, *, local: bytes | None, remote: bytes | None, adds_up: bool = False
) -> Action:
    """Decide about a version just read from the hub: it is never older than any event applied before the reading."""
    if shadow is None and remote is None and local is not None:
        return Action.PUSH
    return _compare(shadow, local, remote, adds_up=adds_up)


def _compare(shadow: Shadow | None, local: bytes | None, remote: bytes | None, *, adds_up: bool) -> Action:
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
        return _compare_clean(shadow, local, remote)
    if remote == shadow.base:
        return Action.ADVANCE
    if remote == local and not (adds_up and remote is not None and shadow.base is not None):
        return Action.AGREE
    return Action.MERGE


def _compare_clean(shadow: Shadow, local: bytes | None, remote: bytes | None) -> Action:
    if local == shadow.base:
        return Action.ADVANCE if remote == shadow.base else Action.APPLY
    # Lost here (a dropped collection), or written by a process that captures nothing: bring back the one, keep the other.
    if local is None:
        return Action.APPLY
    if remote == shadow.base:
        return Action.CAPTURE
    return Action.AGREE if remote == local else Action.MERGE
