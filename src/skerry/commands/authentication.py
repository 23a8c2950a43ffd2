"""Logging in and out: `saslStart`, `saslContinue`, `logout` and `connectionStatus`, and the part of it that `hello` has.

Source: MongoDB manual, Authentication Commands; the drivers' authentication specification. A connection speaks for one user.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from skerry.auth.roles import inherited, privileges_of, role_documents
from skerry.commands import command_fields as fields
from skerry.commands.certificate_log_in import X509, log_in_by_certificate
from skerry.commands.client_access import ClientAccess
from skerry.commands.command import EXTERNAL_DATABASE, Command, InTransaction, Request, checked_database
from skerry.commands.command_fields import CommandFields
from skerry.commands.scram_parts import scram_parts
from skerry.errors import AuthenticationFailedError, CommandError, ProtocolError, TypeMismatchError

LOG: Final = logging.getLogger("skerry.access")

MECHANISM_NAMES: Final = ("SCRAM-SHA-1", "SCRAM-SHA-256")
_MECHANISM_UNAVAILABLE: Final = 334
_CONVERSATION_ID: Final = 1


class LogIn:
    """One conversation of one connection: what it has proved, and against which user's record."""

    def __init__(self, access: ClientAccess, mechanism: str, db: str, *, skips_empty_exchange: bool) -> None:
        if mechanism not in MECHANISM_NAMES:
            raise CommandError(
                f"Received authentication for mechanism {mechanism} which is unknown or not enabled",
                _MECHANISM_UNAVAILABLE,
            )
        self._access = access
        self._db = db
        self._record: Mapping[str, Any] | None = None
        conversation, self._stored_keys = scram_parts()
        self._scram = conversation(mechanism, self._look_up, skips_empty_exchange=skips_empty_exchange)
        self._has_begun = False

    def step(self, payload: Any) -> dict[str, Any]:
        """Take the client's next message and return the reply. Raises AuthenticationFailedError, ProtocolError."""
        if not isinstance(payload, bytes):
            raise TypeMismatchError("BSON field 'payload' is the wrong type, expected binary data")
        access, throttle = self._access, self._access.control.throttle
        proves = self._has_begun and not self._scram.is_proved
        self._has_begun = True
        try:
            if proves:
                answer = throttle.prove(access.address, self._target, lambda: self._scram.step(payload))
            else:
                throttle.check(access.address, self._target)
                answer = self._scram.step(payload)
        except AuthenticationFailedError:
            # As a literal: the name is whatever a stranger wrote, and must not look like another line of the log.
            where = access.address or "a Unix socket"
            LOG.warning("%.80r@%r from %s: log-in failed", self._scram.user_name, self._db, where)
            raise
        if proves:
            self._succeed()
        return {"conversationId": _CONVERSATION_ID, "done": self._scram.is_done, "payload": answer}

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be said."""
        return bool(self._scram.is_done)

    @property
    def _target(self) -> str | None:
        """Whom it is about, for the throttle; None before the first message has said it."""
        name = self._scram.user_name
        return f"{self._db}.{name}" if name else None

    def _look_up(self, user_name: str) -> Any:
        self._record = self._access.control.users.get(self._db, user_name)
        if self._record is None:
            return None
        keys = self._stored_keys(self._record["credentials"], self._scram.mechanism)
        if keys is None:  # at once: a driver that only guessed at the mechanism goes on with the user's own
            raise AuthenticationFailedError
        return keys

    def _succeed(self) -> None:
        record, access = self._record, self._access
        assert record is not None
        name, db = record["user"], record["db"]
        if access.user is not None and (access.user.name, access.user.db) != (name, db):
            raise ProtocolError(
                f"a connection speaks for one user, and this one for {access.user.name}@{access.user.db}"
            )
        access.log_in(record)
        LOG.info("%s@%s from %s: logged in by %s", name, db, access.address or "a Unix socket", self._scram.mechanism)


def _sasl_start(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    return _start(_access(request), request.db, arguments["mechanism"], arguments["payload"], arguments.get("options"))


def _start(access: ClientAccess, db: str, mechanism: str, payload: Any, options: Any) -> dict[str, Any]:
    access.conversation = None
    skips = bool(options.get("skipEmptyExchange")) if isinstance(options, Mapping) else False
    log_in = LogIn(access, mechanism, db, skips_empty_exchange=skips)
    reply = log_in.step(payload)
    access.conversation = log_in
    return reply


def _sasl_continue(request: Request) -> dict[str, Any]:
    access = _access(request)
    log_in, access.conversation = access.conversation, None
    if log_in is None:
        raise ProtocolError("No SASL session state found")
    if request.arguments["conversationId"] != _CONVERSATION_ID:
        raise ProtocolError("sasl: Mismatched conversation id")
    reply: dict[str, Any] = log_in.step(request.arguments["payload"])
    if not log_in.is_done:
        access.conversation = log_in
    return reply


def _access(request: Request) -> ClientAccess:
    access = request.client.access
    if access is None:
        raise CommandError("nobody logs in here: who runs the process is the owner", _MECHANISM_UNAVAILABLE)
    return access


def speculative_log_in(request: Request) -> dict[str, Any] | None:
    """Begin the log-in that a `hello` brings with it; None when that fails, and the driver goes on with `saslStart`."""
    spec, access = request.body.get("speculativeAuthenticate"), request.client.access
    if access is None or not isinstance(spec, Mapping):
        return None
    if "authenticate" in spec:
        try:
            return log_in_by_certificate(access, spec.get("db", EXTERNAL_DATABASE), spec)
        except CommandError:
            return None
    db, mechanism = spec.get("db"), spec.get("mechanism")
    if "saslStart" not in spec:
        return None
    if not isinstance(db, str) or not isinstance(mechanism, str):
        return None
    try:
        return _start(access, checked_database(db), mechanism, spec.get("payload"), spec.get("options"))
    except CommandError:
        return None


def supported_mechanisms(request: Request) -> list[str]:
    """Return the mechanisms by which the user `db.name` may log in; all for a name that nobody has, so that none is told."""
    asked, access = request.body["saslSupportedMechs"], request.client.access
    if access is None or not isinstance(asked, str):
        return []
    db, _, name = asked.partition(".")
    record = access.control.users.get(db, name)
    if db == EXTERNAL_DATABASE:
        return [X509]
    return [each for each in MECHANISM_NAMES if record is None or each in record["credentials"]]


def _logout(request: Request) -> dict[str, Any]:
    access = request.client.access
    if access is not None:
        access.conversation = None
        access.log_out()
    return {}


def _connection_status(request: Request) -> dict[str, Any]:
    access = request.client.access
    user = None if access is None else access.user
    info: dict[str, Any] = {"authenticatedUsers": [], "authenticatedUserRoles": []}
    if user is not None:
        info["authenticatedUsers"] = [{"user": user.name, "db": user.db}]
        roles = sorted({*user.roles, *(each for role in user.roles for each in inherited(role))})
        info["authenticatedUserRoles"] = role_documents(roles)
    if request.arguments.get("showPrivileges"):
        privileges = [] if user is None else privileges_of(user.roles).to_documents()
        info["authenticatedUserPrivileges"] = privileges
    return {"authInfo": info}


CONNECTION_STATUS: Final = Command(
    _connection_status,
    CommandFields(
        "connectionStatus",
        {"connectionStatus": fields.anything, "showPrivileges": fields.truth},
        required=("connectionStatus",),
    ),
    InTransaction.NOT_FIRST,
)
LOGOUT: Final = Command(_logout, CommandFields("logout", {"logout": fields.anything}, required=("logout",)))
SASL_CONTINUE: Final = Command(
    _sasl_continue,
    CommandFields(
        "saslContinue",
        {"saslContinue": fields.anything, "conversationId": fields.integer, "payload": fields.anything},
        required=("saslContinue", "conversationId", "payload"),
    ),
    in_stable_api=True,
)
SASL_START: Final = Command(
    _sasl_start,
    CommandFields(
        "saslStart",
        {
            "saslStart": fields.anything,
            "mechanism": fields.string,
            "payload": fields.anything,
            "autoAuthorize": fields.anything,
            "options": fields.document,
        },
        required=("saslStart", "mechanism", "payload"),
    ),
    in_stable_api=True,
)
