"""Who a connection speaks for, and what he may do: one `AccessControl` a node, one `ClientAccess` a connection.

A log-in is required once there is a user, or from the start when the settings say so; it stays required when the last user
is removed. Until then every client is the owner, and so the server listens on the loopback only. The in-process door has no
`ClientAccess`: who runs the process owns the files.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.auth.login_throttle import LoginThrottle
from skerry.auth.privileges import Need, Privileges
from skerry.auth.roles import RoleName, privileges_of
from skerry.engine.operation_context import ClientKey
from skerry.engine.users import Users

LOG: Final = logging.getLogger("skerry.access")

REMEMBERED_MAX: Final = 1000
"""Answers kept by one connection."""

_NOTHING: Final = Privileges(())


class AccessControl:
    """What the connections of a node have in common. Shared by all threads."""

    def __init__(
        self, users: Users, *, requires_login: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.users = users
        self.throttle = LoginThrottle(clock)
        self._requires_login = requires_login

    def requires_login(self) -> bool:
        """Whether a client that has not logged in may do nothing but that."""
        if not self._requires_login and self.users.has_any():
            self._requires_login = True
        return self._requires_login


@dataclass(frozen=True, slots=True)
class LoggedInUser:
    """Somebody who proved to be a user. `digest` is what MongoDB puts beside a session's id for him."""

    name: str
    db: str
    user_id: Any
    roles: frozenset[RoleName]
    digest: bytes

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "LoggedInUser":
        """The user of a stored record."""
        name, db = record["user"], record["db"]
        roles = frozenset(RoleName(role["role"], role["db"]) for role in record["roles"])
        return cls(name, db, record["userId"], roles, hashlib.sha256(f"{name}@{db}".encode()).digest())


class ClientAccess:
    """One connection's rights; used by its thread alone. `conversation` is the log-in that is going on.

    `certificate_subject` is the name in the certificate that the client showed and an authority of ours vouches for.
    """

    def __init__(self, control: AccessControl, *, connection: str, address: str, is_loopback: bool) -> None:
        self.control = control
        self.address = address
        self.is_loopback = is_loopback
        self.certificate_subject: str | None = None
        self.user: LoggedInUser | None = None
        self.conversation: Any = None
        self.remembered: dict[tuple[str, str, Any], tuple[Need, ...]] = {}
        self.client: ClientKey = (connection, b"")
        self._connection = connection
        self._privileges = _NOTHING
        self._is_owner = False
        self._seen = -1

    @property
    def is_trusted(self) -> bool:
        """Whether the client has logged in, or need not."""
        self.renew()
        return self._is_owner or self.user is not None

    @property
    def is_stranger(self) -> bool:
        """Whether the client would have to log in and has not, or has said nothing yet; any thread may ask."""
        return not self._is_owner and self.user is None

    @property
    def is_owner(self) -> bool:
        """Whether the client may do everything because nobody has to log in; as of the last `renew`."""
        return self._is_owner

    @property
    def privileges(self) -> Privileges:
        """What the user may do, as of the last `renew`; nothing without one."""
        return self._privileges

    @property
    def may_make_first_user(self) -> bool:
        """Whether the localhost exception holds: from this machine, somebody has to make the first user."""
        return self.is_loopback and self.user is None and not self.control.users.has_any()

    def allows(self, need: Need) -> bool:
        """Whether the client may do this, as of the last `renew`."""
        return self._is_owner or self._privileges.allow(need)

    def allows_all(self, needs: tuple[Need, ...]) -> bool:
        """Whether the client may do all of this, as of the last `renew`."""
        return self._is_owner or all(map(self._privileges.allow, needs))

    def renew(self) -> None:
        """Take note of changes of users since the last time; a user who is gone is logged out."""
        users = self.control.users
        version = users.version()
        if version == self._seen:
            return
        user = self.user
        if user is not None:
            record = users.get(user.db, user.name)
            if record is None or record["userId"] != user.user_id:
                LOG.info(
                    "%s@%s from %s: logged out, for there is no such user any more", user.name, user.db, self.address
                )
                self.user = None
            else:
                self.user = LoggedInUser.of(record)
        self._settle(version)

    def log_in(self, record: Mapping[str, Any]) -> None:
        """The client has proved to be this user."""
        self.user = LoggedInUser.of(record)
        self._settle(self._seen)

    def log_out(self) -> None:
        """The client is nobody again."""
        self.user = None
        self._settle(self._seen)

    def _settle(self, version: int) -> None:
        user = self.user
        self._is_owner = not self.control.requires_login()
        self._privileges = _NOTHING if user is None else privileges_of(user.roles)
        self.client = (self._connection, b"") if user is None else (self.address, user.digest)
        self.remembered.clear()
        self._seen = version
