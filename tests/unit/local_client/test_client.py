"""`skerry.connect` gives a pymongo client, on both transports, with everything that pymongo offers."""

import datetime
import gc
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.son import SON
from pymongo import InsertOne, MongoClient, ReadPreference, UpdateOne, WriteConcern, monitoring, timeout
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    CursorNotFound,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
)

import skerry
from skerry.engine.engine import Engine
from skerry.local_client import direct_connection
from skerry.local_client.open_engines import _OPEN_ENGINES
from skerry.local_client.self_test import direct_connections_fit

direct_only = pytest.mark.skipif(not direct_connections_fit(), reason="the adapter does not fit this pymongo")
both_transports = pytest.mark.usefixtures("_transport")


def threads_of_pymongo() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if "monitor" in each.name or "rtt" in each.name}


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@both_transports
def test_what_is_written_is_there_after_reopening(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        assert isinstance(client, MongoClient)
        client.shop.orders.insert_one({"_id": 1, "item": "oars"})
    with skerry.connect(str(tmp_path)) as client:
        assert client.shop.orders.find_one({"item": "oars"}) == {"_id": 1, "item": "oars"}


@both_transports
def test_memory_is_private_and_kept_nowhere() -> None:
    with skerry.connect(":memory:") as first, skerry.connect(":memory:") as second:
        first.a.b.insert_one({"_id": 1})
        assert first.a.b.count_documents({}) == 1
        assert second.a.b.count_documents({}) == 0


@both_transports
def test_two_clients_of_a_directory_see_the_same_and_live_apart(
    tmp_path: Path, is_open: Callable[[Path], bool]
) -> None:
    first, second = skerry.connect(tmp_path), skerry.connect(tmp_path)
    first.a.b.insert_one({"_id": 1})
    first.close()
    assert second.a.b.find_one() == {"_id": 1}
    second.close()
    assert not is_open(tmp_path)


@both_transports
def test_a_closed_client_says_so(tmp_path: Path) -> None:
    client = skerry.connect(tmp_path)
    client.a.b.insert_one({})
    client.close()
    client.close()
    with pytest.raises(InvalidOperation):
        client.a.b.find_one()


@pytest.mark.filterwarnings("ignore:Unclosed LocalMongoClient")
def test_a_forgotten_client_gives_its_engine_back(tmp_path: Path, is_open: Callable[[Path], bool]) -> None:
    client = skerry.connect(tmp_path)
    client.a.b.insert_one({})
    client._kill_cursors_executor.close()
    client._kill_cursors_executor.join(5)
    del client
    gc.collect()
    wait_until(lambda: not is_open(tmp_path))


@pytest.mark.filterwarnings("ignore:Unclosed LocalMongoClient")
def test_a_client_that_is_forgotten_in_the_midst_of_opening_another_does_no_harm(
    tmp_path: Path, is_open: Callable[[Path], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def collects(engine: Engine) -> None:
        gc.collect()  # as it may happen wherever objects are made
        opened.append(engine)

    with monkeypatch.context() as patch:
        forgotten = skerry.connect(tmp_path / "forgotten")
        forgotten._kill_cursors_executor.close()
        forgotten._kill_cursors_executor.join(5)
        forgotten.__dict__["itself"] = forgotten  # nothing but the garbage collector finds it
        patch.setattr(_OPEN_ENGINES, "equip", (*_OPEN_ENGINES.equip, collects))
        del forgotten
        skerry.connect(tmp_path / "other").close()
    assert len(opened) == 1
    wait_until(lambda: not is_open(tmp_path / "forgotten"))


def test_a_program_that_ends_without_closing_has_its_clients_closed(tmp_path: Path) -> None:
    program = """if True:
        import skerry, sys
        client = skerry.connect(sys.argv[1])
        client.a.b.insert_one({"_id": 1})
        other = skerry.connect(sys.argv[1] + "/other")
        other.itself = other
        other.a.b.insert_one({"_id": 1})
        del other
    """
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "data")], check=True, timeout=60)
    for directory in (tmp_path / "data", tmp_path / "data" / "other"):
        assert not list(directory.glob("*-wal"))  # SQLite removes it when the last connection is closed


def test_a_client_that_never_connected_gives_its_engine_back(tmp_path: Path, is_open: Callable[[Path], bool]) -> None:
    skerry.connect(tmp_path, connect=False).close()
    assert not is_open(tmp_path)


@direct_only
def test_the_direct_client_has_no_monitor_threads(tmp_path: Path) -> None:
    before = threads_of_pymongo()
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({})
        assert type(next(iter(client._topology._servers.values())).pool) is direct_connection.DirectPool
        assert threads_of_pymongo() <= before


@direct_only
def test_clients_of_different_directories_are_not_equal(tmp_path: Path) -> None:
    with skerry.connect(tmp_path / "a") as a, skerry.connect(tmp_path / "b") as b, skerry.connect(tmp_path / "a") as c:
        assert a == c
        assert a != b
        assert a.x.y != b.x.y


def test_a_missing_database_is_an_error_without_create(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        skerry.connect(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()
    skerry.connect(tmp_path).close()
    skerry.connect(tmp_path, create=False).close()


@pytest.mark.parametrize("option", ["host", "port", "directConnection", "_pool_class"])
def test_options_that_name_a_server_are_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(TypeError, match=option):
        skerry.connect(tmp_path, **{option: "x"})


@both_transports
def test_an_option_that_pymongo_refuses_leaves_nothing_open(tmp_path: Path, is_open: Callable[[Path], bool]) -> None:
    with pytest.raises(ConfigurationError):
        skerry.connect(tmp_path, loadBalanced=True)
    assert not is_open(tmp_path)


@both_transports
def test_client_options_work(tmp_path: Path) -> None:
    number = uuid.uuid4()
    with skerry.connect(
        tmp_path,
        tz_aware=True,
        document_class=SON,
        uuidRepresentation="standard",
        compressors="zlib",
        appname="test",
        maxPoolSize=2,
        retryWrites=False,
        serverSelectionTimeoutMS=2000,
    ) as client:
        moment = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
        client.a.b.insert_one({"_id": number, "at": moment})
        found: Any = client.a.b.find_one()
        assert type(found) is SON
        assert found == {"_id": number, "at": moment}
        plain = client.a.get_collection(
            "b", codec_options=CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
        )
        assert plain.find_one() == {"_id": number, "at": moment.replace(tzinfo=None)}


@both_transports
def test_errors_are_pymongos_own(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": 1})
        with pytest.raises(DuplicateKeyError) as duplicate:
            client.a.b.insert_one({"_id": 1})
        assert duplicate.value.code == 11000
        with pytest.raises(OperationFailure) as unknown:
            client.a.command("noSuchCommand")
        assert unknown.value.code == 59
        with pytest.raises(BulkWriteError):
            client.a.b.bulk_write([InsertOne({"_id": 1})])
        with pytest.raises(DocumentTooLarge):
            client.a.b.insert_one({"_id": 2, "x": b"x" * (17 * 1024 * 1024)})
        assert client.a.b.count_documents({}) == 1


@both_transports
def test_writes_without_reply_arrive(tmp_path: Path) -> None:
    with skerry.connect(tmp_path, maxPoolSize=1) as client:
        silent = client.a.get_collection("b", write_concern=WriteConcern(w=0))
        silent.insert_one({"_id": 1})
        silent.insert_many([{"_id": 2}, {"_id": 3}])
        silent.update_one({"_id": 1}, {"$set": {"x": 1}})
        silent.bulk_write([UpdateOne({"_id": 2}, {"$set": {"x": 1}})], ordered=False)
        silent.delete_one({"_id": 3})
        assert client.a.b.count_documents({"x": 1}) == client.a.b.count_documents({}) == 2


@both_transports
def test_batches_are_fetched_and_forgotten_cursors_killed(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_many([{"_id": number} for number in range(1000)])
        assert [each["_id"] for each in client.a.b.find(batch_size=100)] == list(range(1000))
        cursor = client.a.b.find(batch_size=10)
        next(cursor)
        number = cursor.cursor_id
        assert number
        cursor.close()
        with pytest.raises(CursorNotFound):
            client.a.command("getMore", Int64(number), collection="b")


@both_transports
def test_sessions_transactions_and_causal_reads_work(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": 0})
        with client.start_session(causal_consistency=True) as session:
            with session.start_transaction():
                client.a.b.insert_one({"_id": 1}, session=session)
                assert client.a.b.count_documents({}) == 1
            assert client.a.b.count_documents({}, session=session) == 2
            session.start_transaction()
            client.a.b.insert_one({"_id": 2}, session=session)
            session.abort_transaction()
            session.with_transaction(lambda each: client.a.b.insert_one({"_id": 3}, session=each))
            assert session.operation_time is not None
        assert [each["_id"] for each in client.a.b.find()] == [0, 1, 3]
        with client.start_session() as session, skerry.connect(":memory:") as other, pytest.raises(InvalidOperation):
            other.a.b.find_one({}, session=session)


@both_transports
def test_a_change_stream_tells_of_writes(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client, client.a.b.watch(max_await_time_ms=100) as stream:
        assert stream.try_next() is None
        client.a.b.insert_one({"_id": 1})
        change = stream.next()
        assert (change["operationType"], change["fullDocument"]) == ("insert", {"_id": 1})
        token = stream.resume_token
        client.a.b.delete_one({"_id": 1})
        with client.a.b.watch(resume_after=token) as resumed:
            assert resumed.next()["operationType"] == "delete"


@both_transports
def test_a_change_stream_that_waits_is_woken_by_another_thread(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client, client.a.b.watch(max_await_time_ms=5000) as stream:
        writer = threading.Timer(0.05, client.a.b.insert_one, [{"_id": 1}])
        writer.start()
        assert stream.next()["documentKey"] == {"_id": 1}
        writer.join()


@both_transports
def test_time_limits_are_kept(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_many([{"_id": number, "x": "y" * 100} for number in range(3000)])
        same = [{"$match": {"$expr": {"$eq": ["$x", "$$number"]}}}]
        slow = [{"$lookup": {"from": "b", "let": {"number": "$_id"}, "pipeline": same, "as": "all"}}, {"$count": "n"}]
        with pytest.raises(ExecutionTimeout):
            client.a.b.aggregate(slow, maxTimeMS=30)
        with timeout(0.05), pytest.raises(Exception, match=r"time limit|timed out|timeout") as raised:
            client.a.b.aggregate(slow)
        assert getattr(raised.value, "timeout", False)
        with timeout(5):
            assert client.a.b.find_one({"_id": 7}) is not None


@both_transports
def test_threads_share_a_client(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for each in range(20):
                client.a.b.insert_one({"_id": f"{number}-{each}"})
                assert client.a.b.find_one({"_id": f"{number}-{each}"}) is not None
        except BaseException as error:
            failures.append(error)

    with skerry.connect(tmp_path, maxPoolSize=4) as client:
        threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert client.a.b.count_documents({}) == 160


@both_transports
def test_listeners_hear_of_commands_pools_and_servers(tmp_path: Path) -> None:
    class Commands(monitoring.CommandListener):
        def __init__(self) -> None:
            self.events: list[tuple[str, str]] = []

        def started(self, event: monitoring.CommandStartedEvent) -> None:
            self.events.append(("started", event.command_name))

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
            self.events.append(("succeeded", event.command_name))

        def failed(self, event: monitoring.CommandFailedEvent) -> None:
            self.events.append(("failed", event.command_name))

    commands = Commands()
    with skerry.connect(tmp_path, event_listeners=[commands]) as client:
        client.a.b.insert_one({})
        with pytest.raises(OperationFailure):
            client.a.command("noSuchCommand")
    assert commands.events[:4] == [
        ("started", "insert"),
        ("succeeded", "insert"),
        ("started", "noSuchCommand"),
        ("failed", "noSuchCommand"),
    ]


@both_transports
def test_read_preferences_and_topology_queries_do_not_get_in_the_way(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": 1})
        for preference in (ReadPreference.SECONDARY, ReadPreference.NEAREST, ReadPreference.PRIMARY_PREFERRED):
            assert client.a.b.with_options(read_preference=preference).find_one() == {"_id": 1}
        assert client.is_primary
        assert client.server_info()["ok"] == 1.0
        assert client.address is not None


@direct_only
def test_an_interrupt_ends_the_operation_and_the_client_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": 1})
        pool = next(iter(client._topology._servers.values())).pool
        connection: Any = pool.conns[0]

        def interrupted(_: bytes) -> bytes:
            raise KeyboardInterrupt

        monkeypatch.setattr(connection, "_answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.a.b.find_one()
        assert connection.closed
        assert client.a.b.find_one() == {"_id": 1}
