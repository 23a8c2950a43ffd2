"""The salted keys that stand for a password: a copy of them does not let anybody log in.

The form is that of MongoDB's user documents, so that `usersInfo` with `showCredentials` shows what its clients expect.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from scramp import ScramException, ScramMechanism  # type: ignore[import-untyped]

from skerry.auth.password_rules import check_password
from skerry.errors import BadValueError

SCRAM_SHA_1: Final = "SCRAM-SHA-1"
SCRAM_SHA_256: Final = "SCRAM-SHA-256"
MECHANISMS: Final = (SCRAM_SHA_1, SCRAM_SHA_256)

# MongoDB's own: scramIterationCount and scramSHA256IterationCount, with salts of one digest less four bytes
ITERATIONS: Final[Mapping[str, int]] = {SCRAM_SHA_1: 10_000, SCRAM_SHA_256: 15_000}
SALT_BYTES: Final[Mapping[str, int]] = {SCRAM_SHA_1: 16, SCRAM_SHA_256: 28}


class ScramKeys(NamedTuple):
    """One mechanism's keys of one user, in the order in which scramp wants them."""

    salt: bytes
    stored_key: bytes
    server_key: bytes
    iterations: int


def make_credentials(name: str, password: str, mechanisms: Sequence[str] = MECHANISMS) -> dict[str, Any]:
    """Return the keys of a password for each mechanism, ready to be stored; takes some 10 ms for each.

    Raises BadValueError for a password that cannot be one, or a mechanism that is none.
    """
    check_mechanisms(mechanisms)
    check_password(password)
    return {mechanism: _keys(mechanism, name, password) for mechanism in MECHANISMS if mechanism in mechanisms}


def check_mechanisms(mechanisms: Sequence[str]) -> None:
    """Raise BadValueError unless the mechanisms are some of those that exist here."""
    if not mechanisms:
        raise BadValueError("mechanisms field must not be empty")
    for mechanism in mechanisms:
        if mechanism not in MECHANISMS:
            raise BadValueError(f"Unknown auth mechanism '{mechanism}'")


def stored_keys(credentials: Mapping[str, Any], mechanism: str) -> ScramKeys | None:
    """Return a mechanism's keys out of stored credentials, None when the user has none for it."""
    stored = credentials.get(mechanism)
    if stored is None:
        return None
    salt, stored_key, server_key = (base64.b64decode(stored[name]) for name in ("salt", "storedKey", "serverKey"))
    return ScramKeys(salt, stored_key, server_key, int(stored["iterationCount"]))


def _keys(mechanism: str, name: str, password: str) -> dict[str, Any]:
    salt = secrets.token_bytes(SALT_BYTES[mechanism])
    try:
        _, stored_key, server_key, iterations = ScramMechanism(mechanism).make_auth_info(
            _secret(mechanism, name, password), ITERATIONS[mechanism], salt
        )
    except ScramException as error:
        raise BadValueError("the password has characters that SASLprep (RFC 4013) does not allow") from error
    return {
        "iterationCount": iterations,
        "salt": base64.b64encode(salt).decode(),
        "storedKey": base64.b64encode(stored_key).decode(),
        "serverKey": base64.b64encode(server_key).decode(),
    }


def _secret(mechanism: str, name: str, password: str) -> str:
    """What stands for the password in the exchange: with SCRAM-SHA-1 drivers send a digest, as they did before SCRAM."""
    if mechanism == SCRAM_SHA_256:
        return password
    digest = hashlib.md5(f"{name}:mongo:{password}".encode(), usedforsecurity=False)
    return digest.hexdigest()
