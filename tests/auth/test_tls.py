"""TLS from the settings, with certificates made here."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from skerry.config import ServerConfig
from skerry.config.server_config import ClientCertificates
from skerry.errors import ConfigurationError
from skerry.node import Node
from skerry.server.tls import server_context


class Certificates:
    """A server's and a client's, of two authorities."""

    def __init__(self, directory: Path) -> None:
        authority, clients, strangers = trustme.CA(), trustme.CA(), trustme.CA()
        server = authority.issue_cert("localhost", "127.0.0.1")
        self.authority, self.clients = directory / "ca.pem", directory / "clients.pem"
        self.server, self.key, self.both = (directory / name for name in ("server.pem", "key.pem", "both.pem"))
        self.client, self.stranger = directory / "client.pem", directory / "stranger.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        clients.cert_pem.write_to_path(str(self.clients))
        server.cert_chain_pems[0].write_to_path(str(self.server))
        server.private_key_pem.write_to_path(str(self.key))
        server.private_key_and_cert_chain_pem.write_to_path(str(self.both))
        clients.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(str(self.client))
        strangers.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(str(self.stranger))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Callable[..., MongoClient[Any]]]]:
    """Start a node with TLS settings; the result makes clients of it."""
    nodes: list[Node] = []
    clients: list[MongoClient[Any]] = []

    def start(**settings: Any) -> Callable[..., MongoClient[Any]]:
        node = Node(tmp_path, server=ServerConfig(bind_port=0, **settings))
        nodes.append(node)
        node.start()

        def client(**options: Any) -> MongoClient[Any]:
            clients.append(MongoClient(f"mongodb://{node.address}", serverSelectionTimeoutMS=250, **options))
            return clients[-1]

        return client

    yield start
    for client in clients:
        client.close()
    for node in nodes:
        node.stop()


def is_reached(client: MongoClient[Any]) -> bool:
    try:
        return bool(client.admin.command("ping")["ok"])
    except ServerSelectionTimeoutError:
        return False


@pytest.mark.parametrize("in_one_file", [True, False])
def test_clients_that_trust_the_authority_get_in_and_plain_ones_do_not(
    files: Certificates, start: Any, *, in_one_file: bool
) -> None:
    settings = (
        {"tls_certificate_file": files.both}
        if in_one_file
        else {
            "tls_certificate_file": files.server,
            "tls_key_file": files.key,
        }
    )
    client = start(**settings)
    assert is_reached(client(tls=True, tlsCAFile=str(files.authority)))
    assert not is_reached(client(tls=True, tlsCAFile=str(files.clients)))
    assert not is_reached(client())


def test_a_client_s_certificate_is_required(files: Certificates, start: Any) -> None:
    client = start(
        tls_certificate_file=files.both, tls_ca_file=files.clients, tls_client_certificates=ClientCertificates.REQUIRED
    )
    trusting = {"tls": True, "tlsCAFile": str(files.authority)}
    assert is_reached(client(**trusting, tlsCertificateKeyFile=str(files.client)))
    assert not is_reached(client(**trusting))
    assert not is_reached(client(**trusting, tlsCertificateKeyFile=str(files.stranger)))


def test_a_client_s_certificate_is_allowed_but_then_it_has_to_be_good(files: Certificates, start: Any) -> None:
    client = start(
        tls_certificate_file=files.both, tls_ca_file=files.clients, tls_client_certificates=ClientCertificates.ALLOWED
    )
    trusting = {"tls": True, "tlsCAFile": str(files.authority)}
    assert is_reached(client(**trusting))
    assert is_reached(client(**trusting, tlsCertificateKeyFile=str(files.client)))
    assert not is_reached(client(**trusting, tlsCertificateKeyFile=str(files.stranger)))


def test_users_log_in_over_tls(files: Certificates, start: Any) -> None:
    client = start(tls_certificate_file=files.both, auth=True)
    trusting = {"tls": True, "tlsCAFile": str(files.authority)}
    client(**trusting).admin.command("createUser", "alice", pwd="secret", roles=["root"])
    assert client(**trusting, username="alice", password="secret").shop.items.find_one() is None


def test_nothing_older_than_tls_1_2_is_spoken(files: Certificates) -> None:
    context = server_context(ServerConfig(tls_certificate_file=files.both))
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert server_context(ServerConfig()) is None


def test_a_unix_socket_has_no_tls(files: Certificates, tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    node = Node(
        tmp_path / "data", server=ServerConfig(bind_port=0, unix_socket_path=path, tls_certificate_file=files.both)
    )
    node.start()
    try:
        with (
            socket.socket(socket.AF_UNIX) as plain,
            MongoClient(f"mongodb://{quote(str(path), safe='')}", directConnection=True) as client,
        ):
            plain.connect(str(path))
            assert client.admin.command("ping")["ok"]
    finally:
        node.stop()


def test_a_key_may_have_a_password(files: Certificates, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    encryption = serialization.BestAvailableEncryption(b"sesame")
    form = serialization.PrivateFormat.PKCS8
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
    settings: dict[str, Any] = {"tls_certificate_file": files.server, "tls_key_file": locked}
    assert server_context(ServerConfig(tls_key_password="sesame", **settings)) is not None
    assert "sesame" not in repr(ServerConfig(tls_key_password="sesame", **settings))
    for password, setting in ((None, "server.tls_key_password"), ("wrong", "server.tls_certificate_file")):
        with pytest.raises(ConfigurationError) as caught:
            server_context(ServerConfig(tls_key_password=password, **settings))
        assert caught.value.setting == setting
        assert "wrong" not in str(caught.value)


def test_files_that_are_not_what_they_should_be_are_refused_by_setting(files: Certificates, tmp_path: Path) -> None:
    for settings, setting in (
        ({"tls_certificate_file": tmp_path / "none.pem"}, "server.tls_certificate_file"),
        ({"tls_certificate_file": files.server}, "server.tls_certificate_file"),
        ({"tls_certificate_file": files.server, "tls_key_file": files.client}, "server.tls_certificate_file"),
        (
            {
                "tls_certificate_file": files.both,
                "tls_ca_file": files.key,
                "tls_client_certificates": ClientCertificates.REQUIRED,
            },
            "server.tls_ca_file",
        ),
    ):
        with pytest.raises(ConfigurationError) as caught:
            server_context(ServerConfig(**settings))  # type: ignore[arg-type]
        assert caught.value.setting == setting


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"tls_key_file": Path("k")}, "server.tls_certificate_file"),
        ({"tls_certificate_file": Path("c"), "tls_ca_file": Path("a")}, "server.tls_client_certificates"),
        (
            {"tls_certificate_file": Path("c"), "tls_client_certificates": ClientCertificates.REQUIRED},
            "server.tls_ca_file",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServerConfig(**settings)
    assert caught.value.setting == setting
