"""The built-in roles."""

import pytest

from skerry.auth.privileges import Need
from skerry.auth.roles import ROLES, RoleName, check_role, inherited, privileges_of, roles_of_database
from skerry.errors import RoleNotFoundError

OF_ANY_DATABASE = {"dbAdmin", "dbOwner", "read", "readWrite", "userAdmin"}


def allows(role: str, db: str, action: str, *where: str) -> bool:
    return privileges_of(frozenset({RoleName(role, db)})).allow(Need(action, *where))


def test_the_table_of_roles_is_alphabetical() -> None:
    assert list(ROLES) == sorted(ROLES)


def test_some_roles_exist_in_every_database_the_others_in_admin() -> None:
    assert {name.role for name in roles_of_database("shop")} == OF_ANY_DATABASE
    assert {name.role for name in roles_of_database("admin")} == set(ROLES)


@pytest.mark.parametrize("name", [RoleName("root", "shop"), RoleName("nonsense", "admin"), RoleName("Read", "shop")])
def test_a_role_that_there_is_not_is_refused_by_name(name: RoleName) -> None:
    with pytest.raises(RoleNotFoundError, match=f"{name.role}@{name.db}"):
        check_role(name)
    assert not privileges_of(frozenset({name})).allow(Need("find", name.db, "x"))


@pytest.mark.parametrize(
    ("role", "db", "action", "where", "allowed"),
    [
        ("read", "shop", "find", ("shop", "items"), True),
        ("read", "shop", "find", ("bar", "items"), False),
        ("read", "shop", "find", ("shop", "system.js"), True),
        ("read", "shop", "find", ("shop", "system.users"), False),
        ("read", "shop", "insert", ("shop", "items"), False),
        ("readWrite", "shop", "insert", ("shop", "system.js"), True),
        ("readWrite", "shop", "dropDatabase", ("shop",), False),
        ("dbAdmin", "shop", "find", ("shop", "items"), False),
        ("dbAdmin", "shop", "dropDatabase", ("shop",), True),
        ("dbOwner", "shop", "find", ("shop", "items"), True),
        ("dbOwner", "shop", "createUser", ("shop",), True),
        ("dbOwner", "shop", "createUser", ("admin",), False),
        ("userAdmin", "shop", "grantRole", ("admin",), False),
        ("userAdmin", "admin", "grantRole", ("shop",), False),
        ("userAdminAnyDatabase", "admin", "grantRole", ("shop",), True),
        ("readAnyDatabase", "admin", "find", ("shop", "items"), True),
        ("readAnyDatabase", "admin", "find", ("local", "oplog.rs"), False),
        ("readAnyDatabase", "admin", "listDatabases", (), True),
        ("clusterMonitor", "admin", "find", ("shop", "items"), False),
        ("clusterMonitor", "admin", "serverStatus", (), True),
        ("backup", "admin", "find", ("local", "oplog.rs"), True),
        ("backup", "admin", "insert", ("shop", "items"), False),
        ("restore", "admin", "insert", ("shop", "items"), True),
        ("restore", "admin", "find", ("shop", "items"), False),
        ("root", "admin", "killAnyCursor", (), True),
        ("root", "admin", "find", ("local", "x"), True),
    ],
)
def test_a_role_allows_what_the_manual_says(
    role: str, db: str, action: str, where: tuple[str, ...], *, allowed: bool
) -> None:
    assert allows(role, db, action, *where) is allowed


def test_roles_add_up() -> None:
    both = privileges_of(frozenset({RoleName("read", "shop"), RoleName("readWrite", "bar")}))
    assert both.allow(Need("find", "shop", "x"))
    assert both.allow(Need("insert", "bar", "x"))
    assert not both.allow(Need("insert", "shop", "x"))


def test_the_owner_of_a_database_has_its_three_other_roles() -> None:
    assert inherited(RoleName("dbOwner", "shop")) == [
        RoleName("dbAdmin", "shop"),
        RoleName("readWrite", "shop"),
        RoleName("userAdmin", "shop"),
    ]
