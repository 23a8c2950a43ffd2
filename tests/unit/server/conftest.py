"""A listener whose requests are answered by a canned handler, and clients that speak raw bytes."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import bson
import pytest

from skerry.server.listener import Address, Listener
from skerry.wire.op_msg import OpMsg


class CannedCommands:
    """Echoes everything, holds `wait` until it is let go, and counts a cursor down with each `getMore`."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.waiting = threading.Event()
        self.seen: list[tuple[dict[str, Any], Any]] = []
        self.cursor_left = 0

    def handle(self, message: OpMsg, client: Any, engine: Any) -> bytes | None:
        command = bson.decode(message.body)
        self.seen.append((command, client))
        if "wait" in command:
            self.waiting.set()
            assert self.let_go.wait(20)
        if "fail" in command:
            raise RuntimeError("a defect")
        reply = {"echo": command, "engine": engine, "documents": sum(map(len, message.sequences.values())), "ok": 1.0}
        if "getMore" in command:
            self.cursor_left = (self.cursor_left or command["getMore"]) - 1
            reply["cursor"] = {"nextBatch": [], "id": self.cursor_left}
        if "big" in command:
            reply["big"] = b"x" * command["big"]
        return None if message.more_to_come else bson.encode(reply)


class RawClient:
    """A socket that sends what it is told to."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(10)

    def send(self, command: dict[str, Any], *, flags: int = 0, request_id: int = 1) -> None:
        self.socket.sendall(framed(command, flags=flags, request_id=request_id))

    def read_exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                raise EOFError(f"closed after {len(data)} bytes")
            data += piece
        return data

    def receive(self) -> tuple[int, int, dict[str, Any]]:
        """Op code, response_to and the document of the next reply."""
        length, _, response_to, op_code = struct.unpack("<iiii", self.read_exactly(16))
        content = self.read_exactly(length - 16)
        return op_code, response_to, bson.decode(content[5:] if op_code == 2013 else content[20:])

    def receive_flags(self) -> tuple[int, int, int, dict[str, Any]]:
        """Flags, request id, response_to and the document of the next reply."""
        length, request_id, response_to, _, flags, _ = struct.unpack("<iiiiIB", self.read_exactly(21))
        return flags, request_id, response_to, bson.decode(self.read_exactly(length - 21))

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        self.send(command)
        return self.receive()[2]

    def is_closed_by_peer(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def framed(command: dict[str, Any], *, flags: int = 0, request_id: int = 1, length: int | None = None) -> bytes:
    content = struct.pack("<iB", flags, 0) + bson.encode(command)
    return struct.pack("<iiii", length or 16 + len(content), request_id, 0, 2013) + content


@pytest.fixture
def commands() -> Iterator[CannedCommands]:
    canned = CannedCommands()
    yield canned
    canned.let_go.set()


@pytest.fixture
def start(commands: CannedCommands) -> Iterator[Callable[..., Listener]]:
    """Start a listener; it is closed at the end."""
    listeners: list[Listener] = []

    def start(address: Address = ("127.0.0.1", 0), **options: Any) -> Listener:
        listener = Listener(address, "the engine", handle=commands.handle, **options)  # type: ignore[arg-type]
        listeners.append(listener)
        listener.start()
        return listener

    yield start
    commands.let_go.set()
    for listener in listeners:
        listener.close(1.0)


@pytest.fixture
def connect() -> Iterator[Callable[[Listener], RawClient]]:
    """Connect to a listener; the socket is closed at the end."""
    clients: list[RawClient] = []

    def connect(listener: Listener) -> RawClient:
        address = listener.address
        if isinstance(address, tuple):
            client = RawClient(socket.create_connection(address, timeout=10))
        else:
            unix = socket.socket(socket.AF_UNIX)
            unix.connect(str(address))
            client = RawClient(unix)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.socket.close()


@pytest.fixture
def raw_client() -> type[RawClient]:
    """What wraps a connected socket."""
    return RawClient
