"""`skerry.connect`: a `pymongo.MongoClient` on an engine in this process.

Direct where the adapter fits the installed pymongo, over a private socket where it does not; either way the client gives the
engine back when it is closed, forgotten, or the program ends.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from pymongo import MongoClient

from skerry.config import EngineConfig
from skerry.local_client.client_release import ClientRelease
from skerry.local_client.door import Door, EngineDoor
from skerry.local_client.fallback import Listen, fallback_client
from skerry.local_client.self_test import direct_connections_fit

_ADDRESS_OPTIONS: Final = frozenset({"host", "port", "directconnection", "_pool_class", "_monitor_class"})


class LocalMongoClient(MongoClient[Any]):
    """A `MongoClient` that runs `on_close` when it is closed or forgotten, once."""

    _release: ClientRelease | None = None

    def on_close(self, release: Callable[[], object]) -> None:
        """Set what to run; it must not refer to the client."""
        self._release = ClientRelease(self, release)

    def close(self) -> None:
        """Close as pymongo does, then give back what the client stands on."""
        try:
            super().close()
        finally:
            if self._release is not None:
                self._release()


def connect(
    path: str | os.PathLike[str],
    *,
    listen: Listen,
    create: bool,
    config: EngineConfig | None,
    options: Mapping[str, Any],
) -> LocalMongoClient:
    """Open the data directory `path`, or ":memory:", and return a client of it; `options` are pymongo's own.

    Raises FileNotFoundError when there is no database and `create` is false, TypeError for an option that names a server, and
    what opening the engine raises.
    """
    check_options(options)
    door = EngineDoor(path, create=create, config=config)
    try:
        if direct_connections_fit():
            client = direct_client(door, options)
            client.on_close(door.release)
            return client
        return fallback_client(LocalMongoClient, door, listen, options)
    except BaseException:
        door.release()
        raise


def check_options(options: Mapping[str, Any]) -> None:
    """Raise TypeError for options that say where the server is: the path does."""
    for name in options:
        if name.lower() in _ADDRESS_OPTIONS:
            raise TypeError(f"connect() got an unexpected option {name!r}: the database is in this process")


def direct_client(door: Door, options: Mapping[str, Any]) -> LocalMongoClient:
    """A client whose connections lead through `door`."""
    from skerry.local_client.direct_connection import DirectMonitor, DirectPool

    return LocalMongoClient(
        **{
            **options,
            "host": door.host,
            "directConnection": True,
            "_pool_class": functools.partial(DirectPool, door),
            "_monitor_class": functools.partial(DirectMonitor, door),
        }
    )
