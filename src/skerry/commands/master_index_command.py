"""`masterIndex`: skerry's own command for the index of a database and the leases in it.

`{masterIndex: <method of IndexStore>, arguments: {…}}` is answered with `{result: …}`. MongoDB has no such command; clients use
it through `CommandIndexStore`. `guard` belongs into the transaction that it guards.
"""

import inspect
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Final

from bson.int64 import Int64

from skerry.catalog.index_records import CommitGuard
from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.engine.sqlite_index_store import SqliteIndexStore
from skerry.errors import BadValueError, OperationNotSupportedInTransactionError

_METHODS: Final = frozenset(
    {
        "add",
        "collection",
        "collections",
        "drop_expired_leases",
        "flush",
        "history",
        "lease",
        "leases",
        "release_lease",
        "remove",
        "renew_lease",
        "take_lease",
        "update",
    }
)
_GUARD: Final = "guard"


def _master_index(request: Request) -> dict[str, Any]:
    method, arguments = request.arguments["masterIndex"], request.arguments.get("arguments", {})
    if method == _GUARD:
        return _guard(request, arguments)
    if request.ctx.transaction is not None:
        raise OperationNotSupportedInTransactionError(
            f"masterIndex '{method}' is not supported in a multi-document transaction"
        )
    if method not in _METHODS:
        raise BadValueError(f"masterIndex has no method '{method}'")
    run = getattr(SqliteIndexStore(request.engine.storage, request.db), method)
    try:
        call = inspect.signature(run).bind(**arguments)
    except TypeError as error:
        raise BadValueError(f"masterIndex '{method}': {error}") from error
    return {"result": _plain(run(*call.args, **call.kwargs))}


def _guard(request: Request, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Attach the guard to the transaction; the commit checks it."""
    if request.ctx.transaction is None:
        raise BadValueError("masterIndex 'guard' needs the transaction that it guards")
    try:
        guard = CommitGuard(**arguments["guard"])
    except (KeyError, TypeError) as error:
        raise BadValueError(f"masterIndex 'guard': {error}") from error
    request.ctx.transaction.guards.append((request.db, guard))
    return {"result": None}


def _plain(result: Any) -> Any:
    """A result of the store as BSON has it."""
    if isinstance(result, list):
        return [_plain(each) for each in result]
    if is_dataclass(result) and not isinstance(result, type):
        return _plain(asdict(result))
    if isinstance(result, Mapping):
        return {name: _plain(value) for name, value in result.items()}
    if isinstance(result, int) and not isinstance(result, bool):
        return Int64(result)
    return result


MASTER_INDEX: Final = Command(
    _master_index,
    CommandFields(
        "masterIndex", {"masterIndex": fields.string, "arguments": fields.document}, required=("masterIndex",)
    ),
    InTransaction.YES,
)
