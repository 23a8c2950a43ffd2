"""Accepts connections on one address, TCP or Unix, and gives each a thread.

Threads, because the engine blocks and so does SQLite: measured, a thread for each connection served more requests a second
than an event loop that hands them over.
"""

import logging
import selectors
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from skerry.engine.operation_context import Interruption
from skerry.server.client_connection import Answer, ClientConnection
from skerry.server.connection_limit import connection_to_end
from skerry.server.loopback import is_loopback
from skerry.server.server_metrics import ServerCounts, ServerMetrics
from skerry.wire.header import MESSAGE_BYTES_MAX
from skerry.wire.op_msg import OpMsg

if TYPE_CHECKING:
    from skerry.commands.client_access import AccessControl, ClientAccess
    from skerry.commands.client_context import ClientContext
    from skerry.engine.engine import Engine

LOG: Final = logging.getLogger("skerry.server")

Address = tuple[str, int] | Path
"""Host and port, where port 0 takes any free one, or the path of a Unix socket."""

Handle = Callable[[OpMsg, "ClientContext", Any], bytes | None]
"""What answers requests: `commands.entry_point.handle`, or a stand-in for it."""

CONNECTIONS_MAX: Final = 1000
DRAIN_S_MAX: Final = 10.0
_BACKLOG: Final = 128
_ABORT_S_MAX: Final = 1.0
_ACCEPT_PAUSE_S: Final = 0.1  # after a failure that may pass, such as too many open files


class Listener:
    """One bound address. `start` and `close` once each, from any thread; a context manager does both."""

    def __init__(
        self,
        address: Address,
        engine: "Engine",
        *,
        handle: Handle | None = None,
        connections_max: int = CONNECTIONS_MAX,
        message_bytes_max: int = MESSAGE_BYTES_MAX,
        ssl_context: ssl.SSLContext | None = None,
        announced_host: str | None = None,
        access: "AccessControl | None" = None,
        is_private: bool = False,
    ) -> None:
        """Bind; nobody is let in before `start`. Raises OSError when the address cannot be had.

        `access` is shared by the listeners of a node; without it there is one of this listener's own. `is_private`: only this
        process is told the address, so whoever comes is the owner.

        `announced_host` is what `hello` names as the set's only member instead of the address by which a client came. A Unix
        socket beside a TCP port should announce the port: drivers put hosts into lower case, and so lose some paths.
        """
        self._access = access
        if access is None and handle is None and not is_private:
            self._access = _access_control(engine)
        self._handle = handle if handle is not None else _commands()
        self._engine = engine
        self._connections_max = connections_max
        self._message_bytes_max = message_bytes_max
        self._ssl_context = ssl_context
        self._announced_host = announced_host
        self._metrics = ServerMetrics()
        self._lock = threading.Lock()
        self._connections: dict[ClientConnection, threading.Thread] = {}
        self._next_connection_id = 1
        self._is_closing = False
        self._interruption = Interruption()
        self._socket = _bind(address)
        self._bound: Any = self._socket.getsockname()
        self._path = address if isinstance(address, Path) else None
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="skerry-listener", daemon=True)

    @property
    def address(self) -> Address:
        """Where it listens, with the port that it got."""
        if self._path is not None:
            return self._path
        host, port = self._bound[:2]
        return str(host), int(port)

    @property
    def counts(self) -> ServerCounts:
        """Connections, messages and bytes so far."""
        return self._metrics.counts()

    def start(self) -> None:
        """Begin to accept."""
        self._socket.listen(_BACKLOG)
        self._thread.start()

    def close(self, drain_s_max: float = DRAIN_S_MAX) -> None:
        """Stop accepting, let every request that is being served be answered, then end all connections; idempotent.

        Operations that are not done after half of `drain_s_max` seconds are interrupted (11600), as far as nothing of them
        would be lost by that; what is not answered after all of them is cut off.
        """
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
        self._wake.send(b"\0")
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()
        self._wake.close()
        self._woken.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._end_connections(ClientConnection.finish, drain_s_max / 2):
            self._interruption.is_requested = True
            self._end_connections(ClientConnection.finish, drain_s_max / 2)
        if cut_off := len(self._connections):
            self._end_connections(ClientConnection.abort, _ABORT_S_MAX)
            LOG.warning("%d connections were still busy after %g s and were cut off", cut_off, drain_s_max)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end_connections(self, end: Callable[[ClientConnection], None], seconds_max: float) -> int:
        """Apply `end` to every connection and wait for their threads; return how many are still there."""
        deadline = time.monotonic() + seconds_max
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            end(connection)
        for thread in connections.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            return len(self._connections)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._is_closing:
                selector.select()
                if self._is_closing:
                    return
                try:
                    accepted, peer = self._socket.accept()
                except BlockingIOError:
                    continue  # the peer gave up before its turn
                except OSError as error:
                    LOG.warning("cannot accept a connection: %s", error)
                    time.sleep(_ACCEPT_PAUSE_S)
                    continue
                self._admit(accepted, peer)

    def _admit(self, accepted: socket.socket, peer: Any) -> None:
        try:
            self._start_connection(accepted, peer)
        except Exception as error:
            LOG.warning("cannot serve a connection: %s", error)
            accepted.close()

    def _start_connection(self, accepted: socket.socket, peer: Any) -> None:
        host = str(peer[0]) if isinstance(peer, tuple) else ""
        with self._lock:
            number = self._next_connection_id
            self._next_connection_id += 1
            is_full = len(self._connections) >= self._connections_max
            leaving = connection_to_end(list(self._connections), host) if is_full else None
        if leaving is not None:
            LOG.warning("a connection of %s was ended to make room", leaving.host or "a Unix socket")
            leaving.abort()
        elif is_full:
            self._metrics.connection_refused()
            LOG.warning("connection refused: there are %d already", self._connections_max)
            accepted.close()
            return
        accepted.setblocking(True)
        if self._path is None:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        name = f"{number} from {_text(peer)}" if peer else str(number)
        traffic = self._metrics.connection_accepted()
        access = self._access_of(number, host)
        connection = ClientConnection(
            accepted,
            self._answer_for(number, accepted, peer, access),
            name=name,
            traffic=traffic,
            message_bytes_max=self._message_bytes_max,
            ssl_context=self._ssl_context,
            host=host,
            access=access,
        )

        def serve() -> None:
            try:
                connection.serve()
            finally:
                with self._lock:
                    self._connections.pop(connection, None)
                self._metrics.connection_ended(traffic)

        thread = threading.Thread(target=serve, name=f"skerry-connection-{number}", daemon=True)
        with self._lock:
            self._connections[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                del self._connections[connection]
            self._metrics.connection_ended(traffic)
            raise

    def _access_of(self, number: int, host: str) -> "ClientAccess | None":
        from skerry.commands.client_access import ClientAccess

        if self._access is None:
            return None
        return ClientAccess(
            self._access,
            connection=f"connection {number} of {self.address}",
            address=host,
            is_loopback=not host or is_loopback(host),
        )

    def _answer_for(self, number: int, accepted: socket.socket, peer: Any, access: "ClientAccess | None") -> Answer:
        from skerry.commands.client_context import ClientContext

        handle, engine = self._handle, self._engine
        host = self._announced_host or (str(self._path) if self._path is not None else _text(accepted.getsockname()))
        context = ClientContext(
            connection_id=number,
            address=_text(peer) if peer else "",
            is_local=False,
            host=host,
            access=access,
            interruption=self._interruption,
        )
        return lambda request: handle(request, context, engine)


def _access_control(engine: "Engine") -> "AccessControl":
    from skerry.commands.client_access import AccessControl

    return AccessControl(engine.users)


def _commands() -> Handle:
    from skerry.commands.entry_point import handle  # here, because it imports the whole engine

    return handle


def _bind(address: Address) -> socket.socket:
    if isinstance(address, Path):
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        where: Any = str(address)
        _remove_stale_socket(address)
    else:
        family, _, _, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        # A restarted server gets its port back although old connections of it are still dying.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(where)
        if isinstance(address, Path):
            address.chmod(0o700)  # MongoDB's own default: for the owner only
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


def _remove_stale_socket(path: Path) -> None:
    """Remove the socket of a server that has ended; one that still answers is left, and binding fails."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(str(path))
    except FileNotFoundError:
        pass
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)


def _text(socket_address: Any) -> str:
    """`host:port`, an IPv6 host in brackets; a Unix socket's path as it is."""
    if not isinstance(socket_address, tuple):
        return str(socket_address)
    host, port = socket_address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
