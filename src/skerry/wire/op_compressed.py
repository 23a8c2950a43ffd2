"""`OP_COMPRESSED` is refused: `hello` offers no compressor, so no client may send it.

Compression would cost more time than it saves where this is used, on one machine or in one building. The refusal is an
error reply rather than silence, so that a client that was told to compress regardless can say what is wrong.
"""

import struct
from typing import Final

from skerry.errors import ProtocolError
from skerry.wire.header import HEADER_BYTES

_ENVELOPE: Final = struct.Struct("<iiB")  # original op code, uncompressed size, compressor
_COMPRESSORS: Final = {0: "noop", 1: "snappy", 2: "zlib", 3: "zstd"}


def refuse_op_compressed(message: bytes) -> ProtocolError:
    """The error to answer `message` with; it names the compressor."""
    if len(message) < HEADER_BYTES + _ENVELOPE.size:
        return ProtocolError("OP_COMPRESSED is cut off")
    _, _, number = _ENVELOPE.unpack_from(message, HEADER_BYTES)
    name = _COMPRESSORS.get(number, f"number {number}")
    return ProtocolError(f"Compressed messages are not supported (compressor {name}); connect without `compressors`")
