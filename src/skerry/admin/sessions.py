"""Sessions of browsers: a token is exchanged once for a cookie, which names a session of this process.

The cookie is a random name, the moment at which it ends, and a keyed hash of both: what was not made here is refused without a
look at anything else. The token itself stays in memory and is asked again at every request, so that removing a token, or giving
it another role, ends or changes its sessions at once. A restart ends all of them.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

COOKIE: Final = "skerry_session"
SESSION_SECONDS: Final = 8 * 3600
"""How long a session lasts; it is not prolonged."""
SESSIONS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Session:
    """`ends` is in seconds of the clock that the caller brings."""

    token: str
    ends: int


class Sessions:
    """The sessions of one process; the oldest make room. Used by one thread, which brings the time in seconds since 1970."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._open: dict[str, Session] = {}

    def begin(self, token: str, now_seconds: float) -> str:
        """Return the cookie of a new session of `token`, which the caller has checked."""
        self._open = {name: each for name, each in self._open.items() if each.ends > now_seconds}
        while len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        name, ends = secrets.token_urlsafe(32), int(now_seconds) + SESSION_SECONDS
        self._open[name] = Session(token, ends)
        return f"{name}.{ends}.{self._signature(name, str(ends))}"

    def token(self, cookie: str, now_seconds: float) -> str | None:
        """Return the token behind a cookie; None when it was not made here, has ended, or was logged out."""
        name = self._name(cookie)
        found = None if name is None else self._open.get(name)
        return found.token if found is not None and found.ends > now_seconds else None

    def end(self, cookie: str) -> None:
        """Log out. A cookie that is worth nothing stays so."""
        name = self._name(cookie)
        if name is not None:
            self._open.pop(name, None)

    def _name(self, cookie: str) -> str | None:
        name, _, rest = cookie.partition(".")
        ends, _, signature = rest.partition(".")
        is_ours = hmac.compare_digest(signature.encode(), self._signature(name, ends).encode())
        return name if is_ours else None

    def _signature(self, name: str, ends: str) -> str:
        return hmac.new(self._key, f"{name}.{ends}".encode(), hashlib.sha256).hexdigest()


def cookie_name(port: int | None) -> str:
    """Return the cookie's name: browsers keep cookies by host, so that two nodes of one host would log each other out."""
    return COOKIE if port is None else f"{COOKIE}_{port}"


def is_same_origin(headers: dict[str, str]) -> bool:
    """Return whether a page of this very node sent the request, as the browser says; `headers` by lower-case name.

    Browsers send `Origin` with whatever can change something and with web sockets. The scheme is not compared: a proxy with TLS
    before the node has another one. The proxy has to pass on `Host`.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    scheme, separator, place = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and place.lower() == headers.get("host", "").lower() != ""
