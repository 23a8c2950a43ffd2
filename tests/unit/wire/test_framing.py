"""Bytes in any pieces become the same messages."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import ProtocolError
from skerry.wire.framing import MessageAssembler
from skerry.wire.header import MESSAGE_BYTES_MAX, OpCode, OversizedMessageError, build_header, parse_header


def message(payload: bytes, op_code: int = OpCode.MSG) -> bytes:
    return struct.pack("<iiii", 16 + len(payload), 7, 0, op_code) + payload


def assembled(pieces: list[bytes]) -> list[bytes]:
    assembler = MessageAssembler()
    return [whole for piece in pieces for whole in assembler.feed(piece)]


@given(
    st.lists(st.binary(min_size=1, max_size=200), max_size=5),
    st.lists(st.integers(min_value=0, max_value=1200), max_size=8),
)
def test_however_the_bytes_are_cut_the_messages_are_the_same(payloads: list[bytes], cuts: list[int]) -> None:
    messages = [message(payload) for payload in payloads]
    stream = b"".join(messages)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    assert assembled([stream[start:end] for start, end in itertools.pairwise(edges)]) == messages


@given(st.lists(st.binary(max_size=64), max_size=10))
def test_arbitrary_bytes_end_in_messages_or_a_protocol_error(pieces: list[bytes]) -> None:
    try:
        whole = assembled(pieces)
    except ProtocolError:
        return
    assert all(parse_header(each).length == len(each) for each in whole)


def test_the_messages_before_a_broken_header_are_still_given() -> None:
    good = message(b"x")
    received = MessageAssembler().feed(good + message(b"y", 9999))
    assert next(received) == good
    with pytest.raises(ProtocolError, match="Unknown op code 9999"):
        next(received)


def test_a_begun_message_is_noticed() -> None:
    assembler = MessageAssembler()
    assert not assembler.is_inside_message
    assert list(assembler.feed(message(b"abc")[:10])) == []
    assert assembler.is_inside_message
    assert list(assembler.feed(message(b"abc")[10:])) == [message(b"abc")]
    assert not assembler.is_inside_message


def test_reading_goes_in_pieces_of_at_most_a_mebibyte_whatever_a_header_announces() -> None:
    assembler = MessageAssembler()
    assert assembler.bytes_to_read == 64 * 1024
    list(assembler.feed(build_header(MESSAGE_BYTES_MAX, 1, 0, OpCode.MSG)))
    assert assembler.bytes_to_read == 1024 * 1024


@pytest.mark.parametrize("length", [-1, 0, 15, 16])
def test_a_message_without_content_is_refused(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"msgLen {length} is invalid"):
        parse_header(build_header(length, 1, 0, OpCode.MSG))


def test_a_message_of_the_greatest_length_is_taken_and_one_byte_more_is_not() -> None:
    assert parse_header(build_header(MESSAGE_BYTES_MAX, 1, 0, OpCode.MSG)).length == 48_000_000
    with pytest.raises(OversizedMessageError, match="Max: 48000000") as raised:
        parse_header(build_header(MESSAGE_BYTES_MAX + 1, 5, 0, OpCode.MSG))
    assert raised.value.header.request_id == 5


def test_the_limit_can_be_set_lower() -> None:
    with pytest.raises(OversizedMessageError):
        list(MessageAssembler(20).feed(message(b"12345")))
    assert list(MessageAssembler(20).feed(message(b"1234"))) == [message(b"1234")]


@pytest.mark.parametrize(
    ("op_code", "text"),
    [(2002, "OP_INSERT is no longer supported"), (2005, "OP_GET_MORE"), (1, "Unknown op code 1"), (0, "code 0")],
)
def test_op_codes_that_no_client_may_send_are_refused_by_name(op_code: int, text: str) -> None:
    with pytest.raises(ProtocolError, match=text):
        parse_header(struct.pack("<iiii", 100, 1, 0, op_code))
