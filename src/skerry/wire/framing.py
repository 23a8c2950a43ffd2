"""Bytes in any pieces to whole messages."""

from collections.abc import Iterator
from typing import Final

from skerry.wire.header import HEADER_BYTES, MESSAGE_BYTES_MAX, parse_header

_READ_BYTES_MIN: Final = 64 * 1024  # most requests arrive in one piece of this size
_READ_BYTES_MAX: Final = 1024 * 1024  # keeps a single read from reserving what a lying header announces


class MessageAssembler:
    """Collects what one peer sends and cuts it into messages; for one thread. Useless after it has raised.

    `message_bytes_max` may change between two calls of `feed`.
    """

    def __init__(self, message_bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        self.message_bytes_max = message_bytes_max
        self._buffer = bytearray()
        self._length = 0  # of the message that the buffer begins with; 0 = its header is not complete yet

    @property
    def bytes_to_read(self) -> int:
        """How many bytes to ask the peer for next."""
        missing = self._length - len(self._buffer)
        return min(max(missing, _READ_BYTES_MIN), _READ_BYTES_MAX)

    @property
    def is_inside_message(self) -> bool:
        """Whether the peer has begun a message and not finished it."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield the messages completed by them, each with its header; exhaust it before the next call.

        Raises ProtocolError on a header that cannot be a request's, after the whole messages before it.
        """
        if not self._buffer and len(data) >= HEADER_BYTES:
            header = parse_header(data, 0, self.message_bytes_max)
            if header.length == len(data):
                yield data
                return
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= HEADER_BYTES:
                if not self._length:
                    self._length = parse_header(self._buffer, start, self.message_bytes_max).length
                if len(self._buffer) - start < self._length:
                    break
                message = bytes(memoryview(self._buffer)[start : start + self._length])
                start += self._length
                self._length = 0
                yield message
        finally:
            if start:
                del self._buffer[:start]
