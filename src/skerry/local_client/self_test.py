"""Whether the adapters fit the installed pymongo: they are tried, once per process, on an engine made of canned replies."""

import asyncio
import functools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bson import decode, encode
from pymongo import WriteConcern

from skerry.local_client.door import Answer
from skerry.wire.op_msg import parse_op_msg

LOG: Final = logging.getLogger("skerry.local_client")

_CANNED_REPLIES: Final[dict[str, dict[str, Any]]] = {
    "hello": {
        "isWritablePrimary": True,
        "setName": "skerry",
        "hosts": ["self-test.skerry.invalid:27017"],
        "maxBsonObjectSize": 16 * 1024 * 1024,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "minWireVersion": 0,
        "maxWireVersion": 25,
        "logicalSessionTimeoutMinutes": 30,
    },
    "find": {"cursor": {"id": 0, "ns": "test.test", "firstBatch": [{"_id": 1}]}},
    "insert": {"n": 1},
}


class CannedDoor:
    """Answers what the trial asks, always the same."""

    host = "self-test.skerry.invalid"

    def __init__(self) -> None:
        self.commands: list[str] = []

    def connect(self) -> Answer:
        """Begin a conversation."""
        return self._answer

    def _answer(self, message: bytes) -> bytes | None:
        request = parse_op_msg(message)
        name = next(iter(decode(request.body)))
        self.commands.append(name)
        name = "hello" if name in {"ismaster", "isMaster"} else name
        return None if request.more_to_come else encode({**_CANNED_REPLIES.get(name, {}), "ok": 1.0})


def _check(outcome: object, expected: object) -> None:
    if outcome != expected:
        raise RuntimeError(f"the trial gave {outcome!r} instead of {expected!r}")


@functools.cache
def direct_connections_fit() -> bool:
    """Whether a `MongoClient` works through `direct_connection`: handshake, command, cursor, write without reply."""
    try:
        from skerry.local_client.client import direct_client

        door = CannedDoor()
        with direct_client(door, {"serverSelectionTimeoutMS": 500, "maxPoolSize": 1}) as client:
            collection = client.test.test
            client.admin.command("ping")
            _check(collection.insert_one({"_id": 1}).inserted_id, 1)
            _check(list(collection.find()), [{"_id": 1}])
            collection.with_options(write_concern=WriteConcern(w=0)).insert_one({"_id": 2})
        _check([name for name in door.commands if name == "insert"], ["insert", "insert"])
    except Exception:
        LOG.warning("pymongo's internals are not as expected; a private socket is used instead", exc_info=True)
        return False
    return True


@functools.cache
def async_direct_connections_fit() -> bool:
    """Whether an `AsyncMongoClient` works through `async_direct_connection`; tried on a loop of its own."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_try_async())
        except Exception as error:
            failures.append(error)

    trial = threading.Thread(target=run, name="skerry-self-test")
    trial.start()
    trial.join()
    if failures:
        LOG.warning(
            "pymongo's asynchronous internals are not as expected; a private socket is used instead",
            exc_info=failures[0],
        )
    return not failures


async def _try_async() -> None:
    from skerry.local_client.async_client import async_direct_client

    door = CannedDoor()
    with ThreadPoolExecutor(1) as executor:
        client = async_direct_client(door, executor, {"serverSelectionTimeoutMS": 500, "maxPoolSize": 1})
        async with client:
            collection = client.test.test
            await client.admin.command("ping")
            _check((await collection.insert_one({"_id": 1})).inserted_id, 1)
            _check(await collection.find().to_list(), [{"_id": 1}])
            await collection.with_options(write_concern=WriteConcern(w=0)).insert_one({"_id": 2})
        _check([name for name in door.commands if name == "insert"], ["insert", "insert"])
