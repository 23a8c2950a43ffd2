"""`OP_MSG`: one command as a body and, beside it, named sequences of documents.

Everything stays bytes: the body and each document of a sequence are slices of the message, checked for their lengths only.
Source: "OP_MSG" in the manual's wire protocol page.
"""

import struct
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from skerry.errors import ProtocolError
from skerry.wire.crc32c import crc32c
from skerry.wire.header import HEADER_BYTES, OpCode

_CHECKSUM_BYTES: Final = 4
_BODY_OFFSET: Final = HEADER_BYTES + 5  # flags, then the kind of the first section
_DOCUMENT_BYTES_MIN: Final = 5
_INT32: Final = struct.Struct("<i")
_UINT32: Final = struct.Struct("<I")
_PREFIX: Final = struct.Struct("<iiiiI")  # header and flags
_REPLY_PREFIX: Final = struct.Struct("<iiiiIB")  # header, flags, kind of the only section

# MongoDB's numbers for what can be wrong with a message.
_ILLEGAL_FLAG: Final = 199
_CHECKSUM_MISMATCH: Final = 283
_MULTIPLE_BODIES: Final = 40430
_DUPLICATE_SEQUENCE: Final = 40431
_UNKNOWN_SECTION_KIND: Final = 40432
_NO_BODY: Final = 40587


class Flag(IntFlag):
    """Bits 0 to 15 are required: a reader must refuse one that it does not know. The others are optional."""

    CHECKSUM_PRESENT = 1
    MORE_TO_COME = 2
    EXHAUST_ALLOWED = 1 << 16


_REQUIRED_BITS: Final = 0xFFFF
_KNOWN_REQUIRED_BITS: Final = int(Flag.CHECKSUM_PRESENT | Flag.MORE_TO_COME)
_MORE_TO_COME: Final = int(Flag.MORE_TO_COME)
_EXHAUST_ALLOWED: Final = int(Flag.EXHAUST_ALLOWED)
_CHECKSUM_PRESENT: Final = int(Flag.CHECKSUM_PRESENT)


@dataclass(slots=True)
class OpMsg:
    """One request. `body` and the members of `sequences` are BSON documents."""

    request_id: int
    response_to: int
    flags: int
    body: bytes
    sequences: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def more_to_come(self) -> bool:
        """Whether the sender expects no reply."""
        return bool(self.flags & _MORE_TO_COME)

    @property
    def exhaust_allowed(self) -> bool:
        """Whether the sender would take several replies; it must be content with one."""
        return bool(self.flags & _EXHAUST_ALLOWED)

    @property
    def command_name(self) -> str:
        """The name of the body's first field, "" when it has none."""
        end = self.body.find(0, _DOCUMENT_BYTES_MIN)
        return self.body[_DOCUMENT_BYTES_MIN:end].decode("utf-8", "replace") if end > 0 else ""


class UnreadableMessageError(ProtocolError):
    """The sender's intent cannot be known (flags, checksum): not even whether it waits for a reply."""


def parse_op_msg(message: bytes) -> OpMsg:
    """Read a whole message, its header included.

    Raises UnreadableMessageError when the connection has to end, ProtocolError when an error reply is in order.
    """
    end = len(message)
    if end < _BODY_OFFSET:
        raise UnreadableMessageError(f"OP_MSG of {end} bytes has no section")
    _, request_id, response_to, _, flags = _PREFIX.unpack_from(message)
    if flags & _REQUIRED_BITS:
        end = _check_required_flags(message, flags)
    if message[_BODY_OFFSET - 1] == 0 and end - _BODY_OFFSET >= _DOCUMENT_BYTES_MIN:
        body_end = _document_end(message, _BODY_OFFSET, end)
        if body_end == end:
            return OpMsg(request_id, response_to, flags, message[_BODY_OFFSET:end], {})
    body, sequences = _parse_sections(message, end)
    return OpMsg(request_id, response_to, flags, body, sequences)


def _check_required_flags(message: bytes, flags: int) -> int:
    """Verify flags and checksum; return where the sections end."""
    end = len(message)
    if flags & _REQUIRED_BITS & ~_KNOWN_REQUIRED_BITS:
        raise UnreadableMessageError(f"Message contains illegal flags value: 0b{flags:b}", _ILLEGAL_FLAG)
    if flags & _CHECKSUM_PRESENT:
        end -= _CHECKSUM_BYTES
        if end < _BODY_OFFSET or _UINT32.unpack_from(message, end)[0] != crc32c(message[:end]):
            raise UnreadableMessageError("OP_MSG checksum does not match contents", _CHECKSUM_MISMATCH)
    return end


def _parse_sections(message: bytes, end: int) -> tuple[bytes, dict[str, list[bytes]]]:
    body: bytes | None = None
    sequences: dict[str, list[bytes]] = {}
    offset = HEADER_BYTES + 4
    while offset < end:
        kind = message[offset]
        offset += 1
        if kind == 0:
            section_end = _document_end(message, offset, end)
            if body is not None:
                raise ProtocolError("Multiple body sections in message", _MULTIPLE_BODIES)
            body = message[offset:section_end]
        elif kind == 1:
            name, documents, section_end = _parse_sequence(message, offset, end)
            if name in sequences:
                raise ProtocolError(f"Duplicate document sequence: {name}", _DUPLICATE_SEQUENCE)
            sequences[name] = documents
        else:
            raise ProtocolError(f"Unknown section kind {kind}", _UNKNOWN_SECTION_KIND)
        offset = section_end
    if body is None:
        raise ProtocolError("OP_MSG messages must have a body", _NO_BODY)
    return body, sequences


def _parse_sequence(message: bytes, start: int, limit: int) -> tuple[str, list[bytes], int]:
    """A kind 1 section at `start` (its size field): identifier, documents, where it ends."""
    if limit - start < 5:
        raise ProtocolError("Document sequence is cut off")
    (size,) = _INT32.unpack_from(message, start)
    end = start + size
    if size < 5 or end > limit:
        raise ProtocolError(f"Document sequence of {size} bytes does not fit its message")
    name_end = message.find(0, start + 4, end)
    if name_end < 0:
        raise ProtocolError("Document sequence has an unterminated identifier")
    try:
        name = message[start + 4 : name_end].decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("Document sequence has an identifier that is not UTF-8") from None
    documents = []
    offset = name_end + 1
    unpack = _INT32.unpack_from
    while offset < end:
        if end - offset < _DOCUMENT_BYTES_MIN:
            raise ProtocolError("Document sequence ends inside a document")
        document_end = offset + unpack(message, offset)[0]
        if document_end - offset < _DOCUMENT_BYTES_MIN or document_end > end or message[document_end - 1]:
            raise ProtocolError("Document sequence holds an invalid BSON document")
        documents.append(message[offset:document_end])
        offset = document_end
    return name, documents, end


def _document_end(message: bytes, start: int, limit: int) -> int:
    """Where the BSON document at `start` ends; ProtocolError when its length is wrong."""
    if limit - start < _DOCUMENT_BYTES_MIN:
        raise ProtocolError("Message ends inside a document")
    (length,) = _INT32.unpack_from(message, start)
    end: int = start + length
    if length < _DOCUMENT_BYTES_MIN or end > limit or message[end - 1]:
        raise ProtocolError(f"Invalid BSON document of {length} bytes in message")
    return end


def build_op_msg_reply(body: bytes, *, request_id: int, response_to: int, more_to_come: bool = False) -> bytes:
    """A whole message with one BSON document; `more_to_come` tells of a next one that answers this."""
    flags = _MORE_TO_COME if more_to_come else 0
    return _REPLY_PREFIX.pack(_BODY_OFFSET + len(body), request_id, response_to, OpCode.MSG, flags, 0) + body
