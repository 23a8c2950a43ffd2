"""`skerry.connect_async`: a `pymongo.AsyncMongoClient` on an engine in this process."""

import asyncio
import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final

from pymongo import AsyncMongoClient

from skerry.config import EngineConfig
from skerry.local_client.client import check_options
from skerry.local_client.client_release import ClientRelease
from skerry.local_client.door import Door, EngineDoor
from skerry.local_client.fallback import Listen, fallback_client
from skerry.local_client.self_test import async_direct_connections_fit

_POOL_SIZE_DEFAULT: Final = 100  # pymongo's maxPoolSize


class LocalAsyncMongoClient(AsyncMongoClient[Any]):
    """An `AsyncMongoClient` that runs `on_close` when it is closed or forgotten, once."""

    _release: ClientRelease | None = None

    def on_close(self, release: Callable[[], object]) -> None:
        """Set what to run, in a thread; it must not refer to the client."""
        self._release = ClientRelease(self, release)

    async def close(self) -> None:
        """Close as pymongo does, then give back what the client stands on."""
        try:
            await super().close()
        finally:
            if self._release is not None:
                await asyncio.to_thread(self._release)

    aclose = close


def connect_async(
    path: str | os.PathLike[str],
    *,
    listen: Listen,
    create: bool,
    config: EngineConfig | None,
    options: Mapping[str, Any],
) -> LocalAsyncMongoClient:
    """Open the data directory `path`, or ":memory:", and return an asynchronous client of it; `options` are pymongo's own.

    Not a coroutine, like pymongo's own constructor; opening takes some milliseconds. Raises as `client.connect` does.
    """
    check_options(options)
    lower_case = {name.lower(): value for name, value in options.items()}
    # A client that stops waiting repeats its write, which must then be recognised.
    door = EngineDoor(path, create=create, config=config, may_lose_replies="sockettimeoutms" in lower_case)
    try:
        if async_direct_connections_fit():
            # One thread for each connection at most: a change stream that waits must not hold up the others.
            threads_max = lower_case.get("maxpoolsize", _POOL_SIZE_DEFAULT) or 10 * _POOL_SIZE_DEFAULT
            executor = ThreadPoolExecutor(threads_max + 1, thread_name_prefix="skerry-client")
            client = async_direct_client(door, executor, options)
            client.on_close(functools.partial(_shut_down, executor, door.release))
            return client
        return fallback_client(LocalAsyncMongoClient, door, listen, options)
    except BaseException:
        door.release()
        raise


def async_direct_client(door: Door, executor: Executor, options: Mapping[str, Any]) -> LocalAsyncMongoClient:
    """A client whose connections lead through `door`, each request served in a thread of `executor`."""
    from skerry.local_client.async_direct_connection import AsyncDirectMonitor, AsyncDirectPool

    return LocalAsyncMongoClient(
        **{
            **options,
            "host": door.host,
            "directConnection": True,
            "_pool_class": functools.partial(AsyncDirectPool, door, executor),
            "_monitor_class": functools.partial(AsyncDirectMonitor, door, executor),
        }
    )


def _shut_down(executor: Executor, release: Callable[[], object]) -> None:
    executor.shutdown(wait=False, cancel_futures=True)
    release()
