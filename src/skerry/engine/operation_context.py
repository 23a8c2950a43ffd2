"""What surrounds one operation: who asks, in which session and transaction, how durable, how long it may take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from skerry.errors import MaxTimeExpiredError

if TYPE_CHECKING:
    from skerry.engine.transactions import Transaction


class Durability(Enum):
    """When an acknowledged write is safe against power loss; against a crash of the process it always is at once."""

    FSYNCED = "fsynced"
    """Before the reply: `{w: "majority"}` (the default) or `{j: true}`."""
    RELAXED = "relaxed"
    """Within 100 ms: `{w: 1, j: false}` or `{w: 0}`."""


@dataclass(slots=True)
class OperationContext:
    """One operation's surroundings; made per command, used by one thread.

    `lsid` is the 16 bytes of the session's UUID. `deadline` is on `time.monotonic`'s clock. `statement_ids` number the
    statements of a retryable write, and `reply_of` makes the reply that is stored with it from the write's result.
    `origin` names the writer in the oplog: "" for clients, a link's name for sync.
    """

    durability: Durability = Durability.FSYNCED
    deadline: float | None = None
    lsid: bytes | None = None
    txn_number: int | None = None
    is_retryable_write: bool = False
    statement_ids: tuple[int, ...] = ()
    reply_of: Callable[[Any], bytes] | None = None
    transaction: "Transaction | None" = None
    origin: str = ""
    bypass_document_validation: bool = False

    def check(self) -> None:
        """Raise `MaxTimeExpiredError` when the operation has used up its `maxTimeMS`."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise MaxTimeExpiredError("operation exceeded time limit")
