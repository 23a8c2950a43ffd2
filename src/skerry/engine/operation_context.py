"""What surrounds one operation: who asks, in which session and transaction, how durable, how long it may take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from skerry.auth.privileges import Need
from skerry.errors import InterruptedAtShutdownError, MaxTimeExpiredError
from skerry.planner.query_solution import QuerySolution

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


class Interruption:
    """Whether operations that are going on have to end; one for all that come through a door, set once, by any thread."""

    __slots__ = ("is_requested",)

    def __init__(self) -> None:
        self.is_requested = False


UNINTERRUPTED: Final = Interruption()
"""Of operations that nobody has to wait for."""


PLANS_MAX: Final = 16
"""So many plans of one operation are told apart; a pipeline may make one for each document of its input."""


class Check(Protocol):
    """Called between steps of the work: counts what was examined, and raises when the operation has to end."""

    def __call__(self, examined: int = 0, solution: QuerySolution | None = None) -> None: ...


@dataclass(slots=True)
class OperationContext:
    """One operation's surroundings; made per command, used by one thread.

    `lsid` is the 16 bytes of the session's UUID, and 32 more of the user's digest where there is a user: sessions of different
    users are different sessions. `deadline` is on `time.monotonic`'s clock. `reply_of` makes the reply that is stored
    with a retryable write from the write's result. `client` is None for the owner, who is in the process; `needs` is what the
    client had to be allowed. `origin` names the writer in the oplog: "" for clients, a link's name for sync.
    `examined` has how many documents each plan gave, `waited_seconds` how long the operation waited for something to happen,
    because it was asked to.
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
    interruption: Interruption = UNINTERRUPTED
    examined: list[tuple[QuerySolution, int]] = field(default_factory=list)
    waited_seconds: float = 0.0

    def check(self, examined: int = 0, solution: QuerySolution | None = None) -> None:
        """Count the documents of a chunk that `solution` gave, for the log of slow operations.

        Raise `MaxTimeExpiredError` when `maxTimeMS` is used up, `InterruptedAtShutdownError` when the door is closing.
        """
        if solution is not None:
            self._count(solution, examined)
        if self.interruption.is_requested:
            raise InterruptedAtShutdownError("interrupted at shutdown")
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise MaxTimeExpiredError("operation exceeded time limit")

    def _count(self, solution: QuerySolution, examined: int) -> None:
        plans = self.examined
        if plans and (plans[-1][0] is solution or len(plans) == PLANS_MAX):
            plans[-1] = (plans[-1][0], plans[-1][1] + examined)
        else:
            plans.append((solution, examined))
