"""What a link knows of one document (its shadow), and what each thing that can happen to it makes of that.

`CLEAN → DIRTY → INFLIGHT(batch) → AWAIT(batch) → CLEAN`, besides `QUARANTINED`. The *base* is the last version both sides agreed
on. A shadow that would say "clean, and there is no document" is not kept: the functions then return None.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

import xxhash

_POSITION: Final = struct.Struct(">QI")


class State(IntEnum):
    """Where a document stands between this node and its hub; the numbers are stored."""

    CLEAN = 0
    """Local version and base are the same."""
    DIRTY = 1
    """Written here since the base; to be pushed."""
    INFLIGHT = 2
    """In a batch whose outcome is not known yet."""
    AWAIT = 3
    """In a batch that the hub has committed; its echo has not come back through the change stream."""
    QUARANTINED = 4
    """The hub refuses it; tried again later, or when it is written again."""


class Position(NamedTuple):
    """A place in the hub's stream: cluster time (seconds << 32 | increment), and the how-manieth event of that time."""

    time: int
    ordinal: int

    def encode(self) -> bytes:
        """Return 12 bytes in the order of positions."""
        return _POSITION.pack(self.time, self.ordinal)

    @classmethod
    def decode(cls, raw: bytes | None) -> "Position":
        """Return the position that `encode` wrote, the very beginning for None."""
        return BEGINNING if raw is None else cls(*_POSITION.unpack(raw))


BEGINNING: Final = Position(0, 0)


class Shadow(NamedTuple):
    """One document as a link knows it. Hashes are None for "no document".

    `position` is the newest event that is part of the base. `pushed` is what batch number `batch` carries. `first_write` orders
    the dirty documents; stamps (`first_hlc`, `last_hlc`) are hybrid logical times, of the base's version while it is clean.
    """

    state: State = State.CLEAN
    base: bytes | None = None
    position: Position = BEGINNING
    batch: int | None = None
    pushed: bytes | None = None
    first_write: int | None = None
    first_hlc: int = 0
    last_hlc: int = 0
    attempts: int = 0
    next_retry: int | None = None
    error: str | None = None


def content_hash(raw: bytes | None) -> bytes | None:
    """Return 16 bytes that stand for a document's exact BSON, None for no document."""
    return None if raw is None else xxhash.xxh3_128_digest(raw)


def sent(shadow: Shadow, batch: int, pushed: bytes | None) -> Shadow:
    """A batch is about to carry the document's present version."""
    return shadow._replace(state=State.INFLIGHT, batch=batch, pushed=pushed)


def acknowledged(shadow: Shadow) -> Shadow:
    """The hub has committed the batch; nothing older may be taken from the stream until the echo."""
    return shadow._replace(state=State.AWAIT, attempts=0, next_retry=None, error=None)


def not_written(shadow: Shadow, *, retry_at: int | None = None) -> Shadow:
    """The batch surely did not carry it: still dirty. `retry_at` (ms) keeps it out of batches until pull has brought news."""
    attempts = shadow.attempts if retry_at is None else shadow.attempts + 1
    return shadow._replace(state=State.DIRTY, batch=None, pushed=None, attempts=attempts, next_retry=retry_at)


def refused(shadow: Shadow, error: str, *, retry_at: int) -> Shadow:
    """The hub refuses this one document."""
    kept = shadow._replace(state=State.QUARANTINED, batch=None, pushed=None, error=error)
    return kept._replace(attempts=shadow.attempts + 1, next_retry=retry_at)


def settled(shadow: Shadow, *, local: bytes | None, position: Position) -> Shadow | None:
    """The echo of the document's batch has come: what was pushed is the base now; a later local write leaves it dirty."""
    base = shadow.pushed
    if local == base:
        return integrated(base, position, shadow.last_hlc)
    return shadow._replace(state=State.DIRTY, base=base, position=position, batch=None, pushed=None)


def recognised(shadow: Shadow, pushed: bytes | None, position: Position) -> Shadow:
    """A version of the hub is what a push of ours carried whose outcome was not clear: it is the base of what is here."""
    return shadow._replace(base=pushed, position=position, attempts=0, next_retry=None)


def integrated(remote: bytes | None, position: Position, stamp: int) -> Shadow | None:
    """Both sides have the version `remote`."""
    if remote is None:
        return None
    return Shadow(State.CLEAN, remote, position, first_hlc=stamp, last_hlc=stamp)


def rebased(shadow: Shadow | None, remote: bytes | None, position: Position, *, order: int, stamp: int) -> Shadow:
    """The local version now contains the hub's, and more: dirty on the new base. `order` is for a shadow that was not dirty."""
    old = shadow or Shadow(first_write=order, first_hlc=stamp, last_hlc=stamp)
    first_write = order if old.first_write is None else old.first_write
    last = max(old.last_hlc, stamp)
    return Shadow(State.DIRTY, remote, position, first_write=first_write, first_hlc=old.first_hlc, last_hlc=last)


def advanced(shadow: Shadow, position: Position) -> Shadow:
    """The hub's version at `position` is the base: nothing changes here. What the hub refuses is still tried at its time."""
    is_refused = shadow.state is State.QUARANTINED
    return shadow._replace(position=position, next_retry=shadow.next_retry if is_refused else None)
