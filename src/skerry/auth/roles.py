"""MongoDB's built-in roles and what each allows (manual: Built-In Roles). There are no others: `createRole` is refused.

Only the actions of commands that skerry has are listed. `read`, `readWrite`, `dbAdmin`, `dbOwner` and `userAdmin` exist in every
database and speak of it; the others exist in `admin`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from skerry.auth.privileges import CLUSTER, EVERYTHING, Privileges, Resource
from skerry.errors import RoleNotFoundError

ADMIN: Final = "admin"


class RoleName(NamedTuple):
    """A role and the database in which it is."""

    role: str
    db: str

    def to_document(self) -> dict[str, str]:
        """The role as user documents have it."""
        return {"role": self.role, "db": self.db}


@dataclass(frozen=True, slots=True)
class _Role:
    """Actions by where they are allowed; `own` is the role's database, `any` all databases, `named` single collections."""

    own: frozenset[str] = frozenset()
    any: frozenset[str] = frozenset()
    cluster: frozenset[str] = frozenset()
    named: tuple[tuple[Resource, frozenset[str]], ...] = ()
    inherits: tuple[str, ...] = ()
    is_of_admin: bool = True
    is_almighty: bool = False


def _actions(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READ: Final = _actions("changeStream collStats dbHash dbStats find indexStats killCursors listCollections listIndexes")
_READ_WRITE: Final = _READ | _actions(
    "convertToCapped createCollection createIndex dropCollection dropIndex insert remove renameCollectionSameDB update"
)
_DB_ADMIN: Final = _actions(
    "bypassDocumentValidation collMod collStats compact convertToCapped createCollection createIndex dbStats dropCollection"
    " dropDatabase dropIndex indexStats listCollections listIndexes reIndex renameCollectionSameDB validate"
)
_USER_ADMIN: Final = _actions(
    "changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole"
    " setAuthenticationRestriction viewRole viewUser"
)
_RESTORED_USERS: Final = _actions(
    "changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole"
)
_SYSTEM_JS: Final = Resource("", "system.js")

ROLES: Final[dict[str, _Role]] = {
    "backup": _Role(
        any=_actions("find listCollections listIndexes"),
        cluster=_actions("getParameter listDatabases serverStatus"),
        named=(
            (Resource("config"), _actions("find listCollections listIndexes")),
            (Resource("local"), _actions("find listCollections listIndexes")),
            (_SYSTEM_JS, _actions("find")),
        ),
    ),
    "clusterMonitor": _Role(
        any=_actions("collStats dbStats indexStats"),
        cluster=_actions(
            "connPoolStats getCmdLineOpts getDefaultRWConcern getLog getParameter hostInfo inprog listDatabases listSessions"
            " replSetGetConfig replSetGetStatus serverStatus top"
        ),
        named=(
            (Resource("config"), _actions("collStats dbStats find indexStats listCollections listIndexes")),
            (Resource("local"), _actions("collStats dbStats find indexStats listCollections listIndexes")),
        ),
    ),
    "dbAdmin": _Role(own=_DB_ADMIN, is_of_admin=False),
    "dbAdminAnyDatabase": _Role(any=_DB_ADMIN, cluster=_actions("listDatabases")),
    "dbOwner": _Role(inherits=("dbAdmin", "readWrite", "userAdmin"), is_of_admin=False),
    "read": _Role(own=_READ, is_of_admin=False),
    "readAnyDatabase": _Role(any=_READ, cluster=_actions("listDatabases"), named=((_SYSTEM_JS, _READ),)),
    "readWrite": _Role(own=_READ_WRITE, is_of_admin=False),
    "readWriteAnyDatabase": _Role(
        any=_READ_WRITE, cluster=_actions("listDatabases"), named=((_SYSTEM_JS, _READ_WRITE),)
    ),
    "restore": _Role(
        any=_RESTORED_USERS
        | _actions(
            "bypassDocumentValidation collMod convertToCapped createCollection createIndex dropCollection dropIndex insert"
            " listCollections viewRole viewUser"
        ),
        cluster=_actions("getParameter listDatabases"),
        named=((_SYSTEM_JS, _actions("createCollection createIndex dropCollection insert")),),
    ),
    "root": _Role(is_almighty=True),
    "userAdmin": _Role(own=_USER_ADMIN, is_of_admin=False),
    "userAdminAnyDatabase": _Role(any=_USER_ADMIN, cluster=_actions("listDatabases")),
}

# Every action that some role names, and those of commands that no lesser role allows.
ALL_ACTIONS: Final = frozenset[str]().union(
    _actions("killAnyCursor killAnySession"),
    *(
        role.own | role.any | role.cluster | frozenset[str]().union(*(actions for _, actions in role.named))
        for role in ROLES.values()
    ),
)


def check_role(name: RoleName) -> RoleName:
    """Return the name. Raises RoleNotFoundError unless there is such a role in that database."""
    role = ROLES.get(name.role)
    if role is None or (role.is_of_admin and name.db != ADMIN):
        raise RoleNotFoundError(f"Could not find role: {name.role}@{name.db}")
    return name


def roles_of_database(db: str) -> list[RoleName]:
    """Return the built-in roles that exist in a database."""
    return [RoleName(name, db) for name, role in ROLES.items() if db == ADMIN or not role.is_of_admin]


def inherited(name: RoleName) -> list[RoleName]:
    """Return the roles of which a role consists."""
    return [RoleName(each, name.db) for each in ROLES[name.role].inherits]


@lru_cache(maxsize=256)
def privileges_of(roles: frozenset[RoleName]) -> Privileges:
    """Return what the roles allow together; a role that there is not allows nothing."""
    return Privileges(granted for name in sorted(roles) for granted in _granted(name))


def role_documents(names: Iterable[RoleName]) -> list[dict[str, Any]]:
    """Return roles as user documents have them."""
    return [name.to_document() for name in names]


def _granted(name: RoleName) -> Iterator[tuple[Resource, frozenset[str]]]:
    role = ROLES.get(name.role)
    if role is None or (role.is_of_admin and name.db != ADMIN):
        return
    for resource, actions in (
        (Resource(name.db), role.own),
        (Resource(name.db, "system.js"), role.own & _READ_WRITE if name.role in ("read", "readWrite") else frozenset()),
        (Resource(), role.any),
        (CLUSTER, role.cluster),
        (EVERYTHING, ALL_ACTIONS if role.is_almighty else frozenset()),
        *role.named,
    ):
        if actions:
            yield resource, actions
    for other in inherited(name):
        yield from _granted(other)
