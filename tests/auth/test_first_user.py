"""From a node without users to one with them."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

import skerry
from skerry.config import ServerConfig
from skerry.engine import users as users_module
from skerry.engine.engine import Engine
from skerry.errors import UnauthorizedError
from skerry.node import Node
from skerry.server.listener import Listener

Failure = Callable[[Callable[[], Any]], int | None]
ROOT = {"pwd": "secret", "roles": ["root"]}


def test_without_users_everybody_is_the_owner_and_after_the_first_he_has_to_log_in(
    open_node: Any, failure: Failure
) -> None:
    client = open_node().client()
    client.shop.items.insert_one({})
    client.admin.command("createUser", "alice", **ROOT)
    assert failure(client.shop.items.find_one) == 13


def test_the_first_user_has_to_be_able_to_make_others(open_node: Any, failure: Failure) -> None:
    client = open_node().client()
    assert failure(lambda: client.shop.command("createUser", "bob", pwd="x", roles=["readWrite"])) == 2
    assert failure(lambda: client.shop.command("createUser", "bob", pwd="x", roles=["userAdmin"])) == 2
    client.admin.command("createUser", "bob", pwd="x", roles=["userAdminAnyDatabase"])


def test_the_localhost_exception_makes_one_user_and_shows_nothing(open_node: Any, failure: Failure) -> None:
    client = open_node(requires_login=True).client()
    assert failure(client.shop.items.find_one) == 13
    assert failure(lambda: client.admin.command("usersInfo", 1)) == 13
    assert failure(lambda: client.shop.command("createUser", "alice", **ROOT)) == 13
    client.admin.command("createUser", "alice", **ROOT)
    assert failure(lambda: client.admin.command("createUser", "mallory", **ROOT)) == 13


def test_of_two_first_users_one_is_refused(open_node: Any) -> None:
    node = open_node(requires_login=True)
    record = {"_id": "admin.a", "userId": 1, "user": "a", "db": "admin", "roles": [], "credentials": {}}
    node.engine.users.create(record, only_as_first=True)
    with pytest.raises(UnauthorizedError):
        node.engine.users.create({**record, "user": "b"}, only_as_first=True)


def test_the_end_of_the_last_user_does_not_open_the_node(node: Any, root: MongoClient[Any], failure: Failure) -> None:
    root.admin.command("dropUser", "root")
    assert failure(root.shop.items.find_one) == 13
    assert failure(node.clients[0].shop.items.find_one) == 13
    node.clients[0].admin.command("createUser", "again", **ROOT)


def test_the_owner_in_the_process_needs_no_log_in_and_is_told_so(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as owner:
        owner.shop.command(
            "createUser", "bob", pwd="x", roles=["read"]
        )  # may be the first: the owner can always mend it
        owner.shop.items.insert_one({})
        assert owner.shop.command("usersInfo", "bob")["users"][0]["user"] == "bob"
        with pytest.raises(OperationFailure, match="owner"):
            owner.admin.command("saslStart", 1, mechanism="SCRAM-SHA-256", payload=b"")
        assert owner.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"] == []
        owner.admin.command("logout")


def test_behind_a_private_listener_is_the_owner(node: Any) -> None:
    with Listener(("127.0.0.1", 0), node.engine, is_private=True) as private:
        host, port = private.address  # type: ignore[misc]
        with MongoClient(host, port) as client:
            assert client.shop.items.find_one() is None


def test_users_are_in_no_collection_and_in_no_change_stream(node: Any, root: MongoClient[Any]) -> None:
    with root.watch() as stream:
        root.shop.command("createUser", "bob", pwd="x", roles=["read"])
        root.shop.items.insert_one({"_id": 1})
        assert next(stream)["fullDocument"] == {"_id": 1}
    assert root.admin["system.users"].find_one() is None
    assert "admin" not in root.list_database_names()


def test_users_are_kept_and_another_process_s_change_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Failure
) -> None:
    monkeypatch.setattr(users_module, "SEEN_WITHIN_SECONDS", 0.0)
    node = Node(tmp_path, server=ServerConfig(bind_port=0))
    node.start()
    try:
        with MongoClient(f"mongodb://{node.address}") as client:
            client.shop.items.insert_one({})
            other = Engine(tmp_path)  # as `skerry user add` does
            other.users.create(
                {"_id": "admin.a", "userId": 1, "user": "a", "db": "admin", "roles": [], "credentials": {}}
            )
            other.close()
            assert failure(client.shop.items.find_one) == 13
    finally:
        node.stop()


@pytest.fixture
def started() -> Iterator[Callable[..., Node]]:
    nodes: list[Node] = []

    def start(path: Path, **settings: Any) -> Node:
        node = Node(path, server=ServerConfig(bind_port=0, **settings))
        nodes.append(node)
        node.start()
        return node

    yield start
    for node in nodes:
        node.stop()


def test_without_users_a_node_listens_on_the_loopback_only_and_says_so(
    tmp_path: Path, started: Callable[..., Node], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "skerry.server"):
        node = started(tmp_path, bind_host="0.0.0.0")
    assert node.address.startswith("127.0.0.1:")
    assert "no users" in caplog.text
    assert "0.0.0.0" in caplog.text


@pytest.mark.parametrize("how", ["auth", "user"])
def test_with_a_log_in_a_node_listens_where_it_is_told(tmp_path: Path, started: Callable[..., Node], how: str) -> None:
    if how == "user":
        with skerry.connect(tmp_path) as owner:
            owner.admin.command("createUser", "alice", **ROOT)
    node = started(tmp_path, bind_host="0.0.0.0", auth=how == "auth")
    assert node.address.startswith("0.0.0.0:")
    port = int(node.address.rpartition(":")[2])
    with MongoClient("127.0.0.1", port) as client, pytest.raises(OperationFailure, match="requires authentication"):
        client.shop.items.find_one()
