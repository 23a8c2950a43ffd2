"""`authenticate`: logging in by the certificate that the connection showed, as a user of the database `$external`.

Source: MongoDB manual, authenticate and x.509; the drivers' authentication specification, MONGODB-X509. The other mechanisms
that the command once had are refused by name.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from skerry.commands import command_fields as fields
from skerry.commands.client_access import ClientAccess
from skerry.commands.command import EXTERNAL_DATABASE, Command, Request
from skerry.commands.command_fields import CommandFields
from skerry.errors import AuthenticationFailedError, CommandError, ProtocolError

LOG: Final = logging.getLogger("skerry.access")

X509: Final = "MONGODB-X509"
_MECHANISM_UNAVAILABLE: Final = 334
_NO_CERTIFICATE: Final = "There is no x.509 client certificate matching the user."


def _authenticate(request: Request) -> dict[str, Any]:
    return log_in_by_certificate(request.client.access, request.db, request.arguments)


def log_in_by_certificate(access: ClientAccess | None, db: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Log in who showed a certificate, and return the reply.

    Raises AuthenticationFailedError without a certificate, for another user than its subject, and for a subject that is no user;
    CommandError 334 for another mechanism; ProtocolError where somebody else has logged in.
    """
    mechanism = arguments.get("mechanism")
    if mechanism != X509 or access is None:
        raise CommandError(
            f"Received authentication for mechanism {mechanism} which is unknown or not enabled", _MECHANISM_UNAVAILABLE
        )
    subject = access.certificate_subject
    where = access.address or "a Unix socket"
    if db != EXTERNAL_DATABASE:
        raise ProtocolError(f"X.509 authentication must always use the {EXTERNAL_DATABASE} database.")
    if subject is None or arguments.get("user", subject) != subject:
        LOG.warning(
            "a client from %s: log-in failed, with %s certificate", where, "no" if subject is None else "another"
        )
        raise AuthenticationFailedError(_NO_CERTIFICATE)
    record = access.control.users.get(EXTERNAL_DATABASE, subject)
    if record is None:
        LOG.warning("%.200r from %s: log-in failed, for there is no such user", subject, where)
        raise AuthenticationFailedError
    if access.user is not None and (access.user.name, access.user.db) != (subject, EXTERNAL_DATABASE):
        raise ProtocolError(f"a connection speaks for one user, and this one for {access.user.name}@{access.user.db}")
    access.log_in(record)
    LOG.info("%s@%s from %s: logged in by %s", subject, EXTERNAL_DATABASE, where, X509)
    return {"dbname": EXTERNAL_DATABASE, "user": subject}


AUTHENTICATE: Final = Command(
    _authenticate,
    CommandFields(
        "authenticate",
        {"authenticate": fields.anything, "mechanism": fields.string, "user": fields.string},
        required=("authenticate", "mechanism"),
    ),
    in_stable_api=True,
)
