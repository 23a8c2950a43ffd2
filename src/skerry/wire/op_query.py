"""The legacy handshake: `OP_QUERY` in, `OP_REPLY` out.

Drivers that do not yet know the server open with an `OP_QUERY` on `<database>.$cmd`; MongoDB 5.1 and later take only the
handshake's commands that way. Such a query is a command in an old envelope, so it becomes an `OpMsg` here.
"""

import struct
from typing import Final

from skerry.errors import CommandError, ProtocolError
from skerry.wire.header import HEADER_BYTES, OpCode
from skerry.wire.op_msg import OpMsg

_UNSUPPORTED_OP_QUERY_COMMAND: Final = 352
_ALLOWED_COMMANDS: Final = frozenset(
    {"hello", "isMaster", "ismaster", "saslStart", "saslContinue", "buildInfo", "buildinfo"}
)  # the server's own list, as far as the commands exist here

_INT32: Final = struct.Struct("<i")
_REPLY_PREFIX: Final = struct.Struct("<iiiiiqii")  # header, flags, cursor id, starting from, number returned
_AWAIT_CAPABLE: Final = 8  # always set since MongoDB 1.6
_EMBEDDED_DOCUMENT: Final = 3
_DOCUMENT_BYTES_MIN: Final = 5


def parse_op_query(message: bytes) -> OpMsg:
    """Read a whole message, its header included, and return the command in it, with `$db` set from the namespace.

    Raises ProtocolError on malformed bytes, CommandError 352 for anything but a command of the handshake.
    """
    _, request_id, response_to, _ = struct.unpack_from("<iiii", message)
    name_start = HEADER_BYTES + 4
    name_end = message.find(0, name_start)
    if name_end < 0 or len(message) - name_end - 1 < 8 + _DOCUMENT_BYTES_MIN:
        raise ProtocolError("OP_QUERY is cut off")
    try:
        namespace = message[name_start:name_end].decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("OP_QUERY has a namespace that is not UTF-8") from None
    database, _, collection = namespace.partition(".")
    body = _unwrap(_document_at(message, name_end + 9))
    if collection != "$cmd" or not database:
        raise _unsupported("find")
    command = OpMsg(request_id, response_to, 0, body + b"")
    if command.command_name not in _ALLOWED_COMMANDS:
        raise _unsupported(command.command_name)
    command.body = _with_database(body, database)
    return command


def _document_at(message: bytes, start: int) -> bytes:
    (length,) = _INT32.unpack_from(message, start)
    end = start + length
    if length < _DOCUMENT_BYTES_MIN or end > len(message) or message[end - 1]:
        raise ProtocolError(f"Invalid BSON document of {length} bytes in OP_QUERY")
    return message[start:end]


def _unwrap(body: bytes) -> bytes:
    """The command inside `{$query: command, $readPreference: …}`, which some drivers send."""
    for wrapper in (b"$query\0", b"query\0"):
        if body[4] == _EMBEDDED_DOCUMENT and body.startswith(wrapper, 5):
            return _document_at(body, 5 + len(wrapper))
    return body


def _with_database(body: bytes, database: str) -> bytes:
    name = database.encode() + b"\0"
    element = b"\x02$db\0" + _INT32.pack(len(name)) + name
    return _INT32.pack(len(body) + len(element)) + body[4:-1] + element + b"\0"


def _unsupported(command_name: str) -> CommandError:
    return CommandError(
        f"Unsupported OP_QUERY command: {command_name}. The client driver may require an upgrade. "
        "For more details see https://dochub.mongodb.org/core/legacy-opcode-removal",
        _UNSUPPORTED_OP_QUERY_COMMAND,
    )


def build_op_reply(document: bytes, *, request_id: int, response_to: int) -> bytes:
    """A whole `OP_REPLY` with one BSON document."""
    length = _REPLY_PREFIX.size + len(document)
    return _REPLY_PREFIX.pack(length, request_id, response_to, OpCode.REPLY, _AWAIT_CAPABLE, 0, 0, 1) + document
