"""skerry: a local-first MongoDB for Python."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymongo import AsyncMongoClient, MongoClient

    from skerry.config import EngineConfig

__all__ = ["__version__", "connect", "connect_async"]

__version__ = "0.1.0"


def connect(
    path: "str | os.PathLike[str]", *, create: bool = True, config: "EngineConfig | None" = None, **options: Any
) -> "MongoClient[Any]":
    """Open the database in the directory `path` in this process and return a `pymongo.MongoClient` of it.

    ":memory:" keeps nothing and is new each time; clients of one directory share one engine. `options` are those of
    `pymongo.MongoClient`, without an address. Close the client to close the database.
    Raises FileNotFoundError when there is no database and `create` is false.
    """
    client = _module("skerry.local_client.client")
    opened: MongoClient[Any] = client.connect(path, listen=_listen, create=create, config=config, options=options)
    return opened


def connect_async(
    path: "str | os.PathLike[str]", *, create: bool = True, config: "EngineConfig | None" = None, **options: Any
) -> "AsyncMongoClient[Any]":
    """Open the database in the directory `path` in this process and return a `pymongo.AsyncMongoClient` of it.

    As `connect`, and not a coroutine either; the engine works in threads, so the event loop never waits for it.
    """
    client = _module("skerry.local_client.async_client")
    opened: AsyncMongoClient[Any] = client.connect_async(
        path, listen=_listen, create=create, config=config, options=options
    )
    return opened


def _listen(engine: Any, address: Any) -> Any:
    """Start a server; here, because the in-process client and the server do not know each other."""
    listener = _module("skerry.server.listener").Listener(address, engine)
    listener.start()
    return listener


def _module(name: str) -> Any:
    # By name and on demand: importing skerry stays cheap, and every layer may read the version from here.
    return importlib.import_module(name)
