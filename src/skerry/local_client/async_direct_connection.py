"""The adapter to pymongo's asynchronous internals: what `direct_connection` is to the synchronous ones.

Every request is served in a thread, so that the event loop never waits for the engine. Here time-outs do end the waiting
(`socketTimeoutMS`, `timeoutMS`, cancelled tasks); the engine still finishes what it began, as a server would.
"""

import asyncio
import weakref
from concurrent.futures import Executor
from typing import Any

from pymongo.asynchronous.pool import AsyncConnection, Pool
from pymongo.errors import DocumentTooLarge
from pymongo.message import _OpMsg
from pymongo.server_description import ServerDescription

from skerry.local_client.direct_connection import DirectSocket, describe_server
from skerry.local_client.door import Answer, Door


class AsyncDirectSocket(DirectSocket):
    """A `DirectSocket` whose `close` is awaited."""

    async def close(self) -> None:  # type: ignore[override]
        """Mark as closed; there is nothing to let go."""
        self.is_closed = True


class AsyncDirectConnection(AsyncConnection):
    """A pooled connection; each request is served in a thread of `executor`."""

    def __init__(self, answer: Answer, executor: Executor, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._answer = answer
        self._executor = executor
        self._reply: bytes | None = None

    async def send_message(self, message: bytes, max_doc_size: int) -> None:
        """Serve one request and keep its reply; wait for it no longer than the connection's time-out."""
        if max_doc_size > self.max_bson_size:
            raise DocumentTooLarge(
                f"BSON document too large ({max_doc_size} bytes) - the connected server "
                f"supports BSON document sizes up to {self.max_bson_size} bytes."
            )
        try:
            served = asyncio.get_running_loop().run_in_executor(self._executor, self._answer, message)
            if self.last_timeout is None:
                self._reply = await served
            else:
                async with asyncio.timeout(self.last_timeout):
                    self._reply = await served
        except BaseException as error:
            await self._raise_connection_failure(error)

    async def receive_message(self, request_id: int | None) -> _OpMsg:  # noqa: ARG002
        """Hand over the reply kept by `send_message`."""
        reply, self._reply = self._reply, None
        if reply is None:
            await self._raise_connection_failure(OSError("the engine gave no reply"))
        return _OpMsg(0, reply)

    def conn_closed(self) -> bool:
        """Whether the connection was closed; nothing else can end it."""
        return self.closed


class AsyncDirectPool(Pool):
    """A pool whose connections lead through `door`."""

    def __init__(self, door: Door, executor: Executor, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._door = door
        self._executor = executor

    async def connect(self, handler: Any = None) -> AsyncConnection:
        """Open a connection and shake hands, as pymongo's own method does."""
        async with self.lock:
            number = self.next_connection_id
            self.next_connection_id += 1
        self._telemetry.connection_created(number)
        socket = AsyncDirectSocket(self.opts.socket_timeout)
        connection = AsyncDirectConnection(
            self._door.connect(), self._executor, socket, self, self.address, number, self.is_sdam
        )
        async with self.lock:
            self.active_contexts.add(connection.cancel_context)
        try:
            if not self.is_sdam:
                await connection.hello()
                self.is_writable = connection.is_writable
            if handler:
                handler.contribute_socket(connection, completed_handshake=False)
            await connection.authenticate()
        except BaseException:
            async with self.lock:
                self.active_contexts.discard(connection.cancel_context)
            await connection.close_conn("error")
            raise
        if handler:
            await handler.client._topology.receive_cluster_time(connection._cluster_time)
        return connection


class AsyncDirectMonitor:
    """Tells the topology that its only server is there, once, from a task: its caller holds the topology's lock."""

    def __init__(self, door: Door, executor: Executor, *, server_description: Any, topology: Any, **_: Any) -> None:
        self._door = door
        self._executor = executor
        self._address = server_description.address
        self._topology = weakref.ref(topology)
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to describe the server, if it is not known."""
        topology = self._topology()
        if topology is None or topology.description.server_descriptions()[self._address].is_server_type_known:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._describe())

    async def _describe(self) -> None:
        try:
            description = await asyncio.get_running_loop().run_in_executor(
                self._executor, describe_server, self._door, self._address
            )
        except Exception as error:
            description = ServerDescription(self._address, error=error)
        topology = self._topology()
        if topology is not None:
            await topology.on_change(description)

    def gc_safe_close(self) -> None:
        """Stop describing."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Stop describing."""
        self.gc_safe_close()

    async def join(self) -> None:
        """Wait until the task has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def request_check(self) -> None:
        """Nothing to check; `open` is called before a server is waited for."""

    def cancel_check(self) -> None:
        """Nothing to cancel."""
