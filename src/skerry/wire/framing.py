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
        self._pieces: list[bytes] = []  # joined once, when a message is whole: large ones come in many
        self._received = 0
        self._length = 0  # of the message that the pieces begin with; 0 = its header is not complete yet

    @property
    def bytes_to_read(self) -> int:
        """How many bytes to ask the peer for next."""
        missing = self._length - self._received
        return min(max(missing, _READ_BYTES_MIN), _READ_BYTES_MAX)

    @property
    def is_inside_message(self) -> bool:
        """Whether the peer has begun a message and not finished it."""
        return bool(self._pieces)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield the messages completed by them, each with its header; exhaust it before the next call.

        Raises ProtocolError on a header that cannot be a request's, after the whole messages before it.
        """
        self._pieces.append(data)
        self._received += len(data)
        if self._received < max(self._length, HEADER_BYTES):
            return
        received, start = b"".join(self._pieces), 0
        try:
            while len(received) - start >= HEADER_BYTES:
                length = self._length or parse_header(received, start, self.message_bytes_max).length
                self._length = length
                if len(received) - start < length:
                    break
                message = received[start : start + length]
                start += length
                self._length = 0
                yield message
        finally:
            rest = received[start:]
            self._pieces = [rest] if rest else []
            self._received = len(rest)
