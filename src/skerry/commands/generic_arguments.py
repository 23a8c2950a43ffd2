"""The fields that any command may carry (`lsid`, `writeConcern`, `maxTimeMS` …), read into an `OperationContext`.

Durability follows the write concern: without one, with `w: "majority"` or with `j: true` a write is fsynced before its reply;
only an explicit `{w: <number>, j: false}`, or `w: 0`, relaxes that. Read concerns need nothing: a read of this one node sees
only what is committed, and it never goes back behind a time that it gave out.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from bson.binary import Binary

from skerry.commands.command import Command, InTransaction
from skerry.commands.command_fields import MISSING_FIELD, CommandFields, boolean, count_of, document, truth
from skerry.engine.operation_context import Durability, OperationContext
from skerry.errors import (
    BadValueError,
    CommandError,
    FailedToParseError,
    InvalidOptionsError,
    NotImplementedYetError,
    OperationNotSupportedInTransactionError,
    TypeMismatchError,
)
from skerry.values import numbers
from skerry.values.type_order import type_name_of

NOT_A_RETRYABLE_WRITE: Final = 50768
UNSATISFIABLE_WRITE_CONCERN: Final = 100
UNKNOWN_WRITE_CONCERN: Final = 79
_API_VERSION_ERROR: Final = 322
API_STRICT_ERROR: Final = 323
_UUID_BYTES: Final = 16
_SERVER_DATABASES: Final = frozenset(("admin", "config", "local"))
_READ_CONCERN_LEVELS: Final = ("available", "local", "majority", "linearizable", "snapshot")
_MAX_TIME_MS_MAX: Final = (1 << 31) - 1

_READ_CONCERN: Final = CommandFields(
    "readConcern",
    {
        "level": lambda value, _command, _field: value,
        "afterClusterTime": lambda value, _command, _field: value,
        "provenance": lambda value, _command, _field: value,
    },
    generic=False,
)
_WRITE_CONCERN_FIELDS: Final = frozenset(
    {"w", "j", "fsync", "wtimeout", "wtimeoutMS", "provenance", "getLastError", "wOpTime", "wElectionId"}
)


def operation_context(body: Mapping[str, Any], command: Command, *, is_local: bool) -> OperationContext:
    """Return the surroundings of a command; a transaction that it belongs to is still to be looked up.

    Raises TypeMismatchError, InvalidOptionsError, FailedToParseError, OperationNotSupportedInTransactionError …
    """
    get = body.get
    ctx = OperationContext()
    lsid = get("lsid")
    if lsid is not None:
        ctx.lsid = session_id(lsid)
    milliseconds = get("maxTimeMS")
    if milliseconds is not None and not command.awaits:
        limit = max_time_ms(milliseconds, command.fields.name)
        if limit:
            ctx.deadline = time.monotonic() + limit / 1000
    concern = get("writeConcern")
    if concern is not None:
        ctx.durability = durability(concern)
    concern = get("readConcern")
    if concern is not None:
        _check_read_concern(concern, in_transaction="autocommit" in body)
    if "txnNumber" in body or "autocommit" in body or "startTransaction" in body:
        _read_transaction_fields(body, command, ctx, is_local=is_local)
    if "apiVersion" in body or "apiStrict" in body or "apiDeprecationErrors" in body:
        _check_api(body, command)
    return ctx


def session_id(lsid: Any) -> bytes:
    """Return the 16 bytes of `{id: <UUID>}`. Raises TypeMismatchError, CommandError 40414."""
    if not isinstance(lsid, Mapping):
        raise TypeMismatchError(f"BSON field 'lsid' is the wrong type '{type_name_of(lsid)}', expected type 'object'")
    uuid = lsid.get("id")
    if uuid is None:
        raise CommandError("BSON field 'OperationSessionInfo.lsid.id' is missing but a required field", MISSING_FIELD)
    if not isinstance(uuid, Binary) or uuid.subtype != 4 or len(uuid) != _UUID_BYTES:
        raise TypeMismatchError("BSON field 'OperationSessionInfo.lsid.id' is the wrong type, expected a UUID")
    return bytes(uuid)


def max_time_ms(value: Any, command: str) -> int:
    """Return a time limit in milliseconds; 0 is none. Raises BadValueError, TypeMismatchError."""
    limit = count_of(value, command, "maxTimeMS")
    if limit > _MAX_TIME_MS_MAX:
        raise BadValueError(f"{limit} value for maxTimeMS is out of range [0, {_MAX_TIME_MS_MAX}]")
    if numbers.to_double(value) != limit:
        raise BadValueError("maxTimeMS has non-integral value")
    return limit


def durability(concern: Any) -> Durability:
    """Return what a `writeConcern` asks of the disk. Raises TypeMismatchError, FailedToParseError, CommandError 40415."""
    document(concern, "writeConcern", "writeConcern")
    for name in concern:
        if name not in _WRITE_CONCERN_FIELDS:
            raise CommandError(f"BSON field 'WriteConcern.{name}' is an unknown field.", 40415)
    w, journaled = concern.get("w", "majority"), concern.get("j")
    if journaled is not None:
        journaled = truth(journaled, "WriteConcern", "j")
    if isinstance(w, str):
        return Durability.FSYNCED
    if not numbers.is_number(w):
        raise FailedToParseError("w has to be a number, string, or object")
    if w < 0 or w > 50:
        raise FailedToParseError("w has to be a non-negative number and not greater than 50")
    if w == 0 and journaled:
        raise FailedToParseError("a write concern with w: 0 cannot ask for the journal")
    if w == 0 or (journaled is False and not concern.get("fsync")):
        return Durability.RELAXED
    return Durability.FSYNCED


def write_concern_error(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the `writeConcernError` of a concern that one node cannot satisfy, None for all others.

    The write itself has happened, and is as safe as this node can make it.
    """
    concern = body.get("writeConcern")
    w = concern.get("w") if concern else None
    if w is None or w == "majority":
        return None
    if isinstance(w, str):
        message = f'No write concern mode named "{w}" found in replica set configuration'
        return {"code": UNKNOWN_WRITE_CONCERN, "codeName": "UnknownReplWriteConcern", "errmsg": message}
    if w > 1:
        message = "Not enough data-bearing nodes"
        return {"code": UNSATISFIABLE_WRITE_CONCERN, "codeName": "UnsatisfiableWriteConcern", "errmsg": message}
    return None


def _check_read_concern(concern: Any, *, in_transaction: bool) -> None:
    if not isinstance(concern, Mapping):
        raise TypeMismatchError(
            f"BSON field 'readConcern' is the wrong type '{type_name_of(concern)}', expected type 'object'"
        )
    if "atClusterTime" in concern:
        raise NotImplementedYetError("readConcern 'atClusterTime' is not implemented")
    level = _READ_CONCERN.read(concern).get("level", "local")
    if level not in _READ_CONCERN_LEVELS:
        raise FailedToParseError(f"Enumeration value '{level}' for field 'readConcern.level' is not a valid value.")
    if level == "snapshot" and not in_transaction:
        raise NotImplementedYetError("readConcern level 'snapshot' is not implemented outside of transactions")


def _read_transaction_fields(
    body: Mapping[str, Any], command: Command, ctx: OperationContext, *, is_local: bool
) -> None:
    number = body.get("txnNumber")
    if number is None:
        raise InvalidOptionsError("'autocommit' and 'startTransaction' require 'txnNumber'")
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeMismatchError(
            f"BSON field 'txnNumber' is the wrong type '{type_name_of(number)}', expected type 'long'"
        )
    if ctx.lsid is None:
        raise InvalidOptionsError("Transaction number requires a session ID to also be specified")
    if number < 0:
        raise InvalidOptionsError("Transaction number cannot be negative")
    ctx.txn_number = int(number)
    name = command.fields.name
    if "autocommit" not in body:
        if "startTransaction" in body:
            raise InvalidOptionsError("'startTransaction' field requires 'autocommit' field to also be specified")
        if not command.is_retryable:
            raise CommandError(
                "txnNumber may only be provided for multi-document transactions and retryable write commands."
                f" autocommit:false was not provided, and {name} is not a retryable write command.",
                NOT_A_RETRYABLE_WRITE,
            )
        ctx.is_retryable_write = not is_local
        return
    if boolean(body["autocommit"], name, "autocommit"):
        raise InvalidOptionsError("autocommit field must be false when specified")
    if body.get("startTransaction") is False:
        raise InvalidOptionsError("'startTransaction' field only supports the value 'true'")
    _check_allowed_in_transaction(body, command)


def _check_allowed_in_transaction(body: Mapping[str, Any], command: Command) -> None:
    rule, name, starts = command.in_transaction, command.fields.name, "startTransaction" in body
    if rule is InTransaction.NO:
        raise OperationNotSupportedInTransactionError(f"Cannot run '{name}' in a multi-document transaction.")
    if starts and rule is not InTransaction.YES:
        raise OperationNotSupportedInTransactionError(f"Cannot start a transaction with the command '{name}'.")
    # What `bulkWrite` has to tell comes as a cursor of `admin`; no other can have been opened there in a transaction.
    is_of_server = body.get("$db") in _SERVER_DATABASES and not command.admin_only and name != "getMore"
    if rule is InTransaction.YES and is_of_server:
        raise OperationNotSupportedInTransactionError(
            f"Cannot run command against the '{body['$db']}' database in a transaction."
        )
    if "writeConcern" in body and rule is not InTransaction.ENDS_IT:
        raise InvalidOptionsError("writeConcern is not allowed within a multi-statement transaction")
    if "readConcern" in body and not starts and rule is InTransaction.YES:
        raise InvalidOptionsError("Only the first command in a transaction may specify a readConcern")


def _check_api(body: Mapping[str, Any], command: Command) -> None:
    version = body.get("apiVersion")
    if version is None:
        raise CommandError("'apiStrict' and 'apiDeprecationErrors' require 'apiVersion'", _API_VERSION_ERROR)
    if version != "1":
        raise CommandError('API version must be "1"', _API_VERSION_ERROR)
    if body.get("apiStrict") and not command.in_stable_api:
        raise CommandError(
            f"Provided apiStrict:true, but the command {command.fields.name} is not in API Version 1."
            " Information on supported commands and migrations in API Version 1 can be found at"
            " https://www.mongodb.com/docs/manual/reference/stable-api/",
            API_STRICT_ERROR,
        )
