"""A resume token that the hub does not know any more, or refuses for good."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.errors import OperationFailure
from quiet_pair import Edge, Node, documents_of, pair

from skerry.sync.change_stream_listener import ChangeStreamListener

Both = tuple[Node, Edge]


@pytest.fixture
def both() -> Iterator[Both]:
    with pair() as made:
        yield made


def test_a_link_waits_longer_and_longer_while_the_hub_discards_every_token(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, edge = both
    edge.sync()
    edge.disconnect()
    attempts: list[dict[str, Any]] = []
    pauses: list[float] = []

    def refuse(_self: ChangeStreamListener, **where: Any) -> Any:
        attempts.append(where)
        raise OperationFailure("history lost", 286)

    class Stopping:
        def is_set(self) -> bool:
            return len(pauses) == 8

        def wait(self, seconds: float) -> None:
            pauses.append(seconds)

    monkeypatch.setattr(ChangeStreamListener, "open", refuse)
    monkeypatch.setattr("skerry.sync.replicator.random.random", lambda: 0.5)
    monkeypatch.setattr(edge.replicator, "_stopping", Stopping())
    edge.replicator._running.set()
    edge.replicator._pull_loop()
    assert len(attempts) <= 3 * len(pauses)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 10 * pauses[0]


def test_a_token_that_is_not_found_is_made_up_for_by_its_time(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, edge = both
    hub.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(4)])
    edge.sync()
    edge.disconnect()
    hub.shop.orders.replace_one({"_id": 1}, {"v": 1})
    hub.shop.orders.delete_one({"_id": 2})
    hub.shop.orders.insert_one({"_id": "new"})
    opened = ChangeStreamListener.open

    def forgetful(self: ChangeStreamListener, **where: Any) -> Any:
        if where.get("after") is not None:
            raise OperationFailure("the resume token was not found", 280)
        return opened(self, **where)

    monkeypatch.setattr(ChangeStreamListener, "open", forgetful)
    local = edge.now()
    edge.connect()
    edge.sync()
    assert documents_of(edge) == documents_of(hub)
    assert len(edge.oplog(local)) == 3  # what had been applied before comes again, and is known
    assert edge.counters().get("history_lost", 0) == 0
