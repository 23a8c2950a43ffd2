"""The adapter to pymongo's synchronous internals: connections that call a door instead of a socket.

pymongo lets a client's pool and monitor classes be replaced (`_pool_class`, `_monitor_class`); everything else here is private
to it and checked by `self_test` before the first use. What stays pymongo's own: pooling, sessions, retries, transactions,
encoding and decoding. What has no meaning without a network: compression, TLS, heartbeats, and `socketTimeoutMS` (a call into
the engine cannot be abandoned from outside; `timeoutMS` and `maxTimeMS` bound it from inside).
"""

import weakref
from typing import Any, NoReturn

from bson import DEFAULT_CODEC_OPTIONS, decode
from pymongo.errors import DocumentTooLarge, OperationFailure
from pymongo.hello import Hello
from pymongo.message import _op_msg, _OpMsg
from pymongo.server_description import ServerDescription
from pymongo.synchronous.pool import Connection, Pool

from skerry.local_client.door import Answer, Door


class DirectSocket:
    """Stands where pymongo keeps a socket: remembers the time-out, can be closed."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.is_closed = False

    @property
    def get_conn(self) -> "DirectSocket":
        """pymongo's name for the innermost socket."""
        return self

    def settimeout(self, timeout: float | None) -> None:
        """Remember the seconds that pymongo would wait for a reply."""
        self.timeout = timeout

    def gettimeout(self) -> float | None:
        """The seconds last set."""
        return self.timeout

    def close(self) -> None:
        """Mark as closed; there is nothing to let go."""
        self.is_closed = True


class DirectConnection(Connection):
    """A pooled connection; the request is served when it is sent, in the thread that sends it."""

    def __init__(self, answer: Answer, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._answer = answer
        self._reply: bytes | None = None

    def send_message(self, message: bytes, max_doc_size: int) -> None:
        """Serve one request and keep its reply."""
        if max_doc_size > self.max_bson_size:
            raise DocumentTooLarge(
                f"BSON document too large ({max_doc_size} bytes) - the connected server "
                f"supports BSON document sizes up to {self.max_bson_size} bytes."
            )
        try:
            self._reply = self._answer(message)
        except BaseException as error:
            self._raise_connection_failure(error)

    def receive_message(self, request_id: int | None) -> _OpMsg:  # noqa: ARG002
        """Hand over the reply kept by `send_message`."""
        reply, self._reply = self._reply, None
        if reply is None:
            self._fail("the engine gave no reply")
        return _OpMsg(0, reply)

    def conn_closed(self) -> bool:
        """Whether the connection was closed; nothing else can end it."""
        return self.closed

    def _fail(self, reason: str) -> NoReturn:
        self._raise_connection_failure(OSError(reason))
        raise AssertionError("unreachable")  # pymongo's method always raises


class DirectPool(Pool):
    """A pool whose connections lead through `door`."""

    def __init__(self, door: Door, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._door = door

    def connect(self, handler: Any = None) -> Connection:
        """Open a connection and shake hands, as pymongo's own method does."""
        with self.lock:
            number = self.next_connection_id
            self.next_connection_id += 1
        self._telemetry.connection_created(number)
        socket = DirectSocket(self.opts.socket_timeout)
        connection = DirectConnection(self._door.connect(), socket, self, self.address, number, self.is_sdam)
        with self.lock:
            self.active_contexts.add(connection.cancel_context)
        try:
            if not self.is_sdam:
                connection.hello()
                self.is_writable = connection.is_writable
            if handler:
                handler.contribute_socket(connection, completed_handshake=False)
            connection.authenticate()
        except BaseException:
            with self.lock:
                self.active_contexts.discard(connection.cancel_context)
            connection.close_conn("error")
            raise
        if handler:
            handler.client._topology.receive_cluster_time(connection._cluster_time)
        return connection


class DirectMonitor:
    """Tells the topology that its only server is there; no thread, no heartbeats: the engine cannot be away."""

    def __init__(self, door: Door, *, server_description: Any, topology: Any, **_: Any) -> None:
        self._door = door
        self._address = server_description.address
        self._topology = weakref.ref(topology)

    def open(self) -> None:
        """Describe the server, if it is not known; called with the topology's lock held."""
        topology = self._topology()
        if topology is None or topology.description.server_descriptions()[self._address].is_server_type_known:
            return
        topology._process_change(describe_server(self._door, self._address))

    def close(self) -> None:
        """Nothing to stop."""

    def gc_safe_close(self) -> None:
        """Nothing to stop."""

    def join(self) -> None:
        """Nothing to wait for."""

    def request_check(self) -> None:
        """Nothing to check; `open` is called before a server is waited for."""

    def cancel_check(self) -> None:
        """Nothing to cancel."""


def describe_server(door: Door, address: tuple[str, int | None]) -> ServerDescription:
    """Ask the engine for its `hello`. Raises OperationFailure when it refuses."""
    _, message, _, _ = _op_msg(0, {"hello": 1}, "admin", None, DEFAULT_CODEC_OPTIONS)
    reply = door.connect()(message)
    assert reply is not None
    document = decode(reply)
    if not document["ok"]:
        raise OperationFailure(document["errmsg"], document["code"], document)
    return ServerDescription(address, Hello(document), 0.0)
