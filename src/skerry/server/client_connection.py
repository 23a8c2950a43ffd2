"""One client's socket: bytes into messages, messages to the commands, replies back, one at a time and in order.

A message that breaks the protocol ends its connection with a logged reason and nothing else. The cursors and sessions of a
connection that ends stay: a client may go on with them from another one, and otherwise they expire.
"""

import itertools
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bson.raw_bson import RawBSONDocument

from skerry.auth.certificate_subject import subject_name
from skerry.errors import CommandError, ProtocolError, ShutdownError, SkerryError
from skerry.server.server_metrics import Traffic
from skerry.wire.error_document import error_document
from skerry.wire.framing import MessageAssembler
from skerry.wire.header import OpCode, OversizedMessageError, parse_header
from skerry.wire.op_compressed import refuse_op_compressed
from skerry.wire.op_msg import OpMsg, UnreadableMessageError, build_op_msg_reply, parse_op_msg
from skerry.wire.op_query import build_op_reply, parse_op_query

if TYPE_CHECKING:
    from skerry.commands.client_access import ClientAccess

LOG: Final = logging.getLogger("skerry.server")

Answer = Callable[[OpMsg], bytes | None]
"""A request to its reply's BSON document, or to None when the sender expects no reply."""

STRANGERS_MESSAGE_BYTES_MAX: Final = 64 * 1024
"""Of somebody who has to log in and has not: enough for any handshake, too little to fill the memory with."""
_SHUTTING_DOWN: Final = error_document(ShutdownError("The server is in quiesce mode and will shut down"))
_TLS_HANDSHAKE_S_MAX: Final = 10.0
# A peer that is being refused may still be sending; closing with unread bytes would reset the connection and lose the refusal.
_LINGER_S_MAX: Final = 2.0


class ClientConnection:
    """Serves one socket in one thread (`serve`); the other methods are for the listener's thread."""

    def __init__(
        self,
        connection: socket.socket,
        answer: Answer,
        *,
        name: str,
        traffic: Traffic,
        message_bytes_max: int,
        ssl_context: ssl.SSLContext | None = None,
        host: str = "",
        access: "ClientAccess | None" = None,
    ) -> None:
        """`host` is where the client is, "" on a Unix socket; `access` who he is, None for one who may do everything."""
        self.host = host
        self.last_used = time.monotonic()
        self._access = access
        self._message_bytes_max = message_bytes_max
        self._socket = connection
        self._answer = answer
        self._name = name
        self._traffic = traffic
        self._assembler = MessageAssembler(message_bytes_max)
        self._ssl_context = ssl_context
        self._request_ids = itertools.count(1)
        self._is_ending = False
        self._is_broken = False
        self._is_closed = False
        self._lock = threading.Lock()  # keeps a file descriptor from being shut down after it was closed and reused

    def serve(self) -> None:
        """Answer until the peer or the listener ends it. Never raises."""
        try:
            if self._ssl_context is not None:
                self._shake_hands(self._ssl_context)
            self._serve_messages()
        except OversizedMessageError as error:
            self._log_end(error.message)
            self._refuse_and_linger(error)
        except SkerryError as error:  # a message that breaks the protocol, or users that cannot be looked up
            self._log_end(str(error))
        except OSError as error:  # the peer reset the connection, a failed TLS handshake, …
            self._log_end(str(error))
        except Exception:
            LOG.exception("connection %s: ended by a defect", self._name)
        finally:
            with self._lock:
                self._is_closed = True
                self._socket.close()

    @property
    def is_of_stranger(self) -> bool:
        """Whether the client would have to log in, and has not."""
        return self._access is not None and self._access.is_stranger

    @property
    def is_ending(self) -> bool:
        """Whether it has been told to end, and may still be at its last request."""
        return self._is_ending

    def finish(self) -> None:
        """Take no further request; the one that is being served is still answered, and those behind it are refused (91)."""
        self._is_ending = True
        self._shut_down(socket.SHUT_RD)

    def abort(self) -> None:
        """End at once, whatever is being served."""
        self._is_ending = True
        self._shut_down(socket.SHUT_RDWR)

    def _shut_down(self, how: int) -> None:
        with self._lock:
            if not self._is_closed:
                try:
                    # Of the plain socket: that of TLS would forget its keys under the thread that uses them.
                    socket.socket.shutdown(self._socket, how)
                except OSError:
                    pass  # the peer was faster

    def _shake_hands(self, context: ssl.SSLContext) -> None:
        self._socket.settimeout(_TLS_HANDSHAKE_S_MAX)
        wrapped = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._socket = wrapped
        wrapped.do_handshake()
        wrapped.settimeout(None)
        if self._access is not None and (certificate := wrapped.getpeercert()):
            self._access.certificate_subject = subject_name(certificate)

    def _serve_messages(self) -> None:
        assembler, traffic, access = self._assembler, self._traffic, self._access
        while True:  # after `finish` as well: what had come by then is refused, and then recv gives nothing more
            data = self._socket.recv(assembler.bytes_to_read)
            if not data:
                if assembler.is_inside_message and not self._is_ending:
                    self._log_end("the peer closed it inside a message")
                return
            traffic.bytes_received += len(data)
            self.last_used = time.monotonic()
            if access is not None:
                trusted = access.is_trusted
                assembler.message_bytes_max = self._message_bytes_max if trusted else STRANGERS_MESSAGE_BYTES_MAX
            for message in assembler.feed(data):
                traffic.messages += 1
                reply = self._reply_to(message)
                if reply is not None:
                    traffic.bytes_sent += len(reply)
                    self._socket.sendall(reply)
                if self._is_broken:
                    return

    def _reply_to(self, message: bytes) -> bytes | None:
        """Serve one message; ProtocolError when there is no telling what its sender expects."""
        header = parse_header(message, 0, len(message))
        if header.op_code == OpCode.QUERY:
            return self._reply_to_query(message, header.request_id)
        if header.op_code == OpCode.COMPRESSED:
            error = refuse_op_compressed(message)
            self._log_end(error.message)
            self._is_broken = True
            return self._framed(error_document(error), header.request_id)
        try:
            request = parse_op_msg(message)
        except UnreadableMessageError:
            raise
        except ProtocolError as error:
            return self._framed(error_document(error), header.request_id)
        if self._is_ending:
            return None if request.more_to_come else self._framed(_SHUTTING_DOWN, header.request_id)
        document = self._answer(request)
        if document is None or request.more_to_come:
            return None
        if request.exhaust_allowed and request.command_name == "getMore":
            return self._stream(request, document)
        return self._framed(document, header.request_id)

    def _stream(self, request: OpMsg, document: bytes | None) -> bytes:
        """Send batch after batch of a cursor without being asked again; return the last one to be sent.

        Each reply answers the one before (manual: MongoDB Wire Protocol, `exhaustAllowed` and `moreToCome`).
        """
        response_to = request.request_id
        while document is not None and not self._is_ending and _has_open_cursor(document):
            request_id = next(self._request_ids)
            reply = build_op_msg_reply(document, request_id=request_id, response_to=response_to, more_to_come=True)
            self._traffic.bytes_sent += len(reply)
            self._socket.sendall(reply)
            response_to = request_id
            document = self._answer(request)
        assert document is not None  # the request did not ask for silence
        return self._framed(document, response_to)

    def _reply_to_query(self, message: bytes, request_id: int) -> bytes:
        try:
            document = _SHUTTING_DOWN if self._is_ending else self._answer(parse_op_query(message))
        except ProtocolError:
            raise
        except CommandError as error:
            document = error_document(error)
        assert document is not None  # the old envelope has no way of asking for no reply
        return build_op_reply(document, request_id=next(self._request_ids), response_to=request_id)

    def _framed(self, document: bytes, response_to: int) -> bytes:
        return build_op_msg_reply(document, request_id=next(self._request_ids), response_to=response_to)

    def _refuse_and_linger(self, error: OversizedMessageError) -> None:
        """Say why, then read and drop what the peer is still sending, for a short time."""
        if error.header.op_code != OpCode.MSG:
            return
        deadline = time.monotonic() + _LINGER_S_MAX
        try:
            self._socket.settimeout(_LINGER_S_MAX)
            self._socket.sendall(self._framed(error_document(error), error.header.request_id))
            self._shut_down(socket.SHUT_WR)
            while (remaining := deadline - time.monotonic()) > 0:
                self._socket.settimeout(remaining)
                if not self._socket.recv(1024 * 1024):
                    return
        except OSError:
            pass  # the peer did not wait for the reason

    def _log_end(self, reason: str) -> None:
        LOG.info("connection %s: ended: %s", self._name, reason)


def _has_open_cursor(reply: bytes) -> bool:
    """Whether a reply is a batch of a cursor that has more."""
    cursor = RawBSONDocument(reply).get("cursor")
    return cursor is not None and cursor["id"] != 0
