"""The conflict log at its limit: which conflicts make room, and that nobody counts it anew."""

from collections.abc import Iterator
from typing import Any

import pytest

from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.storage import WriteView
from skerry.sync.conflict_log import ConflictLog
from skerry.sync.protocol.conflict_resolution import Resolution, Winner
from skerry.values import documents
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")
FOUND = Resolution({"_id": 1}, Winner.REMOTE, ("a",))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("skerry.sync.conflict_log.CONFLICTS_MAX", 1_000)
    engine = Engine(":memory:")
    yield engine
    engine.close()


def in_one_write(engine: Engine, job: Any) -> None:
    engine.storage.write(lambda view: job(view), OperationContext())


def add(log: ConflictLog, view: WriteView, count: int) -> None:
    versions = {"base": None, "local": documents.encode({"_id": 1}), "remote": None, "result": None}
    for _ in range(count):
        log.add(view, ORDERS, b"k", versions, FOUND, {})


def ids(engine: Engine, log: ConflictLog) -> list[int]:
    with engine.storage.read() as view:
        found = [each.id for each in log.entries(view, limit=5_000)]
        assert log.count(view) == len(found)
    return found


def test_the_oldest_resolved_make_room_first_then_the_oldest_of_all(engine: Engine) -> None:
    log, other = ConflictLog("hub"), ConflictLog("other")
    in_one_write(engine, lambda view: (add(other, view, 5), add(log, view, 1_000)))
    first = ids(engine, log)
    assert len(first) == 1_000
    in_one_write(engine, lambda view: [log.mark_resolved(view, id) for id in (first[500], first[700])])
    in_one_write(engine, lambda view: add(log, view, 1))
    assert set(first) - set(ids(engine, log)) == {first[500]}
    in_one_write(engine, lambda view: add(log, view, 2))
    assert set(first) - set(ids(engine, log)) == {first[500], first[700], first[0]}
    assert len(ids(engine, log)) == 1_000
    assert len(ids(engine, other)) == 5


def test_a_full_log_is_not_counted_at_each_conflict(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ConflictLog("hub")
    in_one_write(engine, lambda view: add(log, view, 1_000))

    def counted(_self: ConflictLog, _view: Any) -> int:
        raise AssertionError("the log was counted")

    monkeypatch.setattr(ConflictLog, "_counted", counted)
    in_one_write(engine, lambda view: add(log, view, 3_000))
    newest = ids(engine, log)
    assert (len(newest), newest[-1] - newest[0]) == (1_000, 999)


def test_a_log_of_an_earlier_version_whose_number_is_not_known_is_counted_once(engine: Engine) -> None:
    log = ConflictLog("hub")
    in_one_write(engine, lambda view: add(log, view, 1_000))
    in_one_write(engine, lambda view: view.run("DELETE FROM sync_link"))
    assert len(ids(engine, log)) == 1_000
    in_one_write(engine, lambda view: add(log, view, 1))
    assert len(ids(engine, log)) == 1_000


def test_a_conflict_that_does_not_stay_is_not_counted(engine: Engine) -> None:
    log = ConflictLog("hub")

    def fails(view: WriteView) -> None:
        add(log, view, 3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_one_write(engine, fails)
    in_one_write(engine, lambda view: add(log, view, 2))
    assert len(ids(engine, log)) == 2
