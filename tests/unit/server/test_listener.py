"""The listener: who is let in, how many, and how it ends."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.server.listener import Listener

Start = Callable[..., Listener]
Connect = Callable[[Listener], Any]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_port_zero_takes_a_free_port(start: Start) -> None:
    host, port = start().address  # type: ignore[misc]
    assert host == "127.0.0.1"
    assert port > 0


def test_a_taken_port_is_an_error_at_once(start: Start) -> None:
    with pytest.raises(OSError, match="in use"):
        start(start().address)


def test_a_port_can_be_taken_again_right_after_closing(start: Start, connect: Connect) -> None:
    listener = start()
    assert connect(listener).ask({"ping": 1})["ok"] == 1.0
    listener.close()
    assert connect(start(listener.address)).ask({"ping": 1})["ok"] == 1.0


def test_replies_are_not_held_back_by_the_network_stack(start: Start, connect: Connect) -> None:
    client = connect(start())
    begin = time.monotonic()
    for _ in range(30):
        client.ask({"ping": 1})
    assert time.monotonic() - begin < 1.0  # 30 delayed acknowledgements would be 1.2 s


def test_many_connections_are_served_side_by_side(start: Start, connect: Connect, commands: Any) -> None:
    listener = start()
    clients = [connect(listener) for _ in range(60)]
    clients[0].send({"wait": 1})
    assert commands.waiting.wait(5)
    for number, client in enumerate(clients[1:]):
        assert client.ask({"ping": number})["echo"]["ping"] == number
    assert listener.counts.connections_open == 60
    commands.let_go.set()
    assert clients[0].receive()[2]["ok"] == 1.0


def test_connections_beyond_the_limit_are_closed_at_once(start: Start, connect: Connect) -> None:
    listener = start(connections_max=2)
    first, second = connect(listener), connect(listener)
    assert first.ask({"ping": 1})["ok"] == second.ask({"ping": 1})["ok"] == 1.0
    assert connect(listener).is_closed_by_peer()
    assert listener.counts.connections_refused == 1
    first.socket.close()
    wait_until(lambda: listener.counts.connections_open == 1)
    assert connect(listener).ask({"ping": 1})["ok"] == 1.0


def test_what_passes_is_counted_also_after_the_connection_has_ended(start: Start, connect: Connect) -> None:
    listener = start()
    client = connect(listener)
    for _ in range(3):
        client.ask({"ping": 1})
    client.socket.close()
    wait_until(lambda: listener.counts.connections_open == 0)
    counts = listener.counts
    assert (counts.connections_accepted, counts.messages) == (1, 3)
    assert counts.bytes_received > 90
    assert counts.bytes_sent > counts.bytes_received


def test_closing_ends_idle_connections_at_once(start: Start, connect: Connect) -> None:
    listener = start()
    clients = [connect(listener) for _ in range(10)]
    for client in clients:
        client.ask({"ping": 1})
    begin = time.monotonic()
    listener.close()
    assert time.monotonic() - begin < 1.0
    assert all(client.is_closed_by_peer() for client in clients)
    assert listener.counts.connections_open == 0
    with pytest.raises(OSError, match="refused"):
        connect(listener)


def test_closing_lets_a_request_that_is_being_served_be_answered(start: Start, connect: Connect, commands: Any) -> None:
    listener = start()
    client = connect(listener)
    client.send({"wait": 1})
    assert commands.waiting.wait(5)
    closing = threading.Thread(target=listener.close)
    closing.start()
    time.sleep(0.05)
    assert closing.is_alive()
    commands.let_go.set()
    assert client.receive()[2]["ok"] == 1.0
    assert client.is_closed_by_peer()
    closing.join(5)
    assert not closing.is_alive()


def test_closing_cuts_off_what_takes_too_long(
    start: Start, connect: Connect, commands: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listener = start()
    client = connect(listener)
    client.send({"wait": 1})
    assert commands.waiting.wait(5)
    listener.close(0.05)
    assert client.is_closed_by_peer()
    assert "1 connections were still busy" in caplog.text


def test_closing_cuts_off_a_client_that_does_not_read(start: Start, connect: Connect) -> None:
    listener = start()
    client = connect(listener)
    client.send({"ping": 1, "big": 60_000_000})
    time.sleep(0.1)
    begin = time.monotonic()
    listener.close(0.1)
    assert time.monotonic() - begin < 2.0
    assert listener.counts.connections_open == 0


def test_closing_twice_or_without_having_started_is_harmless(start: Start) -> None:
    listener = start()
    listener.close()
    listener.close()
    Listener(("127.0.0.1", 0), None, handle=lambda *_: None).close()  # type: ignore[arg-type]


def test_a_unix_socket_is_for_its_owner_and_is_removed(start: Start, connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "skerry.sock"
    listener = start(path)
    assert path.stat().st_mode & 0o777 == 0o700
    assert connect(listener).ask({"ping": 1})["ok"] == 1.0
    listener.close()
    assert not path.exists()


def test_the_socket_of_a_dead_server_is_replaced_and_that_of_a_living_one_is_not(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "skerry.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    living = start(path)
    with pytest.raises(OSError, match="in use"):
        start(path)
    assert connect(living).ask({"ping": 1})["ok"] == 1.0


def test_a_file_in_the_place_of_the_unix_socket_is_left_alone(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "skerry.sock"
    path.write_text("precious")
    with pytest.raises(OSError, match="in use"):
        start(path)
    assert path.read_text() == "precious"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_host_is_announced_in_brackets(start: Start, connect: Connect, commands: Any) -> None:
    try:
        listener = start(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    connect(listener).ask({"ping": 1})
    assert commands.seen[0][1].host == f"[::1]:{listener.address[1]}"  # type: ignore[index]


def test_a_unix_socket_announces_its_path_or_what_it_is_told(
    start: Start, connect: Connect, commands: Any, tmp_path: Path
) -> None:
    connect(start(tmp_path / "one.sock")).ask({"ping": 1})
    connect(start(tmp_path / "two.sock", announced_host="127.0.0.1:27017")).ask({"ping": 1})
    assert [context.host for _, context in commands.seen] == [str(tmp_path / "one.sock"), "127.0.0.1:27017"]


def test_a_client_that_does_not_speak_tls_is_turned_away(start: Start, connect: Connect) -> None:
    client = connect(start(ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))
    client.send({"ping": 1})
    assert client.is_closed_by_peer()


def test_requests_that_came_behind_the_one_being_served_are_refused_when_it_closes(
    start: Start, connect: Connect, commands: Any
) -> None:
    listener = start()
    client = connect(listener)
    client.send({"wait": 1})
    assert commands.waiting.wait(5)
    client.send({"ping": 1}, request_id=2)
    client.send({"insert": "silent"}, flags=2, request_id=3)
    client.send({"ping": 1}, request_id=4)
    closing = threading.Thread(target=listener.close)
    closing.start()
    wait_until(lambda: listener._is_closing and all(each.is_ending for each in listener._connections))
    commands.let_go.set()
    assert client.receive()[1:2] == (1,)
    for expected in (2, 4):
        _, response_to, reply = client.receive()
        assert (response_to, reply["ok"], reply["code"], reply["codeName"]) == (expected, 0.0, 91, "ShutdownInProgress")
    assert client.is_closed_by_peer()
    closing.join(5)
    assert [next(iter(command)) for command, _ in commands.seen] == ["wait"]


def test_what_is_not_done_in_half_of_the_time_is_told_to_stop(start: Start, connect: Connect, commands: Any) -> None:
    listener = start()
    client = connect(listener)
    client.send({"wait": 1})
    assert commands.waiting.wait(5)
    context = commands.seen[0][1]
    closing = threading.Thread(target=listener.close, args=(0.4,))
    closing.start()
    wait_until(lambda: context.interruption.is_requested)
    commands.let_go.set()
    assert client.receive()[2]["ok"] == 1.0
    closing.join(5)
    assert not closing.is_alive()
