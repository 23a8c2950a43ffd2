"""MONGODB-X509: a client's certificate is who he is (manual: x.509; the drivers' authentication specification)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from skerry.config import ServerConfig
from skerry.config.server_config import ClientCertificates
from skerry.node import Node

KIOSK = "CN=kiosk-7,OU=Kiosks\\, all of them,O=Skerry"

Connect = Callable[..., MongoClient[Any]]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ca.pem`, `server.pem`, and `kiosk.pem` and `other.pem` of two clients."""
    found = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(found / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(found / "server.pem"))
    for file, name in (("kiosk.pem", "kiosk-7"), ("other.pem", "other")):
        issued = authority.issue_cert(
            "client.example",
            common_name=name,
            organization_name="Skerry",
            organization_unit_name="Kiosks, all of them",
        )
        issued.private_key_and_cert_chain_pem.write_to_path(str(found / file))
    return found


@pytest.fixture
def connect(directory: Path, tmp_path: Path) -> Iterator[Connect]:
    """Clients of a node with a root user, and with the kiosk as a user who may write to `shop`."""
    node = Node(
        tmp_path,
        server=ServerConfig(
            bind_port=0,
            tls_certificate_file=directory / "server.pem",
            tls_ca_file=directory / "ca.pem",
            tls_client_certificates=ClientCertificates.ALLOWED,
        ),
    )
    node.start()
    clients: list[MongoClient[Any]] = []

    def connect(certificate: str | None = None, **options: Any) -> MongoClient[Any]:
        shown = {} if certificate is None else {"tlsCertificateKeyFile": str(directory / certificate)}
        trusted = {"tls": True, "tlsCAFile": str(directory / "ca.pem"), "serverSelectionTimeoutMS": 5000}
        clients.append(MongoClient(f"mongodb://{node.address}", **trusted, **shown, **options))
        return clients[-1]

    connect().admin.command("createUser", "root", pwd="root", roles=["root"])
    connect(username="root", password="root")["$external"].command(
        "createUser", KIOSK, roles=[{"role": "readWrite", "db": "shop"}]
    )
    yield connect
    for client in clients:
        client.close()
    node.stop()


def test_a_certificate_logs_its_subject_in_with_his_roles(connect: Connect) -> None:
    kiosk = connect("kiosk.pem", authMechanism="MONGODB-X509")
    kiosk.shop.orders.insert_one({"_id": 1})
    status = kiosk.admin.command("connectionStatus")["authInfo"]
    assert status["authenticatedUsers"] == [{"user": KIOSK, "db": "$external"}]
    with pytest.raises(OperationFailure) as caught:
        kiosk.other.orders.insert_one({"_id": 1})
    assert caught.value.code == 13


def test_it_works_without_the_speculative_beginning_too(connect: Connect) -> None:
    kiosk = connect("kiosk.pem")
    reply = kiosk["$external"].command("authenticate", 1, mechanism="MONGODB-X509", user=KIOSK)
    assert (reply["dbname"], reply["user"]) == ("$external", KIOSK)


@pytest.mark.parametrize(
    ("certificate", "db", "arguments", "code"),
    [
        ("other.pem", "$external", {"mechanism": "MONGODB-X509"}, 18),
        ("other.pem", "$external", {"mechanism": "MONGODB-X509", "user": KIOSK}, 18),
        (None, "$external", {"mechanism": "MONGODB-X509", "user": KIOSK}, 18),
        ("kiosk.pem", "admin", {"mechanism": "MONGODB-X509"}, 17),
        ("kiosk.pem", "$external", {"mechanism": "MONGODB-CR"}, 334),
        ("kiosk.pem", "$external", {}, 40414),
    ],
)
def test_who_is_not_the_user_is_not_let_in(
    connect: Connect, certificate: str | None, db: str, arguments: dict[str, Any], code: int
) -> None:
    client = connect(certificate)
    with pytest.raises(OperationFailure) as caught:
        client[db].command("authenticate", 1, **arguments)
    assert caught.value.code == code
    with pytest.raises(OperationFailure) as caught:
        client.shop.orders.find_one()
    assert caught.value.code == 13


def test_a_driver_is_told_that_the_log_in_failed(connect: Connect) -> None:
    with pytest.raises(PyMongoError, match="Authentication failed"):
        connect("other.pem", authMechanism="MONGODB-X509").shop.orders.find_one()


def test_a_user_of_external_has_no_password_and_the_database_no_collections(connect: Connect) -> None:
    root = connect(username="root", password="root")
    for arguments in ({"pwd": "secret"}, {"mechanisms": ["SCRAM-SHA-256"]}):
        with pytest.raises(OperationFailure) as caught:
            root["$external"].command("createUser", "CN=a", roles=[], **arguments)
        assert caught.value.code == 2
    with pytest.raises(OperationFailure) as caught:
        root["$external"].command("updateUser", KIOSK, pwd="secret")
    assert caught.value.code == 2
    with pytest.raises(OperationFailure) as caught:
        root["$external"].command("insert", "orders", documents=[{"_id": 1}])
    assert caught.value.code == 73
    assert "$external" not in root.list_database_names()
    (kiosk,) = root["$external"].command("usersInfo", KIOSK)["users"]
    assert (kiosk["user"], kiosk["db"]) == (KIOSK, "$external")


def test_a_user_who_is_dropped_is_out_at_once(connect: Connect) -> None:
    kiosk = connect("kiosk.pem", authMechanism="MONGODB-X509")
    assert kiosk.shop.orders.find_one() is None
    connect(username="root", password="root")["$external"].command("dropUser", KIOSK)
    with pytest.raises(OperationFailure) as caught:
        kiosk.shop.orders.find_one()
    assert caught.value.code in (13, 18)
