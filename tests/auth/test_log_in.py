"""Logging in and out, with pymongo and by hand."""

import socket
import struct
from collections.abc import Callable
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

Failure = Callable[[Callable[[], Any]], int | None]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", None])
def test_a_user_logs_in_by_either_mechanism(node: Any, mechanism: str | None) -> None:
    options = {} if mechanism is None else {"authMechanism": mechanism}
    client = node.client(username="root", password="root's secret", **options)
    assert client.shop.items.count_documents({}) == 0
    info = client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
    assert info["authenticatedUsers"] == [{"user": "root", "db": "admin"}]
    assert info["authenticatedUserRoles"] == [{"role": "root", "db": "admin"}]
    assert info["authenticatedUserPrivileges"][0]["resource"] == {"anyResource": True}


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize(
    ("name", "password", "source"),
    [("root", "no", "admin"), ("nobody", "x", "admin"), ("root", "root's secret", "shop")],
)
def test_a_wrong_password_name_or_database_fails_with_18(
    node: Any, failure: Failure, mechanism: str, name: str, password: str, source: str
) -> None:
    client = node.client(username=name, password=password, authSource=source, authMechanism=mechanism)
    assert failure(client.shop.items.find_one) == 18


def test_a_name_and_a_password_may_have_any_characters(root: MongoClient[Any], node: Any) -> None:
    name, password = "Zoë, =2C = ©", "p@ss:w/rd ½ ЖЖ"
    root.shop.command("createUser", name, pwd=password, roles=["read"])
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
        client = node.client(username=name, password=password, authSource="shop", authMechanism=mechanism)
        assert client.shop.items.find_one() is None


def test_a_user_with_one_mechanism_logs_in_by_that_one_only(
    root: MongoClient[Any], node: Any, failure: Failure
) -> None:
    root.shop.command("createUser", "old", pwd="old", roles=["read"], mechanisms=["SCRAM-SHA-1"])
    options = {"username": "old", "password": "old", "authSource": "shop"}
    assert node.client(**options).shop.items.find_one() is None  # found out by saslSupportedMechs
    assert failure(node.client(authMechanism="SCRAM-SHA-256", **options).shop.items.find_one) == 18


def test_a_stranger_may_ask_what_drivers_ask_and_nothing_else(node: Any, failure: Failure) -> None:
    stranger = node.clients[0]
    assert stranger.admin.command("ping")["ok"] == 1.0
    assert stranger.admin.command("hello")["isWritablePrimary"] is True
    assert stranger.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"] == []
    for call in (
        stranger.shop.items.find_one,
        stranger.list_database_names,
        lambda: stranger.admin.command("usersInfo", 1),
    ):
        assert failure(call) == 13


def test_the_mechanisms_of_a_name_that_nobody_has_are_those_of_any(root: MongoClient[Any], node: Any) -> None:
    def mechanisms(name: str) -> list[str]:
        return sorted(node.clients[0].admin.command("hello", saslSupportedMechs=name)["saslSupportedMechs"])

    assert mechanisms("admin.root") == mechanisms("admin.nobody") == ["SCRAM-SHA-1", "SCRAM-SHA-256"]


def test_x509_and_other_mechanisms_are_refused_by_name(node: Any) -> None:
    stranger = node.clients[0]
    with pytest.raises(OperationFailure, match="MONGODB-X509") as caught:
        stranger.admin.command("saslStart", 1, mechanism="MONGODB-X509", payload=b"")
    assert caught.value.code == 334
    with pytest.raises(OperationFailure, match="PLAIN"):
        stranger.admin.command("saslStart", 1, mechanism="PLAIN", payload=b"\0root\0x")


class Wire:
    """One connection on which a test says what it likes."""

    def __init__(self, node: Any) -> None:
        self.socket = socket.create_connection(node.listener.address, timeout=10)

    def ask(self, command: dict[str, Any], db: str = "admin") -> dict[str, Any]:
        content = struct.pack("<iB", 0, 0) + bson.encode({**command, "$db": db})
        self.socket.sendall(struct.pack("<iiii", 16 + len(content), 1, 0, 2013) + content)
        length = struct.unpack("<i", self.read(4))[0]
        return bson.decode(self.read(length - 4)[17:])

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


@pytest.fixture
def wire(node: Any) -> Any:
    connected = Wire(node)
    yield connected
    connected.socket.close()


def log_in(wire: Wire, name: str = "root", password: str = "root's secret", db: str = "admin") -> dict[str, Any]:
    from scramp import ScramClient

    client = ScramClient(["SCRAM-SHA-256"], name, password)
    start = {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": client.get_client_first().encode()}
    first = wire.ask(start, db)
    client.set_server_first(first["payload"].decode())
    proof = client.get_client_final().encode()
    second = wire.ask({"saslContinue": 1, "conversationId": first["conversationId"], "payload": proof}, db)
    if not second["ok"]:
        return second
    client.set_server_final(second["payload"].decode())
    assert second["done"] is False
    return wire.ask({"saslContinue": 1, "conversationId": first["conversationId"], "payload": b""}, db)


def test_the_long_way_to_log_in_ends_with_an_empty_exchange(wire: Wire) -> None:
    assert log_in(wire)["done"] is True
    assert wire.ask({"find": "items"}, "shop")["ok"] == 1.0


def test_after_a_logout_the_connection_is_a_strangers_again(wire: Wire) -> None:
    log_in(wire)
    assert wire.ask({"logout": 1})["ok"] == 1.0
    assert wire.ask({"find": "items"}, "shop")["code"] == 13
    assert log_in(wire)["ok"] == 1.0


def test_a_connection_speaks_for_one_user(wire: Wire, root: MongoClient[Any]) -> None:
    root.shop.command("createUser", "bob", pwd="bob", roles=["read"])
    log_in(wire)
    assert log_in(wire)["ok"] == 1.0
    assert log_in(wire, "bob", "bob", "shop")["code"] == 17
    assert wire.ask({"connectionStatus": 1})["authInfo"]["authenticatedUsers"] == [{"user": "root", "db": "admin"}]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"saslContinue": 1, "conversationId": 1, "payload": b""}, 17),
        ({"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": "n,,n=a,r=b"}, 14),
        ({"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": b"nonsense"}, 18),
        ({"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": b"x" * 10_000}, 17),
        ({"saslStart": 1, "mechanism": "SCRAM-SHA-256"}, 40414),
    ],
)
def test_what_is_no_conversation_is_refused(wire: Wire, command: dict[str, Any], code: int) -> None:
    assert wire.ask(command)["code"] == code
    assert wire.ask({"ping": 1})["ok"] == 1.0


@pytest.mark.parametrize("conversation", [2, -1])
def test_another_conversation_is_none(wire: Wire, conversation: int) -> None:
    wire.ask({"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": b"n,,n=root,r=abc"})
    assert wire.ask({"saslContinue": 1, "conversationId": conversation, "payload": b""})["code"] == 17


def test_a_speculative_log_in_that_fails_leaves_the_hello_as_it_is(wire: Wire) -> None:
    for spec in ({"saslStart": 1, "mechanism": "PLAIN", "payload": b"", "db": "admin"}, {"authenticate": 1}, 7):
        reply = wire.ask({"hello": 1, "speculativeAuthenticate": spec})
        assert reply["ok"] == 1.0
        assert "speculativeAuthenticate" not in reply


def test_a_stranger_may_send_little(wire: Wire) -> None:
    assert wire.ask({"ping": 1, "comment": "x" * 60_000})["ok"] == 1.0
    try:
        reply = wire.ask({"ping": 1, "comment": "x" * 70_000})
    except (EOFError, ConnectionError):
        return
    assert reply["code"] == 17
    with pytest.raises((EOFError, ConnectionError)):
        wire.ask({"ping": 1})


def test_after_the_log_in_messages_may_be_long(wire: Wire) -> None:
    log_in(wire)
    assert wire.ask({"insert": "items", "documents": [{"x": "x" * 1_000_000}]}, "shop")["n"] == 1


def test_after_five_failures_the_address_waits_and_other_users_of_it_too(node: Any, failure: Failure) -> None:
    def fails() -> int | None:
        return failure(node.client(username="root", password="no").shop.items.find_one)

    assert [fails() for _ in range(5)] == [18] * 5
    client = node.client(username="root", password="root's secret")
    with pytest.raises(OperationFailure, match="too many attempts") as caught:
        client.shop.items.find_one()
    assert caught.value.code == 18
    node.clock.now += 1.5
    assert client.shop.items.find_one() is None
    assert node.clients[1].shop.items.find_one() is None  # who is logged in already does not notice
