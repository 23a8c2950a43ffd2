"""Whatever goes wrong becomes a reply; what nobody waits for has none."""

from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Timestamp

from skerry.commands.client_context import ClientContext
from skerry.commands.entry_point import handle
from skerry.config import EngineConfig
from skerry.engine.cursor import ActiveOperation, Cursor
from skerry.engine.cursor_registry import CursorRegistry
from skerry.engine.logical_sessions import StatementAlreadyExecuted
from skerry.engine.operation_context import OperationContext
from skerry.engine.operation_metrics import OperationMetrics
from skerry.engine.requests import FindQuery, InsertResult
from skerry.errors import CorruptDatabaseError, NoSuchTransactionError, ShutdownError, WriteConflictError
from skerry.values.namespace import Namespace
from skerry.wire.op_msg import Flag, OpMsg

CLIENT = ClientContext(connection_id=7, address="127.0.0.1:50000", is_local=False, host="edge:27017")


class FakeEngine:
    """An engine whose `insert` does what the test says and whose `find` gives what it was given."""

    def __init__(self, insert: Callable[[Any], InsertResult] | None = None, raws: tuple[bytes, ...] = ()) -> None:
        self.cursors = CursorRegistry(idle_ms_max=1000)
        self.config = EngineConfig()
        self.operations = OperationMetrics()
        self.inserted: list[Any] = []
        self.queries: list[FindQuery] = []
        self._insert = insert or (lambda ctx: InsertResult(1))
        self._raws = raws

    def cluster_time(self) -> Timestamp:
        return Timestamp(1_700_000_000, 1)

    def insert(self, namespace: Namespace, raws: Any, *, ordered: bool, ctx: OperationContext) -> InsertResult:
        self.inserted.append((namespace, list(raws), ordered))
        return self._insert(ctx)

    def find(self, namespace: Namespace, query: FindQuery, ctx: OperationContext) -> Cursor:
        self.queries.append(query)
        return Cursor(namespace, iter(self._raws), ActiveOperation(ctx))


def call(engine: Any, command: dict[str, Any], *, flags: int = 0, **sequences: list[bytes]) -> Any:
    body = bson.encode({"$db": "d", **command} if next(iter(command), "$db") == "$db" else {**command, "$db": "d"})
    reply = handle(OpMsg(1, 0, flags, body, sequences), CLIENT, engine)
    return None if reply is None else bson.decode(reply)


def raising(error: BaseException) -> Callable[[Any], InsertResult]:
    def insert(_ctx: Any) -> InsertResult:
        raise error

    return insert


def test_documents_go_to_the_engine_as_the_bytes_that_came() -> None:
    raws = [bson.encode({"_id": number}) for number in range(3)]
    engine = FakeEngine()
    assert call(engine, {"insert": "c", "ordered": False}, documents=raws)["n"] == 1
    assert engine.inserted == [(Namespace("d", "c"), raws, False)]


def test_documents_inside_the_body_are_sliced_out_of_it() -> None:
    engine = FakeEngine()
    call(engine, {"insert": "c", "documents": [{"b": 1, "a": 2}]})
    assert engine.inserted == [(Namespace("d", "c"), [bson.encode({"b": 1, "a": 2})], True)]


def test_found_bytes_come_back_as_they_are() -> None:
    raws = (bson.encode({"_id": 1, "x": 1.5}), bson.encode({"_id": 2}))
    engine = FakeEngine(raws=raws)
    reply = call(engine, {"find": "c", "filter": {"a": 1}, "limit": 2, "sort": {"a": -1}})
    assert reply["cursor"]["firstBatch"] == [{"_id": 1, "x": 1.5}, {"_id": 2}]
    assert engine.queries == [FindQuery({"a": 1}, sort=[("a", -1)], limit=2)]


def test_a_message_that_wants_no_reply_gets_none() -> None:
    engine = FakeEngine()
    assert call(engine, {"insert": "c"}, flags=Flag.MORE_TO_COME, documents=[bson.encode({})]) is None
    assert len(engine.inserted) == 1
    assert call(engine, {"nonsense": 1}, flags=Flag.MORE_TO_COME) is None


def test_an_unexpected_exception_is_an_internal_error_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    reply = call(FakeEngine(raising(KeyError("boom"))), {"insert": "c", "documents": [{}]})
    assert (reply["ok"], reply["code"], reply["codeName"]) == (0.0, 1, "InternalError")
    (record,) = caplog.records
    assert "command insert failed" in record.getMessage()
    assert "boom" in record.getMessage()


def test_a_failure_of_the_storage_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    reply = call(FakeEngine(raising(CorruptDatabaseError("damaged", "f"))), {"insert": "c", "documents": [{}]})
    assert (reply["code"], reply["errmsg"]) == (96, "damaged")
    assert caplog.records[0].levelname == "ERROR"


def test_an_error_whose_details_have_no_bson_form_is_told_without_them() -> None:
    error = WriteConflictError("conflict", details={"odd": object()})
    reply = call(FakeEngine(raising(error)), {"insert": "c", "documents": [{}]})
    assert (reply["code"], "odd" in reply) == (112, False)


def test_a_retry_is_answered_with_the_stored_reply() -> None:
    stored = bson.encode({"n": 41})
    reply = call(FakeEngine(raising(StatementAlreadyExecuted(stored))), {"insert": "c", "documents": [{}]})
    assert (reply["n"], reply["ok"]) == (41, 1.0)


def session(**more: Any) -> dict[str, Any]:
    return {"lsid": {"id": bson.Binary(bytes(16), 4)}, "txnNumber": bson.Int64(1), **more}


def test_a_shutdown_is_worth_a_retry_of_a_retryable_write() -> None:
    engine = FakeEngine(raising(ShutdownError("going down")))
    assert call(engine, {"insert": "c", "documents": [{}], **session()})["errorLabels"] == ["RetryableWriteError"]
    assert "errorLabels" not in call(engine, {"insert": "c", "documents": [{}]})


def test_a_write_conflict_is_transient_only_in_a_transaction() -> None:
    assert "errorLabels" not in call(
        FakeEngine(raising(WriteConflictError("conflict"))), {"insert": "c", "documents": [{}]}
    )


def test_a_transaction_that_is_not_there_is_transient() -> None:
    engine = FakeEngine()

    def transaction(_lsid: bytes, _number: int) -> Any:
        raise NoSuchTransactionError("none")

    engine.transaction = transaction  # type: ignore[attr-defined]
    reply = call(engine, {"insert": "c", "documents": [{}], **session(autocommit=False)})
    assert reply["code"] == 251
    assert reply["errorLabels"] == ["TransientTransactionError"]


def test_bytes_that_are_no_bson_are_refused_before_they_are_stored() -> None:
    engine = FakeEngine()
    reply = call(engine, {"insert": "c"}, documents=[b"\x0c\x00\x00\x00\x55a\x00\x01\x00\x00\x00\x00"])
    assert reply["code"] == 22
    assert engine.inserted == []


def test_a_body_that_is_no_bson_is_refused() -> None:
    reply = handle(OpMsg(1, 0, 0, b"\x0c\x00\x00\x00\x55a\x00\x01\x00\x00\x00\x00", {}), CLIENT, FakeEngine())  # type: ignore[arg-type]
    assert reply is not None
    assert bson.decode(reply)["code"] == 22


def test_a_sequence_that_repeats_a_field_is_refused() -> None:
    reply = call(FakeEngine(), {"insert": "c", "documents": [{}]}, documents=[bson.encode({})])
    assert reply["code"] == 40413


def test_an_unknown_sequence_is_refused() -> None:
    assert call(FakeEngine(), {"find": "c"}, extras=[bson.encode({})])["code"] == 40415


def test_the_legacy_handshake_names_the_host_by_which_the_client_came() -> None:
    reply = call(FakeEngine(), {"isMaster": 1, "helloOk": True})
    assert reply["helloOk"] is True
    assert reply["ismaster"] is True
    assert reply["hosts"] == ["edge:27017"]
    assert reply["connectionId"] == 7
