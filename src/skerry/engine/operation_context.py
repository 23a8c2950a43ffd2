"""What surrounds one operation: who asks, in which session and transaction, how durable, how long it may take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from skerry.auth.privileges import Need
from skerry.errors import MaxTimeExpiredError

if TYPE_CHECKING:
    from skerry.engine.transactions import Transaction


ClientKey = tuple[str, bytes]
"""Whose share a cursor or a transaction is taken from: an address or a connection, and the digest of the user's name or b""."""


class Durability(Enum):
    """When an acknowledged write is safe against power loss; against a crash of the process it always is at once."""

    FSYNCED = "fsynced"
    """Before the reply: `{w: "majority"}` (the default) or `{j: true}`."""
    RELAXED = "relaxed"
    """Within 100 ms: `{w: 1, j: false}` or `{w: 0}`."""


@dataclass(slots=True)
class OperationContext:
    """One operation's surroundings; made per command, used by one thread.

    `lsid` is the 16 bytes of the session's UUID, and 32 more of the user's digest where there is a user: sessions of different
    users are different sessions. `deadline` is on `time.monotonic`'s clock. `reply_of` makes the reply that is stored
    with a retryable write from the write's result. `client` is None for the owner, who is in the process; `needs` is what the
    client had to be allowed. `origin` names the writer in the oplog: "" for clients, a link's name for sync.
    """

    durability: Durability = Durability.FSYNCED
    deadline: float | None = None
    lsid: bytes | None = None
    txn_number: int | None = None
    is_retryable_write: bool = False
    reply_of: Callable[[Any], bytes] | None = None
    transaction: "Transaction | None" = None
    origin: str = ""
    bypass_document_validation: bool = False
    client: ClientKey | None = None
    needs: tuple[Need, ...] = ()
    keep_empty_timestamps: bool = False

    def check(self) -> None:
        """Raise `MaxTimeExpiredError` when the operation has used up its `maxTimeMS`."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise MaxTimeExpiredError("operation exceeded time limit")
