"""Every command is in the table of needs, and the needs of a call are those of its content."""

from typing import Any

import bson
import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.auth.privileges import Need
from skerry.auth.roles import RoleName
from skerry.commands import command_needs
from skerry.commands.client_access import AccessControl, ClientAccess
from skerry.commands.command_needs import OPEN, REQUIREMENTS, authorize
from skerry.commands.command_registry import COMMANDS
from skerry.errors import UnauthorizedError
from skerry.wire.op_msg import OpMsg

OPEN_COMMANDS = {
    "authenticate",
    "buildInfo",
    "buildinfo",
    "connectionStatus",
    "hello",
    "isMaster",
    "ismaster",
    "logout",
    "ping",
    "saslContinue",
    "saslStart",
    "whatsmyuri",
}


class FakeUsers:
    """Users with whom only the version and the roles matter."""

    def __init__(self, *roles: tuple[str, str]) -> None:
        self.number = 1
        self.asked = 0
        self.record: dict[str, Any] | None = {
            "user": "alice",
            "db": "shop",
            "userId": 1,
            "roles": [RoleName(*role).to_document() for role in roles],
            "credentials": {},
        }

    def version(self) -> int:
        return self.number

    def has_any(self) -> bool:
        return self.record is not None

    def get(self, _db: str, _name: str) -> dict[str, Any] | None:
        self.asked += 1
        return self.record


def access_of(users: FakeUsers, *, is_logged_in: bool = True, is_loopback: bool = False) -> ClientAccess:
    access = ClientAccess(AccessControl(users), connection="1", address="10.0.0.1", is_loopback=is_loopback)  # type: ignore[arg-type]
    access.renew()
    if is_logged_in:
        assert users.record is not None
        access.log_in(users.record)
    return access


def needs(
    access: ClientAccess, body: dict[str, Any], *, db: str = "shop", **sequences: list[dict[str, Any]]
) -> set[Need]:
    message = OpMsg(
        1, 0, 0, bson.encode(body), {name: [bson.encode(each) for each in raws] for name, raws in sequences.items()}
    )
    return set(authorize(next(iter(body)), db, body, message, access))


def refused(access: ClientAccess, body: dict[str, Any], *, db: str = "shop", **sequences: list[dict[str, Any]]) -> bool:
    try:
        needs(access, body, db=db, **sequences)
    except UnauthorizedError:
        return True
    return False


def test_every_command_declares_what_it_needs_and_nothing_else_does() -> None:
    assert set(REQUIREMENTS) == set(COMMANDS)


def test_the_table_is_alphabetical() -> None:
    assert list(REQUIREMENTS) == sorted(REQUIREMENTS, key=lambda name: (name.lower(), name))


def test_only_what_a_driver_says_first_is_open_to_everybody() -> None:
    assert {name for name, requirement in REQUIREMENTS.items() if requirement is OPEN} == OPEN_COMMANDS


@pytest.mark.parametrize("name", sorted(set(REQUIREMENTS) - OPEN_COMMANDS))
def test_a_stranger_may_do_nothing_but_log_in(name: str) -> None:
    access = access_of(FakeUsers(), is_logged_in=False, is_loopback=True)
    for db in ("shop", "admin"):
        with pytest.raises(UnauthorizedError, match=f"Command {name} requires authentication"):
            needs(access, {name: 1}, db=db)


def test_a_command_that_is_not_in_the_table_is_allowed_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: requirement for name, requirement in REQUIREMENTS.items() if name != "find"}
    monkeypatch.setattr(command_needs, "REQUIREMENTS", without)
    assert refused(access_of(FakeUsers(("root", "admin"))), {"find": "items"})


@pytest.mark.parametrize(
    ("role", "body", "allowed"),
    [
        ("restore", {"insert": "items", "documents": []}, True),
        ("restore", {"insert": "items", "documents": [], "bypassDocumentValidation": True}, True),
        ("readWriteAnyDatabase", {"insert": "items", "documents": []}, True),
        ("readWriteAnyDatabase", {"insert": "items", "documents": [], "bypassDocumentValidation": True}, False),
        ("readWriteAnyDatabase", {"update": "items", "updates": [], "bypassDocumentValidation": True}, False),
        ("readWriteAnyDatabase", {"aggregate": "items", "pipeline": [{"$out": "x"}]}, True),
        (
            "readWriteAnyDatabase",
            {"aggregate": "i", "pipeline": [{"$out": "x"}], "bypassDocumentValidation": True},
            False,
        ),
        ("readAnyDatabase", {"aggregate": "items", "pipeline": [{"$merge": "x"}]}, False),
        ("readAnyDatabase", {"explain": {"find": "items"}}, True),
        ("readAnyDatabase", {"explain": {"delete": "items", "deletes": []}}, False),
        ("readAnyDatabase", {"explain": {"aggregate": "items", "pipeline": [{"$out": "x"}]}}, False),
        ("dbAdminAnyDatabase", {"create": "v"}, True),
        ("dbAdminAnyDatabase", {"create": "v", "viewOn": "items", "pipeline": []}, False),
        ("dbAdminAnyDatabase", {"collMod": "v", "viewOn": "items", "pipeline": []}, False),
        ("readWriteAnyDatabase", {"create": "v", "viewOn": "items", "pipeline": [{"$unionWith": "b"}]}, True),
        ("restore", {"create": "v", "viewOn": "items", "pipeline": []}, False),
        ("readAnyDatabase", {"masterIndex": "collections"}, True),
        ("readAnyDatabase", {"masterIndex": "take_lease"}, False),
    ],
)
def test_what_a_call_needs_follows_from_all_that_it_says(role: str, body: dict[str, Any], *, allowed: bool) -> None:
    assert refused(access_of(FakeUsers((role, "admin"))), body) is not allowed


def test_a_bulk_write_needs_a_right_for_each_operation() -> None:
    access = access_of(FakeUsers(("read", "shop"), ("restore", "admin")))  # inserts, but neither updates nor removes
    body = {"bulkWrite": 1}
    infos = [{"ns": "shop.items"}]
    assert needs(access, body, db="admin", ops=[{"insert": 0, "document": {}}], nsInfo=infos) == {
        Need("insert", "shop", "items")
    }
    for operation in (
        {"update": 0, "filter": {}, "updateMods": {}},
        {"update": 0.0, "filter": {}, "updateMods": {}},
        {"delete": 0, "filter": {}},
        {"delete": Decimal128("0"), "filter": {}},
        {"delete": Int64(0), "filter": {}},
    ):
        assert refused(access, body, db="admin", ops=[{"insert": 0, "document": {}}, operation], nsInfo=infos)
        assert refused(access, {**body, "ops": [operation], "nsInfo": infos}, db="admin")


@pytest.mark.parametrize(
    ("fields", "actions"),
    [
        ({"update": {}}, {"find", "update"}),
        ({"remove": True}, {"find", "remove"}),
        ({"remove": Decimal128("0"), "update": {}}, {"find", "remove", "update"}),
        ({"update": {}, "upsert": True}, {"find", "update", "insert"}),
        ({}, {"find", "update"}),
    ],
)
def test_a_find_and_modify_needs_what_it_does(fields: dict[str, Any], actions: set[str]) -> None:
    call = {"findAndModify": "items", "bypassDocumentValidation": True, **fields}
    access = access_of(FakeUsers(("root", "admin")))
    assert {need.action for need in needs(access, call)} == actions | {"bypassDocumentValidation"}


def test_a_rename_must_not_make_readable_what_was_not() -> None:
    body = {"renameCollection": "shop.system.js", "to": "shop.items"}
    assert refused(
        access_of(FakeUsers(("read", "shop"), ("dbAdmin", "shop"))),
        {**body, "renameCollection": "shop.system.x"},
        db="admin",
    )
    assert not refused(access_of(FakeUsers(("readWrite", "shop"))), body, db="admin")
    assert refused(access_of(FakeUsers(("readWrite", "shop"))), {**body, "to": "bar.items"}, db="admin")
    both = access_of(FakeUsers(("readWrite", "shop"), ("readWrite", "bar")))
    assert not refused(both, {**body, "to": "bar.items"}, db="admin")


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ({"usersInfo": "alice"}, True),
        ({"usersInfo": {"user": "alice", "db": "shop"}}, True),
        ({"usersInfo": "alice", "showCredentials": True}, False),
        ({"usersInfo": {"user": "alice", "db": "bar"}}, False),
        ({"usersInfo": ["alice", "bob"]}, False),
        ({"usersInfo": 1}, False),
        ({"usersInfo": {"forAllDBs": True}}, False),
        ({"rolesInfo": "read"}, True),
        ({"rolesInfo": "readWrite"}, False),
        ({"rolesInfo": {"role": {}, "db": []}}, False),
        ({"usersInfo": {"user": {}, "db": []}}, False),
        ({"rolesInfo": 1}, False),
    ],
)
def test_everybody_may_view_himself_and_no_other(body: dict[str, Any], *, allowed: bool) -> None:
    assert refused(access_of(FakeUsers(("read", "shop"))), body) is not allowed


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ({"createUser": "bob", "pwd": "x", "roles": ["read"]}, True),
        ({"createUser": "bob", "pwd": "x", "roles": []}, True),
        ({"createUser": "bob", "pwd": "x", "roles": [{"role": "read", "db": "bar"}]}, False),
        ({"createUser": "bob", "pwd": "x", "roles": [{"role": "root", "db": "admin"}]}, False),
        ({"grantRolesToUser": "alice", "roles": ["readWrite", {"role": "root", "db": "admin"}]}, False),
        ({"grantRolesToUser": "alice", "roles": ["readWrite"]}, True),
        ({"revokeRolesFromUser": "alice", "roles": [{"role": "read", "db": "bar"}]}, False),
        ({"updateUser": "bob", "pwd": "x"}, True),
        ({"updateUser": "bob", "roles": ["read"]}, False),  # it revokes the others, wherever they are
        ({"usersInfo": 1}, True),
        ({"usersInfo": {"forAllDBs": True}}, False),
    ],
)
def test_the_administrator_of_a_databases_users_stays_in_his_database(body: dict[str, Any], *, allowed: bool) -> None:
    assert refused(access_of(FakeUsers(("userAdmin", "shop"))), body) is not allowed


def test_an_answer_is_remembered_until_users_change() -> None:
    users = FakeUsers(("read", "shop"))
    access = access_of(users)
    for _ in range(3):
        assert needs(access, {"find": "items"}) == {Need("find", "shop", "items")}
    assert users.asked == 0
    assert users.record is not None
    users.record = {**users.record, "roles": []}
    users.number += 1
    assert refused(access, {"find": "items"})
    assert users.asked == 1


@pytest.mark.parametrize("replacement", [None, {"userId": 2}])
def test_a_user_who_is_gone_is_logged_out_also_when_another_has_his_name(replacement: dict[str, Any] | None) -> None:
    users = FakeUsers(("root", "admin"))
    access = access_of(users)
    assert users.record is not None
    users.record = None if replacement is None else {**users.record, **replacement}
    users.number += 1
    with pytest.raises(UnauthorizedError, match="requires authentication"):
        needs(access, {"find": "items"})


def test_remembered_answers_do_not_fill_the_memory() -> None:
    access = access_of(FakeUsers(("read", "shop")))
    for number in range(1100):
        needs(access, {"find": f"c{number}"})
    assert len(access.remembered) <= 1000


@pytest.mark.parametrize(
    ("is_loopback", "body", "db", "allowed"),
    [
        (True, {"createUser": "a"}, "admin", True),
        (True, {"createUser": "a"}, "shop", False),
        (True, {"usersInfo": 1}, "admin", False),
        (False, {"createUser": "a"}, "admin", False),
    ],
)
def test_the_localhost_exception_is_for_the_first_user_alone(
    body: dict[str, Any], db: str, *, is_loopback: bool, allowed: bool
) -> None:
    users = FakeUsers()
    users.record = None
    control = AccessControl(users, requires_login=True)  # type: ignore[arg-type]
    access = ClientAccess(control, connection="1", address="x", is_loopback=is_loopback)
    assert refused(access, body, db=db) is not allowed
    users.record = {"user": "a"}
    assert refused(access, body, db=db)


def test_without_users_everybody_is_the_owner_and_with_the_first_nobody_is() -> None:
    users = FakeUsers()
    record, users.record = users.record, None
    control = AccessControl(users)  # type: ignore[arg-type]
    access = ClientAccess(control, connection="1", address="x", is_loopback=True)
    assert needs(access, {"dropDatabase": 1}) == set()
    users.record, users.number = record, 2
    assert refused(access, {"dropDatabase": 1})
    users.record, users.number = None, 3
    assert refused(access, {"dropDatabase": 1}), "the last user's end does not open the node"
