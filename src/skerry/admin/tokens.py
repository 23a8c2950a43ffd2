"""Bearer tokens: who may come in, in which role. Only their hashes are stored.

Tokens are made here from 256 random bits, or come from the configuration with a least length; so a fast hash is enough, as
there is nothing to guess. The hash is keyed with a salt of the store, so that the same token in two stores does not show. The
run token belongs to one run of the process and is not in the store: the command line finds it in the run file.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Final

from skerry.engine.engine import Engine
from skerry.errors import ConfigurationError, SkerryError
from skerry.storage import ReadView, WriteView

SETTING: Final = "admin_tokens"
CONFIGURED: Final = "configured"
"""The name of the token that the configuration brings; each start replaces it."""
RUN: Final = "run"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


class Role(IntEnum):
    """What a caller may do; each includes the ones before."""

    VIEWER = 1
    """See state, numbers and `_id`s, not documents."""
    OPERATOR = 2
    """See documents in conflicts and dead letters; pause, resume, compare, resolve, retry."""
    ADMIN = 3
    """Change what travels; tokens; the audit log."""

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as it is stored; `created_ms` since 1970."""

    name: str
    role: str
    digest: str
    created_ms: int


class TokenTakenError(SkerryError):
    """There is a token of this name, or the name is not for use."""


class Tokens:
    """The tokens of one store. Any thread may use it; what other processes change is seen at once."""

    def __init__(self, engine: Engine) -> None:
        self._store = engine.storage.store
        self._key = secrets.token_hex(16)
        self._seen: dict[str, str] = {}
        self.run_token = secrets.token_urlsafe(32)

    def caller(self, token: str) -> Caller | None:
        """Return whose token it is, None for an unknown one. Takes as long for every wrong token."""
        with self._store.read() as view:
            stored = _load(view)
        found = None
        digest = _digest(stored["salt"], token)
        for record in stored["tokens"]:
            if hmac.compare_digest(record["digest"], digest):
                found = Caller(record["name"], Role[record["role"].upper()])
        if hmac.compare_digest(self.run_token.encode(), token.encode("utf-8", "replace")):
            found = Caller(RUN, Role.ADMIN)
        if found is not None:
            self._seen[found.name] = _digest(self._key, token)
        return found

    def was_right(self, token: str) -> bool:
        """Return whether this very token has let somebody in since the start: then it is no guess."""
        digest = _digest(self._key, token)
        return any(hmac.compare_digest(digest, each) for each in list(self._seen.values()))

    def configure(self, token: str) -> None:
        """Take up the token of the configuration, in the place of the one of the last start."""
        self._put(CONFIGURED, Role.ADMIN, token, replace=True)

    def create(self, name: str, role: Role) -> str:
        """Make a token and return it: it cannot be shown again. Raises `TokenTakenError`, `ConfigurationError` for a bad name."""
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                "name", name, "1 to 64 letters, digits and _ . @ -, beginning with a letter or digit"
            )
        if name in (CONFIGURED, RUN):
            raise TokenTakenError(f"the name {name!r} is not for use")
        token = secrets.token_urlsafe(32)
        self._put(name, role, token, replace=False)
        return token

    def remove(self, name: str) -> bool:
        """Make a token worthless; false when there is none of this name."""

        def job(view: WriteView) -> bool:
            stored = _load(view)
            kept = [record for record in stored["tokens"] if record["name"] != name]
            changed = len(kept) < len(stored["tokens"])
            view.set_setting(SETTING, json.dumps({**stored, "tokens": kept}))
            return changed

        return self._store.write(job, durable=True)

    def entries(self) -> list[TokenRecord]:
        """Return the stored tokens by name."""
        with self._store.read() as view:
            found = [TokenRecord(**record) for record in _load(view)["tokens"]]
        return sorted(found, key=lambda record: record.name)

    def _put(self, name: str, role: Role, token: str, *, replace: bool) -> None:
        def job(view: WriteView) -> None:
            stored = _load(view)
            salt = stored["salt"] or secrets.token_hex(16)
            kept = [record for record in stored["tokens"] if record["name"] != name]
            if len(kept) < len(stored["tokens"]) and not replace:
                raise TokenTakenError(f"there is a token called {name!r}; remove it first")
            record = TokenRecord(name, role.label, _digest(salt, token), int(time.time() * 1000))
            view.set_setting(SETTING, json.dumps({"salt": salt, "tokens": [*kept, asdict(record)]}))

        self._store.write(job, durable=True)


def _load(view: ReadView) -> dict[str, Any]:
    text = view.setting(SETTING)
    stored: dict[str, Any] = {"salt": "", "tokens": []} if text is None else json.loads(text)
    return stored


def _digest(salt: str, token: str) -> str:
    return hmac.new(salt.encode(), token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
