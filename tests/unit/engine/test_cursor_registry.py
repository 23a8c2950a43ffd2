"""Open cursors are lent to one user at a time, and end when nobody wants them any more."""

from collections.abc import Iterator

import pytest

from skerry.engine import cursor_registry
from skerry.engine.cursor import ActiveOperation, Cursor
from skerry.engine.cursor_registry import CursorRegistry
from skerry.engine.operation_context import OperationContext
from skerry.errors import CursorKilledError, CursorNotFoundError
from skerry.values.namespace import Namespace

LSID = bytes(16)


@pytest.fixture
def registry() -> CursorRegistry:
    return CursorRegistry(idle_ms_max=1000)


def opened(items: Iterator[bytes], lsid: bytes | None = None) -> Cursor:
    return Cursor(Namespace("db", "things"), items, ActiveOperation(OperationContext(lsid=lsid)))


def idle_since(cursor: Cursor, seconds: float) -> None:
    cursor.last_used -= seconds


def test_an_idle_cursor_is_dropped(registry: CursorRegistry) -> None:
    busy, idle = opened(iter([b"1"])), opened(iter([b"1"]))
    registry.keep(busy)
    registry.keep(idle)
    idle_since(idle, 2)
    registry.drop_idle()
    assert (idle.exhausted, busy.exhausted, registry.count()) == (True, False, 1)


def test_a_cursor_without_a_time_out_lives_as_long_as_a_session(registry: CursorRegistry) -> None:
    cursor = opened(iter([b"1"]), LSID)
    cursor.ends_when_idle = False
    registry.keep(cursor)
    idle_since(cursor, cursor_registry.SESSION_SECONDS - 10)
    registry.drop_idle()
    assert registry.sessions() == {LSID}
    registry.refresh_session(LSID)
    idle_since(cursor, 20)
    registry.drop_idle()
    assert registry.count() == 1
    idle_since(cursor, cursor_registry.SESSION_SECONDS)
    registry.drop_idle()
    assert registry.count() == 0


def test_a_cursor_that_is_killed_while_it_is_used_ends_at_its_next_look(registry: CursorRegistry) -> None:
    operation = ActiveOperation(OperationContext())

    def items() -> Iterator[bytes]:
        while True:
            operation.check()
            yield b"1"

    cursor = Cursor(Namespace("db", "things"), items(), operation)
    number = registry.keep(cursor)
    with registry.use(number, None) as lent:
        assert len(lent.next_batch(2, 100, OperationContext())) == 2
        assert registry.kill(number)
        with pytest.raises(CursorKilledError):
            lent.next_batch(2, 100, OperationContext())
    assert cursor.exhausted
    with pytest.raises(CursorNotFoundError), registry.use(number, None):
        pass


def test_a_cursor_that_is_killed_when_its_batch_is_there_is_closed(registry: CursorRegistry) -> None:
    cursor = opened(iter([b"1", b"2", b"3"]))
    number = registry.keep(cursor)
    with registry.use(number, None) as lent:
        lent.next_batch(1, 100, OperationContext())
        registry.kill(number)
    assert cursor.exhausted
