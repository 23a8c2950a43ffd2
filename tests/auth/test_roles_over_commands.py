"""Which role may run which command: a table over the whole registry, through pymongo."""

from typing import Any

import pytest
from bson.binary import Binary
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from skerry.auth.roles import ROLES
from skerry.commands.command_needs import LOGGED_IN, OPEN, REQUIREMENTS

SESSION = {"id": Binary(b"\x07" * 16, 4)}
ADMIN = "admin"

# A call of each command that needs a privilege; what is not ("admin", …) runs in the database `shop`.
CALLS: dict[str, dict[str, Any] | tuple[str, dict[str, Any]]] = {
    "aggregate": {
        "aggregate": "items",
        "pipeline": [{"$lookup": {"from": "b", "as": "b", "pipeline": []}}],
        "cursor": {},
    },
    "bulkWrite": (ADMIN, {"bulkWrite": 1, "ops": [{"insert": 0, "document": {}}], "nsInfo": [{"ns": "shop.items"}]}),
    "collMod": {"collMod": "items"},
    "collStats": {"collStats": "items"},
    "collstats": {"collstats": "items"},
    "compact": {"compact": "items", "dryRun": True},
    "count": {"count": "items"},
    "create": {"create": "items"},
    "createIndexes": {"createIndexes": "items", "indexes": [{"key": {"a": 1}, "name": "a_1"}]},
    "createUser": {"createUser": "new", "pwd": "x", "roles": []},
    "dbStats": {"dbStats": 1},
    "dbstats": {"dbstats": 1},
    "delete": {"delete": "items", "deletes": [{"q": {"x": 1}, "limit": 0}]},
    "deleteIndexes": {"deleteIndexes": "items", "index": "*"},
    "distinct": {"distinct": "items", "key": "a"},
    "drop": {"drop": "nothing"},
    "dropAllUsersFromDatabase": {"dropAllUsersFromDatabase": 1},
    "dropDatabase": {"dropDatabase": 1},
    "dropIndexes": {"dropIndexes": "items", "index": "*"},
    "dropUser": {"dropUser": "new"},
    "explain": {"explain": {"find": "items"}},
    "find": {"find": "items"},
    "findAndModify": {"findAndModify": "items", "query": {"x": 1}, "update": {"$set": {"y": 1}}},
    "findandmodify": {"findandmodify": "items", "query": {"x": 1}, "remove": True},
    "getCmdLineOpts": (ADMIN, {"getCmdLineOpts": 1}),
    "getDefaultRWConcern": (ADMIN, {"getDefaultRWConcern": 1}),
    "getLog": (ADMIN, {"getLog": "*"}),
    "getParameter": (ADMIN, {"getParameter": "*"}),
    "grantRolesToUser": {"grantRolesToUser": "new", "roles": ["read"]},
    "hostInfo": (ADMIN, {"hostInfo": 1}),
    "insert": {"insert": "items", "documents": [{"a": 1}]},
    "listCollections": {"listCollections": 1},
    "listIndexes": {"listIndexes": "items"},
    "masterIndex": {"masterIndex": "collections"},
    "renameCollection": (ADMIN, {"renameCollection": "shop.nothing", "to": "shop.other"}),
    "replSetGetStatus": (ADMIN, {"replSetGetStatus": 1}),
    "revokeRolesFromUser": {"revokeRolesFromUser": "new", "roles": ["read"]},
    "rolesInfo": {"rolesInfo": 1},
    "serverStatus": (ADMIN, {"serverStatus": 1}),
    "update": {"update": "items", "updates": [{"q": {"x": 1}, "u": {"$set": {"y": 1}}}]},
    "updateUser": {"updateUser": "new", "pwd": "y"},
    "usersInfo": {"usersInfo": 1},
    "validate": {"validate": "items"},
}
# What every user may do, and what its reply shows or ends is his own.
FOR_EVERY_USER: dict[str, tuple[str, dict[str, Any]]] = {
    "abortTransaction": (ADMIN, {"abortTransaction": 1, "lsid": SESSION, "txnNumber": 1, "autocommit": False}),
    "commitTransaction": (ADMIN, {"commitTransaction": 1, "lsid": SESSION, "txnNumber": 1, "autocommit": False}),
    "endSessions": (ADMIN, {"endSessions": [SESSION]}),
    "getMore": ("shop", {"getMore": 1 << 40, "collection": "items"}),
    "killCursors": ("shop", {"killCursors": "items", "cursors": [1 << 40]}),
    "killSessions": (ADMIN, {"killSessions": [SESSION]}),
    "listDatabases": (ADMIN, {"listDatabases": 1}),
    "refreshSessions": (ADMIN, {"refreshSessions": [SESSION]}),
    "startSession": (ADMIN, {"startSession": 1}),
}


def words(text: str) -> set[str]:
    return set(text.split())


READ = words(
    "aggregate collStats collstats count dbStats dbstats distinct explain find listCollections listIndexes masterIndex"
)
READ_WRITE = READ | words(
    "bulkWrite create createIndexes delete deleteIndexes drop dropIndexes findAndModify findandmodify insert"
    " renameCollection update"
)
DB_ADMIN = words(
    "collMod collStats collstats compact create createIndexes dbStats dbstats deleteIndexes drop dropDatabase"
    " dropIndexes"
    " listCollections listIndexes masterIndex renameCollection validate"
)
USER_ADMIN = words(
    "createUser dropAllUsersFromDatabase dropUser grantRolesToUser revokeRolesFromUser rolesInfo updateUser usersInfo"
)
MONITOR = words(
    "collStats collstats dbStats dbstats getCmdLineOpts getDefaultRWConcern getLog getParameter hostInfo replSetGetStatus"
    " serverStatus"
)
BACKUP = words(
    "aggregate count distinct explain find getParameter listCollections listIndexes masterIndex serverStatus"
)
RESTORE = USER_ADMIN | words(
    "bulkWrite collMod create createIndexes deleteIndexes drop dropIndexes getParameter insert listCollections masterIndex"
)
ALLOWED: dict[str, set[str]] = {
    "backup": BACKUP,
    "clusterMonitor": MONITOR,
    "dbAdmin": DB_ADMIN,
    "dbAdminAnyDatabase": DB_ADMIN,
    "dbOwner": READ_WRITE | DB_ADMIN | USER_ADMIN,
    "read": READ,
    "readAnyDatabase": READ,
    "readWrite": READ_WRITE,
    "readWriteAnyDatabase": READ_WRITE,
    "restore": RESTORE,
    "root": set(CALLS),
    "userAdmin": USER_ADMIN,
    "userAdminAnyDatabase": USER_ADMIN,
}


def is_refused(client: MongoClient[Any], db: str, call: dict[str, Any]) -> bool:
    """Whether the call is not allowed; that it fails for another reason does not matter here."""
    try:
        client[db].command(call)
    except OperationFailure as error:
        return error.code == 13
    return False


def test_every_command_of_the_registry_is_in_the_table() -> None:
    guarded = {name for name, requirement in REQUIREMENTS.items() if requirement not in (OPEN, LOGGED_IN)}
    assert set(CALLS) == guarded
    assert set(FOR_EVERY_USER) == {name for name, requirement in REQUIREMENTS.items() if requirement is LOGGED_IN}
    assert set(ALLOWED) == set(ROLES)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_may_run_its_commands_and_no_others(node: Any, root: MongoClient[Any], role: str) -> None:
    root.shop.items.insert_one({"a": 1})
    root.shop.b.insert_one({"a": 1})
    db = ADMIN if ROLES[role].is_of_admin else "shop"
    # in a database of his own, so that what he drops is not himself
    client = node.client_of("user", [{"role": role, "db": db}], db="accounts")
    allowed = set()
    for name, call in CALLS.items():
        where, body = call if isinstance(call, tuple) else ("shop", call)
        if not is_refused(client, where, body):
            allowed.add(name)
    assert allowed == ALLOWED[role]
    for where, body in FOR_EVERY_USER.values():
        assert not is_refused(client, where, body)


def test_roles_of_a_database_end_at_its_border(node: Any, root: MongoClient[Any]) -> None:
    root.other.items.insert_one({"a": 1})
    client = node.client_of("user", ["readWrite", "dbAdmin", "userAdmin"], db="shop")
    crossing: list[tuple[str, dict[str, Any]]] = [
        ("other", {"find": "items"}),
        ("other", {"insert": "items", "documents": [{}]}),
        ("other", {"createUser": "x", "pwd": "x", "roles": []}),
        ("other", {"dropDatabase": 1}),
        ("admin", {"usersInfo": 1}),
        ("shop", {"aggregate": "items", "pipeline": [{"$out": {"db": "other", "coll": "x"}}], "cursor": {}}),
        (
            "shop",
            {"aggregate": "items", "pipeline": [{"$merge": {"into": {"db": "other", "coll": "x"}}}], "cursor": {}},
        ),
        ("shop", {"grantRolesToUser": "user", "roles": [{"role": "root", "db": "admin"}]}),
        ("admin", {"renameCollection": "other.items", "to": "shop.items"}),
        ("admin", {"bulkWrite": 1, "ops": [{"delete": 0, "filter": {}}], "nsInfo": [{"ns": "other.items"}]}),
    ]
    assert [call for where, call in crossing if not is_refused(client, where, call)] == []
    assert root.other.items.count_documents({}) == 1


def test_lists_show_what_the_user_may_see(node: Any, root: MongoClient[Any]) -> None:
    root.shop.items.insert_one({})
    root.other.items.insert_one({})
    reader = node.client_of("reader", ["read"])
    assert reader.list_database_names() == ["shop"]
    assert is_refused(reader, "admin", {"listDatabases": 1, "authorizedDatabases": False})
    assert node.client_of("wide", [{"role": "readAnyDatabase", "db": "admin"}]).list_database_names() == [
        "other",
        "shop",
    ]
    keeper = node.client_of("keeper", ["userAdmin"])
    assert is_refused(keeper, "shop", {"listCollections": 1})
    named = keeper.shop.command("listCollections", nameOnly=True, authorizedCollections=True)
    assert named["cursor"]["firstBatch"] == []


def test_a_view_may_be_read_by_who_may_not_read_its_source(node: Any, root: MongoClient[Any]) -> None:
    root.shop.command("create", "view", viewOn="system.js", pipeline=[])
    root.shop.command("create", "open", viewOn="items", pipeline=[{"$project": {"secret": 0}}])
    root.shop.items.insert_one({"_id": 1, "secret": 2})
    reader = node.client_of("reader", ["read"])
    assert list(reader.shop.open.find()) == [{"_id": 1}]
