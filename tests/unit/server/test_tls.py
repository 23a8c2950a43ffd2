"""TLS: the same answers, and an orderly end."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.server.listener import Listener

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a key and a certificate for localhost, signed by itself."""
    directory = tmp_path_factory.mktemp("tls")
    key, certificate, both = directory / "key.pem", directory / "certificate.pem", directory / "both.pem"
    command = [
        *[str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        *["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"],
        *["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    return both


@pytest.fixture
def listener(start: Callable[..., Listener], certificate: Path) -> Listener:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return start(ssl_context=context)


def encrypted(listener: Listener, certificate: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(certificate))
    plain = socket.create_connection(listener.address, timeout=10)  # type: ignore[arg-type]
    return context.wrap_socket(plain, server_hostname="localhost")


def test_requests_are_answered_over_tls(listener: Listener, certificate: Path, raw_client: Any) -> None:
    with encrypted(listener, certificate) as connected:
        client = raw_client(connected)
        assert client.ask({"ping": 1})["ok"] == 1.0
        assert len(client.ask({"ping": 2, "big": 2_000_000})["big"]) == 2_000_000


def test_closing_ends_idle_connections_over_tls(listener: Listener, certificate: Path, raw_client: Any) -> None:
    with encrypted(listener, certificate) as connected:
        client = raw_client(connected)
        client.ask({"ping": 1})
        listener.close(2.0)
        try:
            assert connected.recv(1) == b""
        except (ssl.SSLError, ConnectionResetError):
            pass  # closed without the farewell of TLS
    assert listener.counts.connections_open == 0
