"""The server's side of a SCRAM conversation, message by message (RFC 5802, RFC 7677; manual: SCRAM).

A name that nobody has goes through the same exchange as one that somebody has, with keys made up for it, so that neither the
messages nor the moment of failure tell which names exist.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Final

from scramp import ScramException, ScramMechanism  # type: ignore[import-untyped]

from skerry.auth.credentials import ITERATIONS, SALT_BYTES, ScramKeys
from skerry.errors import AuthenticationFailedError, ProtocolError

LookUp = Callable[[str], ScramKeys | None]
"""A user's name to his keys for the mechanism, None when he has none."""

PAYLOAD_BYTES_MAX: Final = 4096
_MADE_UP: Final = secrets.token_bytes(32)  # of this process: the same name gets the same salt each time


class ScramConversation:
    """One attempt to log in, used by one thread. `user_name` is known after the first message, and proved when `is_proved`."""

    def __init__(self, mechanism: str, look_up: LookUp, *, skips_empty_exchange: bool = False) -> None:
        self.mechanism = mechanism
        self.user_name = ""
        self.is_proved = False
        self.is_done = False
        self._look_up = look_up
        self._skips_empty_exchange = skips_empty_exchange
        self._is_known = False
        self._server = ScramMechanism(mechanism).make_server(self._keys)
        self._has_begun = False

    def step(self, payload: bytes) -> bytes:
        """Take a message of the client's and return the answer.

        Raises AuthenticationFailedError, whatever the reason is, and ProtocolError for a message that is none.
        """
        if len(payload) > PAYLOAD_BYTES_MAX or self.is_done:
            raise ProtocolError("this is no message of a SCRAM conversation")
        if self.is_proved:
            if payload:
                raise ProtocolError("the last message of the conversation has to be empty")
            self.is_done = True
            return b""
        try:
            text = payload.decode()
            return self._prove(text) if self._has_begun else self._begin(text)
        except (ScramException, UnicodeDecodeError, ValueError) as error:
            self.is_done = True
            raise AuthenticationFailedError from error

    def _begin(self, message: str) -> bytes:
        self._has_begun = True
        self.user_name = _user_name(message)
        self._server.set_client_first(message)
        answer: str = self._server.get_server_first()
        return answer.encode()

    def _prove(self, message: str) -> bytes:
        self._server.set_client_final(message)
        if not self._is_known:
            raise AuthenticationFailedError
        answer: str = self._server.get_server_final()
        self.is_proved = True
        self.is_done = self._skips_empty_exchange
        return answer.encode()

    def _keys(self, _prepared_name: str) -> ScramKeys:
        # Of the name as it was sent: MongoDB does not apply SASLprep to names, only to passwords.
        keys = self._look_up(self.user_name)
        self._is_known = keys is not None
        return keys or _made_up_keys(self.mechanism, self.user_name)


def _user_name(client_first: str) -> str:
    """The name in a client's first message, `n,,n=<name>,r=<nonce>`; "" where there is none."""
    _, _, bare = client_first.partition(",")[2].partition(",")
    attribute = bare.partition(",")[0]
    return attribute[2:].replace("=2C", ",").replace("=3D", "=") if attribute.startswith("n=") else ""


def _made_up_keys(mechanism: str, user_name: str) -> ScramKeys:
    """Keys that no password has, always the same for a name."""
    size = hashlib.new("sha1" if mechanism.endswith("-1") else "sha256", usedforsecurity=False).digest_size
    seed = hmac.digest(_MADE_UP, f"{mechanism}:{user_name}".encode(), "sha512")
    salt = seed[: SALT_BYTES[mechanism]]
    return ScramKeys(salt, secrets.token_bytes(size), secrets.token_bytes(size), ITERATIONS[mechanism])
