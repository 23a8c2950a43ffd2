"""`masterIndex`: skerry's own command for the index of a database and the leases in it.

`{masterIndex: <method of IndexStore>, arguments: {…}}` is answered with `{result: …}`. MongoDB has no such command; clients use
it through `CommandIndexStore`. `guard` belongs into the transaction that it guards.
"""

from collections.abc import Mapping
from typing import Any, Final

from skerry.catalog.index_records import Change, CollectionRecord, CommitGuard, Lease, fields_of
from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.engine.sqlite_index_store import SqliteIndexStore
from skerry.errors import BadValueError, OperationNotSupportedInTransactionError

_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "add": frozenset({"name", "fields"}),
    "collection": frozenset({"name"}),
    "collections": frozenset(),
    "drop_expired_leases": frozenset(),
    "flush": frozenset(),
    "history": frozenset({"name"}),
    "lease": frozenset({"name"}),
    "leases": frozenset(),
    "release_lease": frozenset({"name", "owner"}),
    "remove": frozenset({"name"}),
    "renew_lease": frozenset({"name", "owner", "duration_ms"}),
    "take_lease": frozenset({"name", "owner", "duration_ms"}),
    "update": frozenset({"name", "fields", "operation"}),
}
"""What each method of a store must be given."""
_GUARD: Final = "guard"


def _master_index(request: Request) -> dict[str, Any]:
    method, arguments = request.arguments["masterIndex"], request.arguments.get("arguments", {})
    if method == _GUARD:
        return _guard(request, arguments)
    if request.ctx.transaction is not None:
        raise OperationNotSupportedInTransactionError(
            f"masterIndex '{method}' is not supported in a multi-document transaction"
        )
    parameters = _PARAMETERS.get(method)
    if parameters is None:
        raise BadValueError(f"masterIndex has no method '{method}'")
    if arguments.keys() != parameters:
        raise BadValueError(f"masterIndex '{method}' takes {sorted(parameters)}, not {sorted(arguments)}")
    store = SqliteIndexStore(request.engine.storage, request.db)
    return {"result": _plain(getattr(store, method)(**arguments))}


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
    if isinstance(result, Lease | CollectionRecord | Change):
        return {name: _plain(value) for name, value in fields_of(result).items()}
    return result


MASTER_INDEX: Final = Command(
    _master_index,
    CommandFields(
        "masterIndex", {"masterIndex": fields.string, "arguments": fields.document}, required=("masterIndex",)
    ),
    InTransaction.YES,
)
