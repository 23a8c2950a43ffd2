"""The way round an adapter that does not fit: a private server in this process, and an ordinary client of it."""

import contextlib
import functools
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

from skerry.local_client.door import EngineDoor

if TYPE_CHECKING:
    from skerry.engine.engine import Engine

SocketAddress = tuple[str, int] | Path


class Listening(Protocol):
    """A running server; `address` has the port that it got."""

    @property
    def address(self) -> SocketAddress: ...

    def close(self) -> None: ...


Listen = Callable[["Engine", SocketAddress], Listening]
"""Starts a server for an engine; given by whoever knows both sides, since the two packages do not know each other."""


C = TypeVar("C", bound="ClosesAfterwards")


class ClosesAfterwards(Protocol):
    """A client that runs something after it has been closed."""

    def on_close(self, release: Callable[[], object]) -> None: ...


def fallback_client(make: Callable[..., C], door: EngineDoor, listen: Listen, options: Mapping[str, Any]) -> C:
    """Return `make`'s client of a private server, which ends with the client and gives `door` back then."""
    server = PrivateServer(door.engine, listen)
    try:
        client = make(**{**options, **server.client_options})
    except BaseException:
        server.close()
        raise
    client.on_close(functools.partial(_close, server, door))
    return client


def _close(server: "PrivateServer", door: EngineDoor) -> None:
    try:
        server.close()
    finally:
        door.release()


class PrivateServer:
    """A server that only this process is told of: a Unix socket in a directory of our own, else a free loopback port."""

    def __init__(self, engine: "Engine", listen: Listen) -> None:
        self._process_id = os.getpid()
        self._directory: Path | None = None
        address: SocketAddress = ("127.0.0.1", 0)
        if hasattr(socket, "AF_UNIX"):
            self._directory = Path(tempfile.mkdtemp(prefix="skerry-"))  # for its owner only
            address = self._directory / "skerry.sock"
        try:
            self._server = listen(engine, address)
        except BaseException:
            self._remove_directory()
            raise

    @property
    def client_options(self) -> dict[str, Any]:
        """What makes a client talk to this server and to no other."""
        address = self._server.address
        if isinstance(address, Path):
            return {"host": f"mongodb://{quote(str(address), safe='')}", "directConnection": True}
        return {"host": address[0], "port": address[1], "directConnection": True}

    def close(self) -> None:
        """Stop; without effect in a forked child, whose parent still serves."""
        if self._process_id == os.getpid():
            self._server.close()
            self._remove_directory()

    def _remove_directory(self) -> None:
        if self._directory is not None:
            with contextlib.suppress(OSError):
                shutil.rmtree(self._directory)
