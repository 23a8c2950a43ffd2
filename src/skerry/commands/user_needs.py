"""What the user commands need to be allowed; a role is granted and revoked in its own database (manual: User Management)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from skerry.auth.privileges import ANY_DATABASE, Need
from skerry.commands.client_access import ClientAccess


def create_user_needs(db: str, body: Mapping[str, Any], _access: ClientAccess) -> Iterator[Need]:
    """Make a user of the database, and grant him roles."""
    yield Need("createUser", db)
    yield from _in_databases("grantRole", db, body.get("roles"))


def update_user_needs(db: str, body: Mapping[str, Any], _access: ClientAccess) -> Iterator[Need]:
    """Change what is given; new roles take the place of the old ones."""
    if "pwd" in body or "mechanisms" in body:
        yield Need("changePassword", db)
    if "customData" in body:
        yield Need("changeCustomData", db)
    if "roles" in body:
        yield Need("revokeRole", ANY_DATABASE)
        yield from _in_databases("grantRole", db, body["roles"])
    if not {"pwd", "mechanisms", "customData", "roles"} & set(body):
        yield Need("changePassword", db)


def grant_needs(db: str, body: Mapping[str, Any], _access: ClientAccess) -> Iterable[Need]:
    """Grant roles to a user."""
    return _in_databases("grantRole", db, body.get("roles"))


def revoke_needs(db: str, body: Mapping[str, Any], _access: ClientAccess) -> Iterable[Need]:
    """Revoke roles of a user."""
    return _in_databases("revokeRole", db, body.get("roles"))


def user_info_needs(db: str, body: Mapping[str, Any], access: ClientAccess) -> Iterator[Need]:
    """View users; everybody may view himself."""
    wanted = body.get("usersInfo")
    if isinstance(wanted, Mapping) and "forAllDBs" in wanted:
        yield Need("viewUser", ANY_DATABASE)
        return
    named = wanted if isinstance(wanted, list) else [wanted]
    user = access.user
    for each in named:
        name, of = (each.get("user"), each.get("db", db)) if isinstance(each, Mapping) else (each, db)
        is_own = user is not None and (user.name, user.db) == (name, of) and not body.get("showCredentials")
        if not is_own:
            yield Need("viewUser", str(of))


def role_info_needs(db: str, body: Mapping[str, Any], access: ClientAccess) -> Iterator[Need]:
    """View roles; everybody may view his own."""
    wanted = body.get("rolesInfo")
    named = wanted if isinstance(wanted, list) else [wanted]
    own = set() if access.user is None else access.user.roles
    for each in named:
        name, of = (each.get("role"), each.get("db", db)) if isinstance(each, Mapping) else (each, db)
        if not isinstance(name, str) or not isinstance(of, str) or (name, of) not in own:
            yield Need("viewRole", str(of))


def _in_databases(action: str, db: str, roles: Any) -> Iterator[Need]:
    listed = roles if isinstance(roles, list) else []
    found = [str(each.get("db", db)) if isinstance(each, Mapping) else db for each in listed]
    for each in dict.fromkeys(found or [db]):
        yield Need(action, each)
