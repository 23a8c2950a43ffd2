"""What a command is (`Command`), and one call of it (`Request`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from skerry.commands.client_context import ClientContext
from skerry.commands.command_fields import CommandFields
from skerry.commands.raw_reply import RawReply
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.values.namespace import Namespace, check_database_name

Reply = dict[str, Any] | RawReply

EXTERNAL_DATABASE: Final = "$external"
"""Where the users are who prove themselves by something else than a password kept here: their certificates."""


class InTransaction(Enum):
    """Whether a command may be part of a multi-document transaction (manual: Transactions and Operations)."""

    NO = "no"
    YES = "yes"
    NOT_FIRST = "not first"
    """Informational: allowed, but it cannot open the transaction."""
    ENDS_IT = "ends it"


@dataclass(slots=True)
class Request:
    """One call of a command. `arguments` are its own fields, checked; `body` is the whole decoded message."""

    name: str
    db: str
    body: Mapping[str, Any]
    arguments: Mapping[str, Any]
    raw_body: bytes
    sequences: Mapping[str, list[bytes]]
    ctx: OperationContext
    client: ClientContext
    engine: Engine

    def namespace(self) -> Namespace:
        """The collection that the command's first field names. Raises `InvalidNamespaceError`."""
        return checked_namespace(self.db, self.arguments[self.name])


@dataclass(frozen=True, slots=True)
class Command:
    """A command's place in the table. `is_retryable` says whether it may be a retryable write."""

    run: Callable[[Request], Reply]
    fields: CommandFields
    in_transaction: InTransaction = InTransaction.NO
    is_retryable: bool = False
    admin_only: bool = False
    in_stable_api: bool = False
    awaits: bool = False
    """`maxTimeMS` says how long to wait for data, not how long the command may take."""


@lru_cache(maxsize=4096)
def checked_namespace(db: str, coll: str) -> Namespace:
    """`Namespace.checked`, remembered: a client names the same few collections again and again."""
    return Namespace.checked(db, coll)


@lru_cache(maxsize=256)
def checked_database(name: str) -> str:
    """Return the name of a database that a client sent; `$external` has users only. Raises `InvalidNamespaceError`."""
    if name != EXTERNAL_DATABASE:
        check_database_name(name)
    return name
