"""The sixteen bytes that open every message, and the op codes.

Source: "MongoDB Wire Protocol" in the manual. All integers are little-endian int32.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from skerry.errors import ProtocolError

HEADER_BYTES: Final = 16
MESSAGE_BYTES_MAX: Final = 48_000_000  # what `hello` announces as maxMessageSizeBytes, MongoDB's own value

_HEADER: Final = struct.Struct("<iiii")


class OpCode(IntEnum):
    """The op codes that are read or written; MongoDB 5.1 removed the others."""

    REPLY = 1
    QUERY = 2004
    COMPRESSED = 2012
    MSG = 2013


_REQUEST_OP_CODES: Final = frozenset({OpCode.MSG, OpCode.QUERY, OpCode.COMPRESSED})
_REMOVED_OP_CODES: Final = {
    2001: "OP_UPDATE",
    2002: "OP_INSERT",
    2005: "OP_GET_MORE",
    2006: "OP_DELETE",
    2007: "OP_KILL_CURSORS",
}


class MessageHeader(NamedTuple):
    """`length` counts the whole message, the header included."""

    length: int
    request_id: int
    response_to: int
    op_code: int


class OversizedMessageError(ProtocolError):
    """A request announces more bytes than a message may have; `header` tells whom to answer."""

    def __init__(self, header: MessageHeader, message_bytes_max: int) -> None:
        super().__init__(
            f"recv(): message msgLen {header.length} is invalid. Min {HEADER_BYTES} Max: {message_bytes_max}"
        )
        self.header = header


def parse_header(data: bytes | bytearray, offset: int = 0, message_bytes_max: int = MESSAGE_BYTES_MAX) -> MessageHeader:
    """Read the header of a request at `offset`.

    Raises OversizedMessageError, and ProtocolError when the length is impossible or the op code is not one that a client
    may send; there is no way to find the next message after either.
    """
    header = MessageHeader._make(_HEADER.unpack_from(data, offset))
    if header.op_code not in _REQUEST_OP_CODES:
        removed = _REMOVED_OP_CODES.get(header.op_code)
        if removed is not None:
            raise ProtocolError(f"{removed} is no longer supported. The client driver may require an upgrade.")
        raise ProtocolError(f"Unknown op code {header.op_code}")
    if header.length <= HEADER_BYTES:
        raise ProtocolError(
            f"recv(): message msgLen {header.length} is invalid. Min {HEADER_BYTES} Max: {message_bytes_max}"
        )
    if header.length > message_bytes_max:
        raise OversizedMessageError(header, message_bytes_max)
    return header


def build_header(length: int, request_id: int, response_to: int, op_code: OpCode) -> bytes:
    """The header of a message of `length` bytes in all."""
    return _HEADER.pack(length, request_id, response_to, op_code)
