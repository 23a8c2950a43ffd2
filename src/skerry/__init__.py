"""skerry: a local-first MongoDB for Python."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymongo import AsyncMongoClient, MongoClient

    from skerry.catalog.command_index_store import CommandIndexStore
    from skerry.catalog.coordinator import CollectionCoordinator, CoordinatorSettings
    from skerry.catalog.file_service import FileService
    from skerry.catalog.index_store import IndexStore
    from skerry.catalog.master_index import MasterIndex
    from skerry.catalog.mongo_index_store import MongoIndexStore
    from skerry.config import EngineConfig
    from skerry.engine.sqlite_index_store import SqliteIndexStore
    from skerry.errors import (
        CollectionNotFoundError,
        ConfigurationError,
        CoordinationError,
        CoordinationTimeoutError,
        LockAcquisitionFailureError,
        LockTimeoutError,
        MasterIndexError,
        ModificationConflictError,
        SkerryError,
    )
    from skerry.life_cycle import backup, backup_index, create_database, open_database, recover, restore

__all__ = [
    "CollectionCoordinator",
    "CollectionNotFoundError",
    "CommandIndexStore",
    "ConfigurationError",
    "CoordinationError",
    "CoordinationTimeoutError",
    "CoordinatorSettings",
    "FileService",
    "IndexStore",
    "LockAcquisitionFailureError",
    "LockTimeoutError",
    "MasterIndex",
    "MasterIndexError",
    "ModificationConflictError",
    "MongoIndexStore",
    "SkerryError",
    "SqliteIndexStore",
    "__version__",
    "backup",
    "backup_index",
    "connect",
    "connect_async",
    "create_database",
    "open_database",
    "recover",
    "restore",
]

__version__ = "0.1.0"

_ELSEWHERE = {
    "CollectionCoordinator": "skerry.catalog.coordinator",
    "CommandIndexStore": "skerry.catalog.command_index_store",
    "CoordinatorSettings": "skerry.catalog.coordinator",
    "FileService": "skerry.catalog.file_service",
    "IndexStore": "skerry.catalog.index_store",
    "MasterIndex": "skerry.catalog.master_index",
    "MongoIndexStore": "skerry.catalog.mongo_index_store",
    "SqliteIndexStore": "skerry.engine.sqlite_index_store",
    "backup": "skerry.life_cycle",
    "backup_index": "skerry.life_cycle",
    "create_database": "skerry.life_cycle",
    "open_database": "skerry.life_cycle",
    "recover": "skerry.life_cycle",
    "restore": "skerry.life_cycle",
}
"""Where a name lies that is imported when it is first asked for; all others are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'skerry' has no attribute {name!r}")
    value = getattr(_module(_ELSEWHERE.get(name, "skerry.errors")), name)
    globals()[name] = value
    return value


def connect(
    path: "str | os.PathLike[str]", *, create: bool = True, config: "EngineConfig | None" = None, **options: Any
) -> "MongoClient[Any]":
    """Open the database in the directory `path` in this process and return a `pymongo.MongoClient` of it.

    ":memory:" keeps nothing and is new each time; clients of one directory share one engine. `options` are those of
    `pymongo.MongoClient`, without an address. Close the client to close the database.
    Raises FileNotFoundError when there is no database and `create` is false.
    """
    client = _client_module("skerry.local_client.client")
    opened: MongoClient[Any] = client.connect(path, listen=_listen, create=create, config=config, options=options)
    return opened


def connect_async(
    path: "str | os.PathLike[str]", *, create: bool = True, config: "EngineConfig | None" = None, **options: Any
) -> "AsyncMongoClient[Any]":
    """Open the database in the directory `path` in this process and return a `pymongo.AsyncMongoClient` of it.

    As `connect`, and not a coroutine either; the engine works in threads, so the event loop never waits for it.
    """
    client = _client_module("skerry.local_client.async_client")
    opened: AsyncMongoClient[Any] = client.connect_async(
        path, listen=_listen, create=create, config=config, options=options
    )
    return opened


def _client_module(name: str) -> Any:
    # a link that another process runs must hear of what is written here
    _module("skerry.local_client.open_engines").on_open(_module("skerry.sync.outbox").attach)
    return _module(name)


def _listen(engine: Any, address: Any) -> Any:
    """Start a server; here, because the in-process client and the server do not know each other."""
    listener = _module("skerry.server.listener").Listener(address, engine, is_private=True)
    listener.start()
    return listener


def _module(name: str) -> Any:
    # By name and on demand: importing skerry stays cheap, and every layer may read the version from here.
    return importlib.import_module(name)
