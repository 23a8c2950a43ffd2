"""OP_MSG requests are read as bytes, checked and never trusted."""

import struct

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.message import _op_msg, _OpMsg

from skerry.errors import ProtocolError
from skerry.wire.crc32c import crc32c
from skerry.wire.op_msg import Flag, OpMsg, UnreadableMessageError, build_op_msg_reply, parse_op_msg

PING = bson.encode({"ping": 1, "$db": "admin"})


def op_msg(sections: bytes, flags: int = 0, *, length: int | None = None) -> bytes:
    return struct.pack("<iiiiI", length or 20 + len(sections), 11, 0, 2013, flags) + sections


def body(document: bytes) -> bytes:
    return b"\0" + document


def sequence(name: bytes, *documents: bytes, size: int | None = None) -> bytes:
    content = name + b"\0" + b"".join(documents)
    return b"\1" + struct.pack("<i", 4 + len(content) if size is None else size) + content


def test_a_body_alone_is_read() -> None:
    assert parse_op_msg(op_msg(body(PING))) == OpMsg(11, 0, 0, PING, {})
    assert parse_op_msg(op_msg(body(PING))).command_name == "ping"


def test_document_sequences_are_read_before_and_after_the_body() -> None:
    documents = [bson.encode({"_id": number}) for number in range(3)]
    for sections in (
        body(PING) + sequence(b"documents", *documents) + sequence(b"empty"),
        sequence(b"documents", *documents) + sequence(b"empty") + body(PING),
    ):
        message = parse_op_msg(op_msg(sections))
        assert message.body == PING
        assert message.sequences == {"documents": documents, "empty": []}


def test_what_pymongo_sends_is_read() -> None:
    documents = [{"_id": number, "text": "x" * number} for number in range(20)]
    command = {"insert": "orders", "documents": documents, "ordered": True}
    request_id, data, _, _ = _op_msg(0, command, "shop", None, bson.DEFAULT_CODEC_OPTIONS)
    message = parse_op_msg(data)
    assert message.request_id == request_id
    assert bson.decode(message.body) == {"insert": "orders", "ordered": True, "$db": "shop"}
    assert [bson.decode(raw) for raw in message.sequences["documents"]] == documents


def test_the_reply_is_read_by_pymongo() -> None:
    reply = build_op_msg_reply(bson.encode({"ok": 1.0}), request_id=3, response_to=11)
    assert struct.unpack_from("<iiii", reply) == (len(reply), 3, 11, 2013)
    assert _OpMsg.unpack(reply[16:]).unpack_response() == [{"ok": 1.0}]


@pytest.mark.parametrize(
    ("flags", "more_to_come", "exhaust_allowed"),
    [(0, False, False), (Flag.MORE_TO_COME, True, False), (Flag.EXHAUST_ALLOWED, False, True), (1 << 20, False, False)],
)
def test_flags_are_read_and_unknown_optional_ones_are_ignored(
    flags: int, more_to_come: bool, exhaust_allowed: bool
) -> None:
    message = parse_op_msg(op_msg(body(PING), flags))
    assert (message.more_to_come, message.exhaust_allowed) == (more_to_come, exhaust_allowed)


def test_an_unknown_required_flag_ends_the_connection() -> None:
    with pytest.raises(UnreadableMessageError, match="illegal flags") as raised:
        parse_op_msg(op_msg(body(PING), 1 << 5))
    assert raised.value.code == 199


@pytest.mark.parametrize(
    ("data", "checksum"),
    [(b"", 0), (b"123456789", 0xE3069283), (b"\0" * 32, 0x8A9136AA), (bytes(range(32)), 0x46DD794E)],
)
def test_crc32c_gives_the_published_check_values(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


def with_checksum(sections: bytes, *, flip: int = 0) -> bytes:
    message = op_msg(sections, Flag.CHECKSUM_PRESENT, length=24 + len(sections))
    return message + struct.pack("<I", crc32c(message) ^ flip)


def test_a_right_checksum_is_taken_and_left_out_of_the_content() -> None:
    documents = [bson.encode({"_id": 1})]
    message = parse_op_msg(with_checksum(body(PING) + sequence(b"documents", *documents)))
    assert (message.body, message.sequences) == (PING, {"documents": documents})
    assert parse_op_msg(with_checksum(body(PING))).body == PING


def test_a_wrong_checksum_ends_the_connection() -> None:
    with pytest.raises(UnreadableMessageError, match="checksum does not match") as raised:
        parse_op_msg(with_checksum(body(PING), flip=1))
    assert raised.value.code == 283


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        (body(PING) + body(PING), 40430),
        (body(PING) + sequence(b"a") + sequence(b"a"), 40431),
        (body(PING) + b"\2", 40432),
        (sequence(b"documents"), 40587),
        (b"\0", 17),
        (body(PING[:-1]), 17),
        (body(PING[:-1] + b"x"), 17),
        (body(struct.pack("<i", 4) + b"\0"), 17),
        (body(struct.pack("<i", -1) + b"\0"), 17),
        (body(PING) + b"\1\0\0", 17),
        (body(PING) + sequence(b"a", size=3), 17),
        (body(PING) + sequence(b"a", size=1000), 17),
        (body(PING) + sequence(b"a", PING, size=8), 17),
        (body(PING) + b"\1" + struct.pack("<i", 6) + b"aa", 17),
        (body(PING) + sequence(b"\xff"), 17),
        (body(PING) + sequence(b"a", PING + b"\0\0"), 17),
        (body(PING) + sequence(b"a", struct.pack("<i", 400) + b"\0"), 17),
        (body(PING) + sequence(b"a", b"\0" * 5), 17),
    ],
)
def test_malformed_sections_give_an_error_to_answer_with(sections: bytes, code: int) -> None:
    with pytest.raises(ProtocolError) as raised:
        parse_op_msg(op_msg(sections))
    assert raised.value.code == code
    assert not isinstance(raised.value, UnreadableMessageError)


def test_a_message_too_short_for_a_section_ends_the_connection() -> None:
    with pytest.raises(UnreadableMessageError):
        parse_op_msg(op_msg(b""))


@given(st.binary(max_size=120), st.sampled_from([0, 1, 2, 1 << 16]))
def test_arbitrary_sections_never_raise_anything_but_a_protocol_error(sections: bytes, flags: int) -> None:
    try:
        message = parse_op_msg(op_msg(sections, flags))
    except ProtocolError:
        return
    assert message.body.endswith(b"\0")


@given(st.data())
def test_a_damaged_message_never_raises_anything_but_a_protocol_error(data: st.DataObject) -> None:
    message = bytearray(op_msg(body(PING) + sequence(b"documents", PING, PING)))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(16, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_op_msg(bytes(message))
    except ProtocolError:
        return
    assert isinstance(parsed.command_name, str)
