"""The oplog: one entry a change, in the order of commit, trimmed from its old end, and honest about what it has forgotten."""

from collections.abc import Callable

import bson
import pytest

from skerry.config import EngineConfig
from skerry.engine import oplog
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import AggregateRequest, DeleteStatement, UpdateStatement
from skerry.errors import ChangeStreamHistoryLostError
from skerry.values import documents
from skerry.values.namespace import Namespace

NAMESPACE = Namespace("shop", "orders")
SMALL = EngineConfig(oplog_bytes_max=1024 * 1024)


def entries(engine: Engine) -> list[oplog.OplogEntry]:
    with engine.storage.read() as view:
        return oplog.entries_after(view, 0, 10_000)


def watch(engine: Engine, ctx: OperationContext, **options: object) -> list[dict[str, object]]:
    stream = engine.aggregate(NAMESPACE, AggregateRequest([{"$changeStream": options}]), ctx)
    return [documents.decode(raw) for raw in stream.next_batch(None, 1 << 24, ctx)]


def fill(engine: Engine, ctx: OperationContext, count: int) -> None:
    batch = [bson.encode({"_id": number, "pad": "x" * 10_000}) for number in range(count)]
    engine.insert(NAMESPACE, batch, ordered=True, ctx=ctx)


def test_each_change_is_one_entry_in_the_order_of_commit(engine: Engine, ctx: OperationContext) -> None:
    engine.insert(NAMESPACE, [bson.encode({"_id": 1, "n": 1})], ordered=True, ctx=ctx)
    engine.update(NAMESPACE, [UpdateStatement({"_id": 1}, {"$inc": {"n": 1}})], ordered=True, ctx=ctx)
    engine.update(NAMESPACE, [UpdateStatement({"_id": 1}, {"n": 9})], ordered=True, ctx=ctx)
    engine.delete(NAMESPACE, [DeleteStatement({"_id": 1}, multi=False)], ordered=True, ctx=ctx)
    found = entries(engine)
    assert [entry.op for entry in found] == [
        oplog.NOOP, oplog.CREATE, oplog.INSERT, oplog.UPDATE, oplog.REPLACE, oplog.DELETE
    ]  # fmt: skip
    stamps = [entry.timestamp for entry in found]
    assert stamps == sorted(set(stamps))


def test_an_update_that_changes_nothing_leaves_no_entry(engine: Engine, ctx: OperationContext) -> None:
    engine.insert(NAMESPACE, [bson.encode({"_id": 1, "n": 1})], ordered=True, ctx=ctx)
    before = len(entries(engine))
    result = engine.update(NAMESPACE, [UpdateStatement({"_id": 1}, {"$set": {"n": 1}})], ordered=True, ctx=ctx)
    assert (result.matched, result.modified) == (1, 0)
    assert len(entries(engine)) == before


def test_a_failed_statement_leaves_no_entry(engine: Engine, ctx: OperationContext) -> None:
    engine.insert(NAMESPACE, [bson.encode({"_id": 1})], ordered=True, ctx=ctx)
    before = len(entries(engine))
    batch = [bson.encode({"_id": number}) for number in (1, 2, 1)]
    result = engine.insert(NAMESPACE, batch, ordered=False, ctx=ctx)
    assert result.inserted == 1
    assert len(entries(engine)) == before + 1


def test_the_oldest_entries_go_and_the_newest_stay(open_engine: Callable[..., Engine], ctx: OperationContext) -> None:
    engine = open_engine(config=SMALL)
    fill(engine, ctx, 300)
    newest = entries(engine)[-1]
    assert engine.trim_oplog() > 100
    kept = entries(engine)
    assert kept[-1] == newest
    assert sum(len(entry.o or b"") for entry in kept) <= SMALL.oplog_bytes_max


def test_a_stream_from_before_the_trimmed_part_has_lost_its_history(
    open_engine: Callable[..., Engine], ctx: OperationContext
) -> None:
    engine = open_engine(config=SMALL)
    start = engine.cluster_time()
    stream = engine.aggregate(NAMESPACE, AggregateRequest([{"$changeStream": {}}]), ctx)
    token = stream.post_batch_resume_token
    fill(engine, ctx, 300)
    engine.trim_oplog()
    with pytest.raises(ChangeStreamHistoryLostError) as lost:
        watch(engine, ctx, resumeAfter=token)
    assert lost.value.code == 286
    with pytest.raises(ChangeStreamHistoryLostError):
        watch(engine, ctx, startAtOperationTime=start)
    with pytest.raises(ChangeStreamHistoryLostError):
        stream.next_batch(None, 1 << 24, ctx)


def test_what_a_link_still_needs_is_not_trimmed(open_engine: Callable[..., Engine], ctx: OperationContext) -> None:
    engine = open_engine(config=SMALL)
    fill(engine, ctx, 300)
    needed = entries(engine)[5].timestamp
    engine.storage.store.write(lambda view: view.set_setting("oplog_pinned_from", needed), durable=False)
    engine.trim_oplog()
    assert entries(engine)[0].timestamp == needed


def test_cluster_time_goes_on_after_reopening(open_engine: Callable[..., Engine], ctx: OperationContext) -> None:
    first = open_engine()
    fill(first, ctx, 3)
    before = first.cluster_time()
    first.close()
    second = open_engine()
    assert second.cluster_time() == before
    second.insert(NAMESPACE, [bson.encode({"_id": "later"})], ordered=True, ctx=ctx)
    assert second.cluster_time() > before
