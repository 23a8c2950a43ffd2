"""Users: made, changed, listed and dropped; and the built-in roles (manual: User Management Commands).

There are no roles of one's own: `createRole` and its kind are refused by name.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from bson.binary import UUID_SUBTYPE, Binary

from skerry.auth.password_rules import check_user_name
from skerry.auth.privileges import Need
from skerry.auth.roles import RoleName, check_role, inherited, privileges_of, role_documents, roles_of_database
from skerry.commands import command_fields as fields
from skerry.commands.command import EXTERNAL_DATABASE, Command, Request, checked_database
from skerry.commands.command_fields import CommandFields
from skerry.commands.scram_parts import credentials_of
from skerry.errors import BadValueError, FailedToParseError, NotImplementedYetError, TypeMismatchError
from skerry.matcher.compile import compile_filter


def _create_user(request: Request) -> dict[str, Any]:
    arguments, access = request.arguments, request.client.access
    roles = roles_from(arguments["roles"], request.db)
    record = user_record(
        request.db,
        arguments["createUser"],
        arguments.get("pwd"),
        roles,
        mechanisms=arguments.get("mechanisms"),
        custom_data=arguments.get("customData"),
    )
    if access is not None and not request.engine.users.has_any():
        check_first_user(roles)
    request.engine.users.create(record, only_as_first=access is not None and access.user is None)
    return {}


def user_record(
    db: str,
    name: str,
    password: Any,
    roles: list[RoleName],
    *,
    mechanisms: list[str] | None = None,
    custom_data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a new user as it is stored. Raises BadValueError, RoleNotFoundError."""
    check_user_name(name)
    if db == EXTERNAL_DATABASE:
        credentials = _external_credentials(password, mechanisms)
    elif isinstance(password, str):
        credentials = credentials_of(name, password, mechanisms)
    else:
        raise BadValueError(
            "Must provide a 'pwd' field for all user documents, except those with '$external' as their db"
        )
    record: dict[str, Any] = {
        "_id": f"{db}.{name}",
        "userId": Binary(uuid.uuid4().bytes, UUID_SUBTYPE),
        "user": name,
        "db": db,
        "credentials": credentials,
        "roles": role_documents(roles),
    }
    return record if custom_data is None else {**record, "customData": dict(custom_data)}


def _external_credentials(password: Any, mechanisms: list[str] | None) -> dict[str, Any]:
    """What is kept of somebody whose proof is kept elsewhere."""
    if password is not None:
        raise BadValueError("Cannot set the password for users defined on the '$external' database")
    if mechanisms is not None:
        raise BadValueError("the mechanisms of a user of $external cannot be chosen")
    return {"external": True}


def check_first_user(roles: list[RoleName]) -> None:
    """Raise BadValueError unless one with these roles can make further users: otherwise nobody could, from then on."""
    if not privileges_of(frozenset(roles)).allow(Need("createUser", "admin")):
        raise BadValueError(
            "the first user has to be able to make others: give it root, userAdminAnyDatabase, or userAdmin in admin"
        )


def changed_password(record: Mapping[str, Any], password: str, mechanisms: list[str] | None) -> dict[str, Any]:
    """Return a user's record with another password; without `mechanisms` for those that it has."""
    if record["db"] == EXTERNAL_DATABASE:
        _external_credentials(password, mechanisms)
    kept = list(record["credentials"]) if mechanisms is None else mechanisms
    return {**record, "credentials": credentials_of(record["user"], password, kept)}


def _update_user(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    password, mechanisms = arguments.get("pwd"), arguments.get("mechanisms")
    if not {"pwd", "mechanisms", "customData", "roles"} & set(arguments):
        raise BadValueError("Must specify at least one field to update in updateUser")
    roles = roles_from(arguments["roles"], request.db) if "roles" in arguments else None

    def change(record: dict[str, Any]) -> dict[str, Any]:
        changed = dict(record)
        if password is not None:
            changed = changed_password(record, password, mechanisms)
        elif mechanisms is not None:
            if not mechanisms or not set(mechanisms) <= set(record["credentials"]):
                raise BadValueError("mechanisms field must be a subset of previously set mechanisms")
            changed["credentials"] = {name: record["credentials"][name] for name in mechanisms}
        if roles is not None:
            changed["roles"] = role_documents(roles)
        if "customData" in arguments:
            changed["customData"] = dict(arguments["customData"])
        return changed

    request.engine.users.change(request.db, arguments["updateUser"], change)
    return {}


def _drop_user(request: Request) -> dict[str, Any]:
    request.engine.users.remove(request.db, request.arguments["dropUser"])
    return {}


def _drop_all_users(request: Request) -> dict[str, Any]:
    return {"n": request.engine.users.remove_all(request.db)}


def _grant_roles(request: Request) -> dict[str, Any]:
    granted = roles_from(request.arguments["roles"], request.db)

    def change(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "roles": role_documents(dict.fromkeys([*_roles_of(record), *granted]))}

    request.engine.users.change(request.db, request.arguments["grantRolesToUser"], change)
    return {}


def _revoke_roles(request: Request) -> dict[str, Any]:
    revoked = roles_from(request.arguments["roles"], request.db)

    def change(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "roles": role_documents(each for each in _roles_of(record) if each not in revoked)}

    request.engine.users.change(request.db, request.arguments["revokeRolesFromUser"], change)
    return {}


def _users_info(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    wanted, users = arguments["usersInfo"], request.engine.users
    if isinstance(wanted, Mapping) and "forAllDBs" in wanted:
        found = users.find(None)
    elif isinstance(wanted, str | Mapping | list):
        names = [_user_name(each, request.db) for each in (wanted if isinstance(wanted, list) else [wanted])]
        found = [record for db, name in names if (record := users.get(db, name)) is not None]
    else:
        found = users.find(request.db)
    shown = [_shown(record, arguments) for record in found]
    if arguments.get("filter"):
        matches = compile_filter(arguments["filter"]).matches
        shown = [each for each in shown if matches(each)]
    return {"users": shown}


def _shown(record: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {"credentials"} if arguments.get("showCustomData", True) else {"credentials", "customData"}
    shown = {name: value for name, value in record.items() if name not in hidden}
    shown["mechanisms"] = list(record["credentials"])
    if arguments.get("showCredentials"):
        shown["credentials"] = record["credentials"]
    if arguments.get("showPrivileges"):
        roles = _roles_of(record)
        shown["inheritedRoles"] = role_documents(
            sorted({*roles, *(other for each in roles for other in inherited(each))})
        )
        shown["inheritedPrivileges"] = privileges_of(frozenset(roles)).to_documents()
    return shown


def _roles_info(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    wanted = arguments["rolesInfo"]
    if isinstance(wanted, str | Mapping | list):
        listed = wanted if isinstance(wanted, list) else [wanted]
        known = {each: None for name in roles_from(listed, request.db, checked=False) for each in (name,)}
        found = [each for each in known if each in roles_of_database(each.db)]
    else:
        found = roles_of_database(request.db) if arguments.get("showBuiltinRoles") else []
    return {"roles": [_shown_role(each, with_privileges=bool(arguments.get("showPrivileges"))) for each in found]}


def _shown_role(name: RoleName, *, with_privileges: bool) -> dict[str, Any]:
    others = role_documents(inherited(name))
    shown = {**name.to_document(), "isBuiltin": True, "roles": others, "inheritedRoles": others}
    if with_privileges:
        privileges = privileges_of(frozenset({name})).to_documents()
        shown["privileges"] = shown["inheritedPrivileges"] = privileges
    return shown


def roles_from(listed: list[Any], db: str, *, checked: bool = True) -> list[RoleName]:
    """Return the roles of an array of names and `{role, db}`. Raises RoleNotFoundError, FailedToParseError."""
    found: list[RoleName] = []
    for each in listed:
        if isinstance(each, str):
            name = RoleName(each, db)
        elif isinstance(each, Mapping) and isinstance(each.get("role"), str) and isinstance(each.get("db"), str):
            name = RoleName(each["role"], checked_database(each["db"]))
        else:
            raise FailedToParseError("a role is a string, or a document with the strings 'role' and 'db'")
        found.append(check_role(name) if checked else name)
    return list(dict.fromkeys(found))


def _roles_of(record: Mapping[str, Any]) -> list[RoleName]:
    return [RoleName(role["role"], role["db"]) for role in record["roles"]]


def _user_name(value: Any, db: str) -> tuple[str, str]:
    if isinstance(value, str):
        return db, value
    if isinstance(value, Mapping) and isinstance(value.get("user"), str) and isinstance(value.get("db", db), str):
        return value.get("db", db), value["user"]
    raise FailedToParseError("a user is a string, or a document with the strings 'user' and 'db'")


def _strings(value: Any, command: str, field: str) -> list[str]:
    listed = fields.array(value, command, field)
    if not all(isinstance(each, str) for each in listed):
        raise TypeMismatchError(f"BSON field '{command}.{field}' must be an array of strings")
    return listed


def _plain_password(value: Any, command: str, field: str) -> bool:
    if not fields.boolean(value, command, field):
        raise NotImplementedYetError(f"'digestPassword: false' of command '{command}' is not implemented")
    return True


def _command(name: str, run: Any, readers: Mapping[str, fields.Reader], *required: str) -> Command:
    first = {} if name in readers else {name: fields.string}
    return Command(run, CommandFields(name, {**first, **readers}, required=(name, *required)))


_ABOUT_A_USER: Final[dict[str, fields.Reader]] = {
    "pwd": fields.string,
    "customData": fields.document,
    "roles": fields.array,
    "mechanisms": _strings,
    "digestPassword": _plain_password,
    "authenticationRestrictions": fields.refused("users may come from everywhere"),
}
_ROLES: Final[dict[str, fields.Reader]] = {"roles": fields.array}

CREATE_USER: Final = _command("createUser", _create_user, _ABOUT_A_USER, "roles")
DROP_ALL_USERS_FROM_DATABASE: Final = _command(
    "dropAllUsersFromDatabase", _drop_all_users, {"dropAllUsersFromDatabase": fields.anything}
)
DROP_USER: Final = _command("dropUser", _drop_user, {})
GRANT_ROLES_TO_USER: Final = _command("grantRolesToUser", _grant_roles, _ROLES, "roles")
REVOKE_ROLES_FROM_USER: Final = _command("revokeRolesFromUser", _revoke_roles, _ROLES, "roles")
ROLES_INFO: Final = _command(
    "rolesInfo",
    _roles_info,
    {
        "rolesInfo": fields.anything,
        "showPrivileges": fields.anything,
        "showBuiltinRoles": fields.truth,
        "showAuthenticationRestrictions": fields.truth,
    },
)
UPDATE_USER: Final = _command("updateUser", _update_user, _ABOUT_A_USER)
USERS_INFO: Final = _command(
    "usersInfo",
    _users_info,
    {
        "usersInfo": fields.anything,
        "showCredentials": fields.truth,
        "showCustomData": fields.truth,
        "showPrivileges": fields.truth,
        "showAuthenticationRestrictions": fields.truth,
        "filter": fields.document,
    },
)
