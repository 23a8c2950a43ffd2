"""What one batch costs does not grow with what else waits for the hub, or for its echo."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skerry.engine.engine import Engine
from skerry.storage import WriteView
from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import Position, State
from skerry.sync.shadow import Shadows
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

UP = Namespace("shop", "up")
BATCH = 50
SHADOWS = Shadows("hub")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "data")
    yield engine
    engine.close()


def write(engine: Engine, job: Callable[[WriteView], object]) -> int:
    """Run `job` in a transaction and return how many tens of SQLite's instructions it took."""
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    def counted(view: WriteView) -> None:
        view.connection.set_progress_handler(count, 10)
        try:
            job(view)
        finally:
            view.connection.set_progress_handler(None)

    engine.storage.store.write(counted, durable=False)
    return steps


def create(engine: Engine, numbers: range) -> None:
    rows = [(key_string.encode(n), documents.encode({"_id": n}), n + 1) for n in numbers]
    write(engine, lambda view: SHADOWS.add_created(view, UP, rows, stamp=1))


def send(engine: Engine, batch: int) -> int:
    def job(view: WriteView) -> None:
        found = SHADOWS.dirty(view, excluded=(), now_ms=0, limit=BATCH)
        assert len(found) == BATCH
        SHADOWS.send(view, [each._replace(shadow=states.sent(each.shadow, batch, b"version")) for each in found])

    return write(engine, job)


def acknowledge(engine: Engine, batch: int) -> int:
    return write(engine, lambda view: SHADOWS.acknowledge(view, batch))


def settle(engine: Engine, batch: int) -> int:
    def job(view: WriteView) -> None:
        SHADOWS.settle_unchanged(view, batch, Position(batch, 0))
        assert SHADOWS.of_batch(view, batch, State.AWAIT) == []

    return write(engine, job)


def costs_of_a_batch(engine: Engine, batch: int) -> list[int]:
    return [send(engine, batch), acknowledge(engine, batch), settle(engine, batch)]


def test_a_batch_costs_the_same_however_much_else_waits(engine: Engine) -> None:
    create(engine, range(2 * BATCH))
    alone = costs_of_a_batch(engine, 1)
    create(engine, range(1000, 1000 + 200 * BATCH))
    for number in range(2, 101):
        send(engine, number)
        if number % 2:
            acknowledge(engine, number)
    beside_many = costs_of_a_batch(engine, 101)
    assert all(many < 2 * few for few, many in zip(alone, beside_many, strict=True)), (alone, beside_many)
    counts = {state: count for state, (count, _) in engine.storage.store.write(SHADOWS.counts, durable=False).items()}
    assert counts == {State.DIRTY: 101 * BATCH, State.INFLIGHT: 50 * BATCH, State.AWAIT: 49 * BATCH}
