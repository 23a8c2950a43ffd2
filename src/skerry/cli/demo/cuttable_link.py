"""A TCP link that can be cut and healed: what stands between an edge and its hub."""

import socket
import threading
from typing import Final

_BUFFER_BYTES: Final = 65_536


class CuttableLink:
    """Forwards connections to `target` (host, port) until `cut`; refuses and drops them until `heal`."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="skerry-demo-link", daemon=True).start()

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        with self._lock:
            self._is_cut = True
            connections, self._open = self._open, set()
        for connection in connections:
            _end(connection)

    def heal(self) -> None:
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        self.cut()
        _end(self._server)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                self._join(near)
            except OSError:
                _end(near)

    def _join(self, near: socket.socket) -> None:
        with self._lock:
            if self._is_cut:
                _end(near)
                return
        far = socket.create_connection(self._target)
        with self._lock:
            if self._is_cut:
                _end(near)
                _end(far)
                return
            self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(_BUFFER_BYTES):
                sink.sendall(data)
        except OSError:
            pass
        _end(source)
        _end(sink)
        with self._lock:
            self._open -= {source, sink}


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
