"""A TCP proxy that breaks connections: at once, at random, before or after what was sent has arrived; or lets them go silent."""

import random
import socket
import threading
from contextlib import suppress


class FaultProxy:
    """Forwards `127.0.0.1:port` to a target; `cut_probability` is the chance that a chunk, either way, ends its connection."""

    def __init__(self, target_port: int, seed: int = 0) -> None:
        self.target_port = target_port
        self.cut_probability = 0.0
        self.is_open = True
        self.flows = threading.Event()  # while it is not set, connections stand, and nothing comes through
        self.flows.set()
        self.cuts = 0
        self._random = random.Random(seed)
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def cut(self) -> None:
        """Break all connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            self._end(pair)

    def close(self) -> None:
        self._ended = True
        self.flows.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while not self._ended:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if not self.is_open:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                near.close()
                continue
            pair = (near, far)
            with self._lock:
                self._pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(source, sink, pair), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                if self._random.random() < self.cut_probability:
                    self.cuts += 1
                    if self._random.random() < 0.5:
                        sink.sendall(data)  # it arrived, but nobody will hear the answer
                    break
                sink.sendall(data)
        with self._lock:
            self._pairs.discard(pair)
        self._end(pair)

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        for each in pair:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
