"""Replies as bytes: stored documents are spliced into a reply, never decoded and encoded again.

`RawReply` holds a reply's elements in pieces; `finish` joins them once, with `ok` and the cluster's time at the end.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bson.int64 import Int64
from bson.timestamp import Timestamp

from skerry.values import documents

_INT32: Final = struct.Struct("<i")
_INT64: Final = struct.Struct("<q")
_UINT32_PAIR: Final = struct.Struct("<II")
_DOCUMENT_KEYS: Final = [b"\x03%d\x00" % number for number in range(4096)]

_OK: Final = b"\x01ok\x00" + struct.pack("<d", 1.0)
_SIGNATURE: Final = documents.encode({"signature": {"hash": bytes(20), "keyId": Int64(0)}})[4:-1]


@dataclass(slots=True)
class RawReply:
    """BSON elements of a reply, in order: each piece is any number of bytes of them; `documents` of a cursor are among them."""

    pieces: list[bytes]
    documents: int = 0


def finish(reply: dict[str, Any] | RawReply, time: Timestamp) -> bytes:
    """Return the whole reply document of a success."""
    return _join([documents.encode(reply)[4:-1]] if isinstance(reply, dict) else reply.pieces, _tail(time, ok=True))


def finish_error(reply: dict[str, Any], time: Timestamp) -> bytes:
    """Return the whole reply document of a failure; `reply` has its own `ok`."""
    return _join([documents.encode(reply)[4:-1]], _tail(time, ok=False))


def _join(pieces: list[bytes], tail: bytes) -> bytes:
    size = sum(map(len, pieces)) + len(tail) + 5
    return b"".join((_INT32.pack(size), *pieces, tail, b"\x00"))


def _tail(time: Timestamp, *, ok: bool) -> bytes:
    """`ok`, `$clusterTime` (its signature is a dummy, as of a server without authentication) and `operationTime`."""
    stamp = _UINT32_PAIR.pack(time.inc, time.time)
    cluster_time = b"\x11clusterTime\x00" + stamp + _SIGNATURE
    return b"".join(
        (
            _OK if ok else b"",
            b"\x03$clusterTime\x00",
            _INT32.pack(len(cluster_time) + 5),
            cluster_time,
            b"\x00\x11operationTime\x00",
            stamp,
        )
    )


def stored_reply(reply: bytes) -> RawReply:
    """A reply that was kept with a retryable write, to be answered again."""
    return RawReply([reply[4:-1]])


def whole(reply: RawReply) -> bytes:
    """A reply's own elements as a document, to be stored."""
    return _join(reply.pieces, b"")


def cursor_reply(
    batch: Sequence[bytes],
    *,
    cursor_id: int,
    namespace: str,
    batch_name: bytes,
    resume_token: dict[str, Any] | None = None,
) -> RawReply:
    """`{cursor: {<batch_name>: [...], id, ns}}` around raw documents; `batch_name` is `firstBatch` or `nextBatch`."""
    count = len(batch)
    pieces: list[bytes] = [b""] * (2 * count)
    pieces[::2] = _DOCUMENT_KEYS[:count] if count <= len(_DOCUMENT_KEYS) else _document_keys(count)
    pieces[1::2] = batch
    array_size = sum(map(len, pieces)) + 5
    name = namespace.encode() + b"\x00"
    end = b"".join(
        (
            b"\x00",  # of the array
            b"" if resume_token is None else documents.encode({"postBatchResumeToken": resume_token})[4:-1],
            b"\x12id\x00",
            _INT64.pack(cursor_id),
            b"\x02ns\x00",
            _INT32.pack(len(name)),
            name,
            b"\x00",  # of the cursor
        )
    )
    start = b"\x04" + batch_name + b"\x00" + _INT32.pack(array_size)
    cursor_size = len(start) + array_size - 1 + len(end)  # its own length, less the array's length and end
    return RawReply([b"\x03cursor\x00" + _INT32.pack(cursor_size) + start, *pieces, end], count)


def _document_keys(count: int) -> list[bytes]:
    return _DOCUMENT_KEYS + [b"\x03%d\x00" % number for number in range(len(_DOCUMENT_KEYS), count)]
