"""skerry: a local-first MongoDB for Python."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pymongo import AsyncMongoClient, MongoClient

    from skerry.config import EngineConfig
    from skerry.engine.engine import Engine
    from skerry.server.listener import Listener

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
    from skerry.local_client import client  # here, so that `import skerry` stays cheap

    return client.connect(path, listen=_listen, create=create, config=config, options=options)


def connect_async(
    path: "str | os.PathLike[str]", *, create: bool = True, config: "EngineConfig | None" = None, **options: Any
) -> "AsyncMongoClient[Any]":
    """Open the database in the directory `path` in this process and return a `pymongo.AsyncMongoClient` of it.

    As `connect`; the engine works in threads, so the event loop never waits for it.
    """
    from skerry.local_client import async_client

    return async_client.connect_async(path, listen=_listen, create=create, config=config, options=options)


def _listen(engine: "Engine", address: "tuple[str, int] | Path") -> "Listener":
    from skerry.server.listener import Listener

    listener = Listener(address, engine)
    listener.start()
    return listener
