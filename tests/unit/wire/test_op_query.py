"""The legacy handshake, compressed messages and errors before a command."""

import struct

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import CommandError, ProtocolError
from skerry.wire.error_document import error_document
from skerry.wire.op_compressed import refuse_op_compressed
from skerry.wire.op_query import build_op_reply, parse_op_query


def op_query(document: dict[str, object], namespace: bytes = b"admin.$cmd") -> bytes:
    content = struct.pack("<i", 4) + namespace + b"\0" + struct.pack("<ii", 0, -1) + bson.encode(document)
    return struct.pack("<iiii", 16 + len(content), 9, 0, 2004) + content


@pytest.mark.parametrize("name", ["hello", "isMaster", "ismaster", "buildInfo"])
def test_a_command_of_the_handshake_becomes_an_op_msg_with_its_database(name: str) -> None:
    message = parse_op_query(op_query({name: 1, "helloOk": True}))
    assert message.request_id == 9
    assert list(bson.decode(message.body).items()) == [(name, 1), ("helloOk", True), ("$db", "admin")]


@pytest.mark.parametrize("wrapper", ["$query", "query"])
def test_a_wrapped_command_is_unwrapped(wrapper: str) -> None:
    message = parse_op_query(op_query({wrapper: {"ismaster": 1}, "$readPreference": {"mode": "primary"}}, b"x.$cmd"))
    assert bson.decode(message.body) == {"ismaster": 1, "$db": "x"}


@pytest.mark.parametrize(
    ("document", "namespace", "text"),
    [
        ({"find": "orders"}, b"shop.$cmd", "Unsupported OP_QUERY command: find"),
        ({}, b"shop.orders", "Unsupported OP_QUERY command: find"),
        ({"hello": 1}, b".$cmd", "Unsupported OP_QUERY command"),
    ],
)
def test_anything_else_is_refused_with_the_code_for_it(
    document: dict[str, object], namespace: bytes, text: str
) -> None:
    with pytest.raises(CommandError, match=text) as raised:
        parse_op_query(op_query(document, namespace))
    assert raised.value.code == 352


@pytest.mark.parametrize(
    "message",
    [
        op_query({"hello": 1})[:24],
        op_query({"hello": 1})[:-1],
        op_query({"hello": 1}, b"\xff.$cmd"),
        op_query({"hello": 1})[:-1] + b"x",
    ],
)
def test_malformed_queries_end_the_connection(message: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_op_query(message)


@given(st.binary(max_size=100))
def test_arbitrary_content_never_raises_anything_but_a_command_error(content: bytes) -> None:
    try:
        parse_op_query(struct.pack("<iiii", 16 + len(content), 9, 0, 2004) + content)
    except CommandError:
        pass


def test_the_reply_has_one_document() -> None:
    document = bson.encode({"ok": 1.0})
    reply = build_op_reply(document, request_id=2, response_to=9)
    length, request_id, response_to, op_code, flags, cursor_id, start, count = struct.unpack_from("<iiiiiqii", reply)
    assert (length, request_id, response_to, op_code) == (len(reply), 2, 9, 1)
    assert (flags, cursor_id, start, count) == (8, 0, 0, 1)
    assert reply[36:] == document


@pytest.mark.parametrize(("number", "name"), [(1, "snappy"), (2, "zlib"), (3, "zstd"), (77, "number 77")])
def test_a_compressed_message_is_refused_by_its_compressor(number: int, name: str) -> None:
    message = struct.pack("<iiii", 30, 1, 0, 2012) + struct.pack("<iiB", 2013, 100, number) + b"12345"
    assert f"compressor {name}" in refuse_op_compressed(message).message


def test_a_compressed_message_that_is_cut_off_is_refused() -> None:
    assert "cut off" in refuse_op_compressed(struct.pack("<iiii", 17, 1, 0, 2012) + b"1").message


def test_an_error_document_has_what_drivers_read() -> None:
    error = CommandError("no", 11000, labels=("RetryableWriteError",), details={"keyPattern": {"a": 1}})
    assert bson.decode(error_document(error)) == {
        "ok": 0.0,
        "errmsg": "no",
        "code": 11000,
        "codeName": "DuplicateKey",
        "keyPattern": {"a": 1},
        "errorLabels": ["RetryableWriteError"],
    }
