"""One connection: answers in order, and a clean end for everything that breaks the protocol."""

import logging
import struct
import time
from collections.abc import Callable
from typing import Any

import bson
import pytest

from skerry.server.listener import Listener

Start = Callable[..., Listener]
Connect = Callable[[Listener], Any]

MORE_TO_COME = 2
EXHAUST_ALLOWED = 1 << 16


def op_msg(content: bytes, request_id: int = 1, op_code: int = 2013) -> bytes:
    return struct.pack("<iiii", 16 + len(content), request_id, 0, op_code) + content


def test_a_request_is_answered_under_its_number(start: Start, connect: Connect) -> None:
    client = connect(start())
    client.send({"ping": 1}, request_id=77)
    op_code, response_to, reply = client.receive()
    assert (op_code, response_to) == (2013, 77)
    assert reply["echo"] == {"ping": 1}
    assert reply["engine"] == "the engine"


def test_the_commands_learn_who_asks(start: Start, connect: Connect, commands: Any) -> None:
    listener = start()
    client = connect(listener)
    client.ask({"ping": 1})
    context = commands.seen[0][1]
    host, port = listener.address  # type: ignore[misc]
    assert context.host == f"{host}:{port}"
    assert context.address == "{}:{}".format(*client.socket.getsockname())
    assert not context.is_local


def test_requests_sent_at_once_are_answered_in_order(start: Start, connect: Connect) -> None:
    client = connect(start())
    for number in range(5):
        client.send({"ping": number}, request_id=number)
    assert [client.receive()[1:][1]["echo"]["ping"] for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_request_that_arrives_byte_by_byte_is_answered(start: Start, connect: Connect) -> None:
    client = connect(start())
    content = struct.pack("<iB", 0, 0) + bson.encode({"ping": 1})
    for byte in op_msg(content):
        client.socket.send(bytes([byte]))
    assert client.receive()[2]["ok"] == 1.0


def test_a_message_of_many_megabytes_goes_both_ways(start: Start, connect: Connect) -> None:
    client = connect(start())
    reply = client.ask({"ping": b"y" * 3_000_000, "big": 5_000_000})
    assert len(reply["big"]) == 5_000_000
    assert len(reply["echo"]["ping"]) == 3_000_000


def test_a_write_that_expects_no_reply_gets_none(start: Start, connect: Connect, commands: Any) -> None:
    client = connect(start())
    client.send({"insert": 1}, flags=MORE_TO_COME, request_id=1)
    client.send({"ping": 1}, request_id=2)
    assert client.receive()[1] == 2
    assert [next(iter(command)) for command, _ in commands.seen] == ["insert", "ping"]


def test_a_cursor_that_may_be_exhausted_is_streamed_batch_by_batch(
    start: Start, connect: Connect, commands: Any
) -> None:
    client = connect(start())
    client.send({"getMore": 3}, flags=EXHAUST_ALLOWED, request_id=50)
    answered = 50
    for left in (2, 1, 0):
        flags, request_id, response_to, reply = client.receive_flags()
        assert (bool(flags & MORE_TO_COME), response_to) == (left > 0, answered)
        assert reply["cursor"]["id"] == left
        answered = request_id
    assert client.ask({"ping": 1})["ok"] == 1.0


def test_a_cursor_is_not_streamed_to_a_client_that_does_not_allow_it(start: Start, connect: Connect) -> None:
    client = connect(start())
    assert client.ask({"getMore": 3})["cursor"]["id"] == 2
    assert client.ask({"ping": 1})["ok"] == 1.0


@pytest.mark.parametrize("length", [-5, 0, 3, 16, 2**31 - 1, 48_000_001])
def test_an_impossible_length_ends_the_connection_and_no_other(start: Start, connect: Connect, length: int) -> None:
    listener = start()
    broken, sound = connect(listener), connect(listener)
    broken.socket.sendall(struct.pack("<iiii", length, 1, 0, 2013))
    if length > 16:
        assert "is invalid" in broken.receive()[2]["errmsg"]
    assert broken.is_closed_by_peer()
    assert sound.ask({"ping": 1})["ok"] == 1.0


def test_an_oversized_message_is_refused_with_a_reason_although_it_is_still_being_sent(
    start: Start, connect: Connect
) -> None:
    client = connect(start(message_bytes_max=1_000_000))
    client.socket.sendall(struct.pack("<iiii", 8_000_000, 42, 0, 2013) + b"x" * 7_999_984)
    op_code, response_to, reply = client.receive()
    assert (op_code, response_to) == (2013, 42)
    assert (reply["ok"], reply["code"]) == (0.0, 17)
    assert "msgLen 8000000 is invalid" in reply["errmsg"]
    assert client.is_closed_by_peer()


def test_half_a_message_and_then_the_end_is_logged(
    start: Start, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    listener = start()
    with caplog.at_level(logging.INFO, "skerry.server"):
        client = connect(listener)
        client.socket.sendall(op_msg(b"\0" * 5 + bson.encode({"ping": 1}))[:30])
        client.socket.close()
        deadline = time.monotonic() + 5
        while "the peer closed it inside a message" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (op_msg(b"\0" * 20, op_code=2002), "OP_INSERT is no longer supported"),
        (op_msg(b"\0" * 20, op_code=99), "Unknown op code 99"),
        (op_msg(struct.pack("<iB", 1 << 4, 0) + bson.encode({})), "illegal flags"),
        (op_msg(struct.pack("<iB", 1, 0) + bson.encode({}) + b"abcd"), "checksum does not match"),
        (op_msg(b"\0\0"), "has no section"),
        (op_msg(b"\0" * 10, op_code=2004), "OP_QUERY is cut off"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "Unknown op code"),
    ],
)
def test_a_message_nobody_can_answer_ends_the_connection_with_a_logged_reason(
    start: Start, connect: Connect, caplog: pytest.LogCaptureFixture, message: bytes, reason: str
) -> None:
    with caplog.at_level(logging.INFO, "skerry.server"):
        client = connect(start())
        client.socket.sendall(message)
        assert client.is_closed_by_peer()
    assert reason in caplog.text


def test_malformed_sections_are_answered_and_the_connection_stays(start: Start, connect: Connect) -> None:
    client = connect(start())
    client.socket.sendall(op_msg(struct.pack("<iB", 0, 9) + b"12345", request_id=8))
    op_code, response_to, reply = client.receive()
    assert (op_code, response_to, reply["code"]) == (2013, 8, 40432)
    assert client.ask({"ping": 1})["ok"] == 1.0


def test_a_compressed_message_is_refused_politely(start: Start, connect: Connect) -> None:
    client = connect(start())
    client.socket.sendall(op_msg(struct.pack("<iiB", 2013, 100, 2) + b"12345", request_id=6, op_code=2012))
    op_code, response_to, reply = client.receive()
    assert (op_code, response_to) == (2013, 6)
    assert "compressor zlib" in reply["errmsg"]
    assert client.is_closed_by_peer()


def test_the_legacy_handshake_is_answered_in_its_own_envelope(start: Start, connect: Connect) -> None:
    client = connect(start())
    content = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + bson.encode({"ismaster": 1})
    client.socket.sendall(op_msg(content, request_id=5, op_code=2004))
    op_code, response_to, reply = client.receive()
    assert (op_code, response_to) == (1, 5)
    assert reply["echo"] == {"ismaster": 1, "$db": "admin"}


def test_another_legacy_query_is_refused_with_its_code(start: Start, connect: Connect) -> None:
    client = connect(start())
    content = struct.pack("<i", 0) + b"shop.orders\0" + struct.pack("<ii", 0, -1) + bson.encode({"a": 1})
    client.socket.sendall(op_msg(content, request_id=5, op_code=2004))
    assert client.receive()[2]["code"] == 352
    assert client.ask({"ping": 1})["ok"] == 1.0


def test_a_defect_ends_its_connection_and_no_other(
    start: Start, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    listener = start()
    client, other = connect(listener), connect(listener)
    client.send({"fail": 1})
    assert client.is_closed_by_peer()
    assert other.ask({"ping": 1})["ok"] == 1.0
    assert "a defect" in caplog.text
