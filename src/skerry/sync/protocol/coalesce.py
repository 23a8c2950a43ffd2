"""What the dirty set becomes when another local write arrives for a document: one entry, its base and its last version.

An insert that is deleted before it was pushed leaves nothing; everything else is one dirty document, however often it was
written, so that weeks offline cost as much as the documents touched.
"""

from enum import Enum
from typing import NamedTuple

from skerry.sync.protocol.document_state import Shadow, State


class Keep(Enum):
    """Which role the version before the write has, so that a later merge can see it."""

    NOTHING = "nothing"
    BASE = "base"
    """It is the base; keep it while the document is dirty."""
    PUSHED = "pushed"
    """It is what a batch carries (if nothing was kept as that yet): the base once the batch's echo comes."""


class Noted(NamedTuple):
    """The shadow after the write, None when nothing is left to know; and what to keep of the version before."""

    shadow: Shadow | None
    keep: Keep


def note_local_write(shadow: Shadow | None, *, is_delete: bool, order: int, stamp: int) -> Noted:
    """Take a local write into account; `order` grows with every write, `stamp` is the write's hybrid logical time."""
    if shadow is None:
        if is_delete:
            return Noted(None, Keep.NOTHING)
        fresh = Shadow(State.DIRTY, first_write=order, first_hlc=stamp, last_hlc=stamp)
        return Noted(fresh, Keep.NOTHING)
    stamp = max(stamp, shadow.last_hlc + 1)
    if shadow.state is State.CLEAN:
        dirty = shadow._replace(state=State.DIRTY, first_write=order, first_hlc=stamp, last_hlc=stamp)
        return Noted(dirty, Keep.BASE)
    if shadow.state in (State.INFLIGHT, State.AWAIT):
        return Noted(shadow._replace(last_hlc=stamp), Keep.PUSHED)
    if is_delete and shadow.base is None:
        return Noted(None, Keep.NOTHING)
    if shadow.state is State.QUARANTINED:
        return Noted(shadow._replace(state=State.DIRTY, last_hlc=stamp, next_retry=None), Keep.NOTHING)
    return Noted(shadow._replace(last_hlc=stamp), Keep.NOTHING)
