"""Users made, changed, listed and dropped."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import MongoClient

Failure = Callable[[Callable[[], Any]], int | None]
READ = {"role": "read", "db": "shop"}


@pytest.fixture
def bob(root: MongoClient[Any]) -> dict[str, Any]:
    root.shop.command("createUser", "bob", pwd="bob", roles=["read"], customData={"badge": 7})
    found: dict[str, Any] = root.shop.command("usersInfo", "bob")["users"][0]
    return found


def test_a_user_is_shown_as_mongodb_shows_it(root: MongoClient[Any], bob: dict[str, Any]) -> None:
    assert bob.pop("userId").subtype == 4
    assert bob == {
        "_id": "shop.bob",
        "user": "bob",
        "db": "shop",
        "roles": [READ],
        "customData": {"badge": 7},
        "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"],
    }
    [shown] = root.shop.command("usersInfo", "bob", showCredentials=True, showPrivileges=True)["users"]
    assert set(shown["credentials"]) == {"SCRAM-SHA-1", "SCRAM-SHA-256"}
    assert shown["inheritedRoles"] == [READ]
    assert {"resource": {"db": "shop", "collection": ""}, "actions": sorted_read()} in shown["inheritedPrivileges"]


def sorted_read() -> list[str]:
    from skerry.auth.roles import RoleName, privileges_of

    documents = privileges_of(frozenset({RoleName("read", "shop")})).to_documents()
    return next(each["actions"] for each in documents if each["resource"]["collection"] == "")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("bob", ["bob"]),
        ("nobody", []),
        ({"user": "root", "db": "admin"}, ["root"]),
        (["bob", {"user": "root", "db": "admin"}, "nobody"], ["bob", "root"]),
        (1, ["ann", "bob"]),
        ({"forAllDBs": True}, ["root", "ann", "bob"]),
    ],
)
def test_users_are_found_by_name_by_database_or_all(
    root: MongoClient[Any], bob: dict[str, Any], wanted: Any, names: list[str]
) -> None:
    root.shop.command("createUser", "ann", pwd="ann", roles=[])
    found = root.shop.command("usersInfo", wanted)["users"]
    assert [each["user"] for each in found] == names
    filtered = root.shop.command("usersInfo", wanted, filter={"user": "bob"}, showCustomData=False)["users"]
    assert [each["user"] for each in filtered] == [name for name in names if name == "bob"]
    assert all("customData" not in each for each in filtered)


def test_roles_are_granted_and_revoked_and_take_effect_at_once(
    node: Any, root: MongoClient[Any], failure: Failure
) -> None:
    bob = node.client_of("bob", ["read"])
    assert failure(lambda: bob.shop.items.insert_one({})) == 13
    root.shop.command("grantRolesToUser", "bob", roles=["readWrite", {"role": "read", "db": "other"}])
    bob.shop.items.insert_one({})
    root.shop.command("revokeRolesFromUser", "bob", roles=["readWrite", "read"])
    assert failure(bob.shop.items.find_one) == 13
    assert bob.other.items.find_one() is None
    assert root.shop.command("usersInfo", "bob")["users"][0]["roles"] == [{"role": "read", "db": "other"}]


def test_an_update_changes_what_it_names(
    node: Any, root: MongoClient[Any], bob: dict[str, Any], failure: Failure
) -> None:
    root.shop.command("updateUser", "bob", pwd="new", customData={"badge": 8})
    [changed] = root.shop.command("usersInfo", "bob")["users"]
    assert changed == {**bob, "customData": {"badge": 8}}
    assert failure(node.client(username="bob", password="bob", authSource="shop").shop.items.find_one) == 18
    assert node.client(username="bob", password="new", authSource="shop").shop.items.find_one() is None
    root.shop.command("updateUser", "bob", roles=["readWrite"], mechanisms=["SCRAM-SHA-256"])
    [changed] = root.shop.command("usersInfo", "bob")["users"]
    assert changed["mechanisms"] == ["SCRAM-SHA-256"]
    assert changed["roles"] == [{"role": "readWrite", "db": "shop"}]
    assert node.client(username="bob", password="new", authSource="shop").shop.items.find_one() is None


def test_a_dropped_user_is_logged_out(node: Any, root: MongoClient[Any], failure: Failure) -> None:
    bob = node.client_of("bob", ["read"])
    assert bob.shop.items.find_one() is None
    root.shop.command("dropUser", "bob")
    assert failure(bob.shop.items.find_one) == 13
    root.shop.command("createUser", "bob", pwd="bob", roles=["read"])
    assert failure(bob.shop.items.find_one) == 13, "another user of the same name is another user"


def test_all_users_of_a_database_are_dropped(root: MongoClient[Any], bob: dict[str, Any]) -> None:
    assert root.shop.command("dropAllUsersFromDatabase")["n"] == 1
    assert root.shop.command("dropAllUsersFromDatabase")["n"] == 0
    assert [each["user"] for each in root.admin.command("usersInfo", {"forAllDBs": True})["users"]] == ["root"]


def test_to_drop_a_database_leaves_its_users(root: MongoClient[Any], bob: dict[str, Any]) -> None:
    root.shop.items.insert_one({})
    root.drop_database("shop")
    assert root.shop.command("usersInfo", "bob")["users"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"createUser": "bob", "pwd": "x", "roles": []}, 51003),
        ({"createUser": "new", "pwd": "x", "roles": ["nonsense"]}, 31),
        ({"createUser": "new", "pwd": "x", "roles": ["root"]}, 31),
        ({"createUser": "new", "pwd": "x", "roles": [7]}, 9),
        ({"createUser": "new", "pwd": "x", "roles": [{"role": "read", "db": "$x"}]}, 73),
        ({"createUser": "new", "roles": []}, 2),
        ({"createUser": "new", "pwd": "", "roles": []}, 2),
        ({"createUser": "", "pwd": "x", "roles": []}, 2),
        ({"createUser": "new", "pwd": "x"}, 40414),
        ({"createUser": "new", "pwd": 7, "roles": []}, 14),
        ({"createUser": "new", "pwd": "x", "roles": [], "mechanisms": ["PLAIN"]}, 2),
        ({"createUser": "new", "pwd": "x", "roles": [], "mechanisms": [1]}, 14),
        ({"createUser": "new", "pwd": "x", "roles": [], "digestPassword": False}, 238),
        (
            {"createUser": "new", "pwd": "x", "roles": [], "authenticationRestrictions": [{"clientSource": ["::1"]}]},
            238,
        ),
        ({"createUser": "new", "pwd": "x", "roles": [], "nonsense": 1}, 40415),
        ({"updateUser": "bob"}, 2),
        ({"updateUser": "nobody", "pwd": "x"}, 11),
        ({"updateUser": "bob", "mechanisms": []}, 2),
        ({"dropUser": "nobody"}, 11),
        ({"grantRolesToUser": "nobody", "roles": ["read"]}, 11),
        ({"grantRolesToUser": "bob", "roles": ["nonsense"]}, 31),
        ({"usersInfo": [7]}, 9),
        ({"createRole": "mine", "privileges": [], "roles": []}, 238),
        ({"grantPrivilegesToRole": "read", "privileges": []}, 238),
    ],
)
def test_what_cannot_be_is_refused(
    root: MongoClient[Any], bob: dict[str, Any], failure: Failure, command: dict[str, Any], code: int
) -> None:
    assert failure(lambda: root.shop.command(command)) == code


def test_the_built_in_roles_are_shown_with_what_they_allow(root: MongoClient[Any]) -> None:
    assert root.shop.command("rolesInfo", 1)["roles"] == []
    names = [each["role"] for each in root.shop.command("rolesInfo", 1, showBuiltinRoles=True)["roles"]]
    assert names == ["dbAdmin", "dbOwner", "read", "readWrite", "userAdmin"]
    [owner] = root.shop.command("rolesInfo", {"role": "dbOwner", "db": "shop"}, showPrivileges=True)["roles"]
    assert owner["isBuiltin"] is True
    assert [each["role"] for each in owner["inheritedRoles"]] == ["dbAdmin", "readWrite", "userAdmin"]
    assert any("createUser" in each["actions"] for each in owner["privileges"])
    assert root.shop.command("rolesInfo", ["nonsense", "root"])["roles"] == []
