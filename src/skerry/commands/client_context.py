"""`ClientContext`: who is at the other end of a connection."""

from dataclasses import dataclass

from skerry.commands.client_access import ClientAccess
from skerry.engine.operation_context import UNINTERRUPTED, Interruption


@dataclass(frozen=True, slots=True)
class ClientContext:
    """One connection; made by its door, shared by its commands.

    `address` is the client's own (`host:port`, "" where it has none). `host` is the address by which the client reached
    this node; `hello` names it as the only member of the replica set, so that discovery works behind names and NAT.
    `access` says who the client is and what he may do; None is the owner, which only a door of this process may say of a client.
    `is_local` is true for the in-process door, which cannot lose a reply and so needs no memory of retryable writes.
    `interruption` is set when the door closes and can wait no longer for the operations that came through it.
    """

    connection_id: int
    address: str
    is_local: bool
    host: str
    access: ClientAccess | None = None
    interruption: Interruption = UNINTERRUPTED
