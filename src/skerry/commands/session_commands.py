"""Sessions and the end of their transactions (manual: Sessions Commands).

A session needs no start: it exists from the first command that names it until it is ended, or idle for its time-out.
"""

import uuid
from typing import Any, Final

from bson.binary import UUID_SUBTYPE, Binary

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.commands.generic_arguments import session_id
from skerry.commands.hello import SESSION_TIMEOUT_MINUTES
from skerry.errors import CommandError, InvalidOptionsError

_TRANSACTION_REQUIRED: Final = 125  # CommandFailed


def _start_session(_request: Request) -> dict[str, Any]:
    return {"id": {"id": Binary(uuid.uuid4().bytes, UUID_SUBTYPE)}, "timeoutMinutes": SESSION_TIMEOUT_MINUTES}


def _end_sessions(request: Request) -> dict[str, Any]:
    request.engine.end_sessions(_own_sessions(request))
    return {}


def _refresh_sessions(request: Request) -> dict[str, Any]:
    """Keep the sessions' cursors that have no time-out of their own; nothing else of a session ends with it."""
    for lsid in _own_sessions(request):
        request.engine.cursors.refresh_session(lsid)
    return {}


def _own_sessions(request: Request) -> list[bytes]:
    access = request.client.access
    digest = b"" if access is None or access.user is None else access.user.digest  # a user has his own sessions only
    return [lsid + digest for lsid in request.arguments[request.name]]


def _commit_transaction(request: Request) -> dict[str, Any]:
    lsid, txn_number = _transaction_of(request)
    request.engine.commit_transaction(lsid, txn_number, request.ctx)
    return {}


def _abort_transaction(request: Request) -> dict[str, Any]:
    lsid, txn_number = _transaction_of(request)
    request.engine.abort_transaction(lsid, txn_number)
    return {}


def _transaction_of(request: Request) -> tuple[bytes, int]:
    ctx = request.ctx
    if ctx.lsid is None or ctx.txn_number is None:
        raise CommandError(f"{request.name} must be run within a transaction", _TRANSACTION_REQUIRED)
    if "autocommit" not in request.body:
        raise InvalidOptionsError(f"{request.name} requires autocommit: false")
    return ctx.lsid, ctx.txn_number


def _session_ids(value: Any, command: str, field: str) -> list[bytes]:
    return [session_id(each) for each in fields.array_of_documents(value, command, field)]


def _sessions_command(name: str, run: Any) -> Command:
    return Command(
        run, CommandFields(name, {name: _session_ids}, required=(name,)), in_stable_api=name != "killSessions"
    )


def _transaction_command(name: str, run: Any) -> Command:
    readers = {name: fields.anything, "recoveryToken": fields.anything}
    return Command(
        run,
        CommandFields(name, readers, required=(name,)),
        InTransaction.ENDS_IT,
        is_retryable=True,
        admin_only=True,
        in_stable_api=True,
    )


ABORT_TRANSACTION: Final = _transaction_command("abortTransaction", _abort_transaction)
COMMIT_TRANSACTION: Final = _transaction_command("commitTransaction", _commit_transaction)
END_SESSIONS: Final = _sessions_command("endSessions", _end_sessions)
KILL_SESSIONS: Final = _sessions_command("killSessions", _end_sessions)
REFRESH_SESSIONS: Final = _sessions_command("refreshSessions", _refresh_sessions)
START_SESSION: Final = Command(
    _start_session, CommandFields("startSession", {"startSession": fields.anything}, required=("startSession",))
)
