"""`skerry.connect_async` gives an asynchronous pymongo client that never blocks its event loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.errors import DuplicateKeyError, InvalidOperation, NetworkTimeout

import skerry
from skerry.commands import entry_point

pytestmark = pytest.mark.usefixtures("_transport")


@pytest.fixture
def slow_ping(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let every `ping` wait in the engine until the event is set."""
    let_go = threading.Event()
    handle = entry_point.handle

    def slow(message: Any, client: Any, engine: Any) -> Any:
        if message.command_name == "ping":
            let_go.wait(5)
        return handle(message, client, engine)

    monkeypatch.setattr(entry_point, "handle", slow)
    yield let_go
    let_go.set()


def test_what_is_written_is_there_for_the_synchronous_client(tmp_path: Path, is_open: Callable[[Path], bool]) -> None:
    async def run() -> None:
        async with skerry.connect_async(tmp_path) as client:
            assert isinstance(client, AsyncMongoClient)
            await client.a.b.insert_one({"_id": 1})
            with pytest.raises(DuplicateKeyError):
                await client.a.b.insert_one({"_id": 1})
            await client.a.b.with_options(write_concern=WriteConcern(w=0)).insert_one({"_id": 2})
            await client.a.b.insert_many([{"_id": number} for number in range(3, 300)])
            assert len(await client.a.b.find(batch_size=50).to_list()) == 299

    asyncio.run(run())
    assert not is_open(tmp_path)
    with skerry.connect(tmp_path) as client:
        assert client.a.b.count_documents({}) == 299


def test_a_closed_client_says_so(tmp_path: Path, is_open: Callable[[Path], bool]) -> None:
    async def run() -> None:
        client = skerry.connect_async(tmp_path)
        await client.a.b.insert_one({})
        await client.aclose()
        assert not is_open(tmp_path)
        with pytest.raises(InvalidOperation):
            await client.a.b.find_one()

    asyncio.run(run())


def test_transactions_and_change_streams_work(tmp_path: Path) -> None:
    async def run() -> None:
        async with skerry.connect_async(tmp_path) as client, await client.a.b.watch(max_await_time_ms=2000) as stream:
            async with client.start_session() as session, await session.start_transaction():
                await client.a.b.insert_one({"_id": 1}, session=session)
            assert (await stream.next())["documentKey"] == {"_id": 1}

    asyncio.run(run())


def test_a_change_stream_that_waits_holds_up_nobody(tmp_path: Path) -> None:
    async def run() -> list[Any]:
        async with skerry.connect_async(tmp_path) as client:
            await client.a.b.insert_one({"_id": 0})
            streams = [await client.a.b.watch(max_await_time_ms=5000) for _ in range(8)]
            waiting = [asyncio.create_task(stream.next()) for stream in streams]
            await asyncio.sleep(0.05)
            async with asyncio.timeout(3):
                assert await client.a.b.find_one() == {"_id": 0}
                await client.a.b.insert_one({"_id": 1})
                changes = await asyncio.gather(*waiting)
            for stream in streams:
                await stream.close()
            return [change["documentKey"]["_id"] for change in changes]

    assert asyncio.run(run()) == [1] * 8


def test_the_event_loop_goes_on_while_the_engine_works(tmp_path: Path, slow_ping: threading.Event) -> None:
    async def run() -> None:
        async with skerry.connect_async(tmp_path) as client:
            pinging = asyncio.create_task(client.admin.command("ping"))
            await asyncio.sleep(0.05)
            assert await client.a.b.find_one() is None
            assert not pinging.done()
            slow_ping.set()
            assert (await pinging)["ok"] == 1.0

    asyncio.run(run())


def test_operations_run_side_by_side(tmp_path: Path) -> None:
    async def run() -> int:
        async with skerry.connect_async(tmp_path, maxPoolSize=5) as client:
            await asyncio.gather(*(client.a.b.insert_one({"_id": number}) for number in range(50)))
            found = await asyncio.gather(*(client.a.b.find_one({"_id": number}) for number in range(50)))
            return sum(document is not None for document in found)

    assert asyncio.run(run()) == 50


def test_a_socket_timeout_ends_the_waiting(tmp_path: Path, slow_ping: threading.Event) -> None:
    async def run() -> None:
        async with skerry.connect_async(tmp_path, socketTimeoutMS=100) as client:
            await client.a.b.find_one()
            with pytest.raises(NetworkTimeout):
                await client.admin.command("ping")
            slow_ping.set()
            await client.a.b.find_one()

    asyncio.run(run())


def test_a_cancelled_task_stops_waiting_and_the_client_goes_on(tmp_path: Path, slow_ping: threading.Event) -> None:
    async def run() -> None:
        async with skerry.connect_async(tmp_path) as client:
            await client.a.b.insert_one({"_id": 1})
            pinging = asyncio.create_task(client.admin.command("ping"))
            await asyncio.sleep(0.05)
            pinging.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pinging
            assert await client.a.b.find_one() == {"_id": 1}
            slow_ping.set()

    asyncio.run(run())
