"""Clients that are slow, or pretend to be: they are cut off, and everybody else is answered."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from skerry.admin.bounded_connection import CONNECTIONS_MAX
from skerry.config import AdminConfig
from skerry.node import Node

HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: here\r\nX-Slow: "
HALF_A_BODY = b"POST /login HTTP/1.1\r\nHost: here\r\nOrigin: http://here\r\nContent-Length: 100\r\n\r\ntoken="
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setattr("skerry.admin.bounded_connection.HEAD_SECONDS", 0.4)
    monkeypatch.setattr("skerry.admin.bounded_connection.BODY_SECONDS", 0.4)
    node = Node(":memory:", admin=AdminConfig(bind_port=0))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def address(node: Node) -> tuple[str, int]:
    host, port = (node.admin_url or "").removeprefix("http://").rsplit(":", 1)
    return host, int(port)


def opened(stack: ExitStack, address: tuple[str, int], sent: bytes) -> socket.socket:
    connection = stack.enter_context(socket.create_connection(address, timeout=10))
    connection.sendall(sent)
    return connection


def wait_for_the_end(connection: socket.socket) -> None:
    """Take what comes until the other side ends the connection; raises TimeoutError when it does not."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass


def health(address: tuple[str, int]) -> int:
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/healthz", timeout=10) as answer:
        return int(answer.status)


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY, WHOLE + HALF_A_HEAD])
def test_half_a_request_is_given_up(address: tuple[str, int], sent: bytes) -> None:
    with ExitStack() as stack:
        wait_for_the_end(opened(stack, address, sent))


def test_a_head_that_comes_byte_by_byte_does_not_move_its_deadline(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        connection = opened(stack, address, HALF_A_HEAD)
        connection.settimeout(0.05)
        started, is_open = time.monotonic(), True
        while is_open and time.monotonic() - started < 5:
            try:
                connection.sendall(b"x")
                is_open = connection.recv(1) != b""
            except TimeoutError:
                pass
            except OSError:
                is_open = False
        assert not is_open


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY])
def test_however_many_half_requests_there_are_others_are_answered_at_once(
    address: tuple[str, int], sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.admin.bounded_connection.HEAD_SECONDS", 60.0)
    monkeypatch.setattr("skerry.admin.bounded_connection.BODY_SECONDS", 60.0)
    with ExitStack() as stack:
        for _ in range(2 * CONNECTIONS_MAX):
            opened(stack, address, sent)
        for _ in range(20):
            assert health(address) == 200


def test_who_asks_again_and_again_on_one_connection_is_not_cut_off(address: tuple[str, int]) -> None:
    connection = HTTPConnection(*address, timeout=10)
    connection.connect()
    first = connection.sock
    end = time.monotonic() + 1.0  # longer than a head may take
    while time.monotonic() < end:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read().endswith(b"}")
    assert connection.sock is first
    connection.close()


def test_an_answer_is_not_held_back_until_the_client_has_acknowledged_its_head(
    node: Node, address: tuple[str, int]
) -> None:
    connection = HTTPConnection(*address, timeout=10)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    assert node._admin is not None
    (open_now,) = node._admin._server.server_state.connections
    accepted = open_now.transport.get_extra_info("socket")  # type: ignore[union-attr]
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.close()
