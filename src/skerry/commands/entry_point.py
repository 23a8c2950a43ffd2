"""A message in, a reply out: decode, dispatch, run, and turn whatever goes wrong into a reply.

Rules: nothing that a client sends, and no defect of ours, raises out of here; a document that the engine read is not decoded
here again. A command that fails inside a transaction ends the transaction, as with the server.
"""

import logging
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final

from skerry.auth.privileges import Need
from skerry.commands import command_registry
from skerry.commands.client_access import ClientAccess
from skerry.commands.client_context import ClientContext
from skerry.commands.command import Command, InTransaction, Reply, Request, checked_database
from skerry.commands.command_needs import authorize
from skerry.commands.command_span import command_span, note_code
from skerry.commands.generic_arguments import operation_context, write_concern_error
from skerry.commands.raw_reply import RawReply, finish, finish_error, stored_reply
from skerry.commands.slow_commands import note_if_slow
from skerry.commands.write_errors import error_reply
from skerry.engine.engine import Engine
from skerry.engine.logical_sessions import StatementAlreadyExecuted
from skerry.engine.operation_context import OperationContext
from skerry.errors import (
    CommandError,
    CoordinationError,
    NoSuchTransactionError,
    NumericOverflowError,
    StorageError,
    TypeMismatchError,
)
from skerry.tracing import is_tracing
from skerry.values import documents
from skerry.values.type_order import type_name_of
from skerry.wire.op_msg import OpMsg

__all__ = ["ClientContext", "handle"]

_INTERNAL_ERROR: Final = 1
_OPERATION_FAILED: Final = 96
_NO_DATABASE: Final = 40571
_logger: Final = logging.getLogger("skerry.commands")


def handle(message: OpMsg, client: ClientContext, engine: Engine) -> bytes | None:
    """Answer one command with a BSON reply, or with None when the sender wants none.

    Never raises: every failure is a reply with `ok: 0`. The handshake in its old envelope comes here as well: `wire.op_query`
    makes an `OpMsg` of it.
    """
    started = time.perf_counter()
    reply = _answer(message, client, engine)
    engine.operations.observe(message.command_name, time.perf_counter() - started)
    return None if message.more_to_come else reply


def _answer(message: OpMsg, client: ClientContext, engine: Engine) -> bytes:
    body: Mapping[str, Any] = {}
    try:
        body = documents.decode(message.body)
        return finish(_run(body, message, client, engine), engine.cluster_time())
    except CommandError as error:
        known = error
    except CoordinationError as error:
        known = error.command_error()
    except RecursionError:
        known = NumericOverflowError(f"Document exceeds maximum nested object depth of {documents.MAX_NESTING_DEPTH}")
    except StorageError as error:
        _logger.error("command %s: storage failure: %s", message.command_name, error)
        known = CommandError(str(error), _OPERATION_FAILED)
    except Exception as error:
        # As text, because a renderer of tracebacks would show the documents in the frames' variables.
        _logger.error("command %s failed unexpectedly:\n%s", message.command_name, traceback.format_exc())
        known = CommandError(f"{type(error).__name__}: {error}", _INTERNAL_ERROR)
    return _failure(known, body, engine)


def _failure(error: CommandError, body: Mapping[str, Any], engine: Engine) -> bytes:
    in_transaction = body.get("autocommit") is False
    engine.operations.failed(next(iter(body), ""))
    reply = error_reply(
        error,
        in_transaction=in_transaction,
        is_retryable="txnNumber" in body and (not in_transaction or "commitTransaction" in body),
    )
    try:
        return finish_error(reply, engine.cluster_time())
    except CommandError:  # a detail has no BSON form; that must not cost the reply
        for name in error.details:
            del reply[name]
        return finish_error(reply, engine.cluster_time())


def _run(body: Mapping[str, Any], message: OpMsg, client: ClientContext, engine: Engine) -> Reply:
    name = next(iter(body), "")
    command = command_registry.find(name)
    db = body.get("$db")
    if not isinstance(db, str):
        raise _wrong_database(db)
    checked_database(db)
    access = client.access
    needs = () if access is None else authorize(name, db, body, message, access)
    if command.admin_only and db != "admin":
        raise CommandError(f"{name} may only be run against the admin database.", 13)
    ctx = operation_context(body, command, is_local=client.is_local)
    ctx.interruption = client.interruption
    if access is not None:
        _speak_for(access, ctx, needs)
    request = Request(
        name,
        db,
        body,
        command.fields.read(_with_sequences(body, message)),
        message.body,
        message.sequences,
        ctx,
        client,
        engine,
    )
    started = time.perf_counter()
    try:
        reply = _traced_reply(command, request) if is_tracing() else _reply(command, request)
    except CommandError as error:
        note_if_slow(request, time.perf_counter() - started, None, error.code)
        raise
    note_if_slow(request, time.perf_counter() - started, reply)
    return reply


def _traced_reply(command: Command, request: Request) -> Reply:
    with command_span(request) as made:
        try:
            return _reply(command, request)
        except CommandError as error:
            note_code(made, error)
            raise


def _reply(command: Command, request: Request) -> Reply:
    if "autocommit" in request.body and command.in_transaction is InTransaction.YES:
        return _run_in_transaction(command, request)
    try:
        reply = command.run(request)
    except StatementAlreadyExecuted as executed:
        reply = stored_reply(executed.reply)
    if "writeConcern" in request.body:
        _add_write_concern_error(reply, request.body)
    return reply


def _speak_for(access: ClientAccess, ctx: OperationContext, needs: tuple[Need, ...]) -> None:
    ctx.client = access.client
    ctx.needs = needs
    if ctx.lsid is not None and access.user is not None:
        ctx.lsid += access.user.digest


def _wrong_database(db: Any) -> CommandError:
    if db is None:
        return CommandError("OP_MSG requests require a $db argument", _NO_DATABASE)
    return TypeMismatchError(f"BSON field '$db' is the wrong type '{type_name_of(db)}', expected type 'string'")


def _with_sequences(body: Mapping[str, Any], message: OpMsg) -> Mapping[str, Any]:
    """The body with an empty array in the place of each sequence, whose documents the handlers take as bytes."""
    if not message.sequences:
        return body
    merged = dict(body)
    for name in message.sequences:
        if name in merged:
            raise CommandError(f"BSON field '{next(iter(body))}.{name}' is a duplicate field", 40413)
        merged[name] = []
    return merged


def _run_in_transaction(command: Command, request: Request) -> Reply:
    ctx, engine = request.ctx, request.engine
    assert ctx.lsid is not None
    assert ctx.txn_number is not None
    if "startTransaction" in request.body:
        transaction = engine.begin_transaction(ctx)
    else:
        transaction = engine.transaction(ctx.lsid, ctx.txn_number)
    try:
        with transaction.lock:
            ctx.transaction = transaction
            reply = command.run(request)
    except BaseException:
        _abort(engine, ctx)
        raise
    if isinstance(reply, dict) and "writeErrors" in reply:
        _abort(engine, ctx)
    return reply


def _abort(engine: Engine, ctx: OperationContext) -> None:
    assert ctx.lsid is not None
    assert ctx.txn_number is not None
    try:
        engine.abort_transaction(ctx.lsid, ctx.txn_number)
    except NoSuchTransactionError:
        pass  # it has ended by itself, for example by its lifetime limit


def _add_write_concern_error(reply: Reply, body: Mapping[str, Any]) -> None:
    error = write_concern_error(body)
    if error is None:
        return
    if isinstance(reply, RawReply):
        reply.pieces.append(documents.encode({"writeConcernError": error})[4:-1])
    else:
        reply["writeConcernError"] = error
