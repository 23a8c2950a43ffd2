"""What a hub can do is found out by trying it, and a hub that is away is not one that can do less."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import AutoReconnect, OperationFailure
from quiet_pair import Edge, Node, pair

from skerry.sync.hub import Hub
from skerry.sync.hub_probe import probe
from skerry.sync.protocol.capability import Tier

Both = tuple[Node, Edge]


@pytest.fixture
def both() -> Iterator[Both]:
    with pair() as made:
        yield made


@pytest.mark.parametrize(
    ("transactions", "streams", "tier"),
    [(None, None, Tier.A), (20, None, Tier.C), (263, 40573, Tier.D), (None, 40324, Tier.D)],
)
def test_what_a_hub_can_do_is_tried(
    both: Both, monkeypatch: pytest.MonkeyPatch, transactions: int | None, streams: int | None, tier: Tier
) -> None:
    _, edge = both
    command, transaction = Database.command, Hub.transaction

    def refuse_streams(self: Any, what: Any, *args: Any, **kwargs: Any) -> Any:
        if streams is not None and isinstance(what, dict) and "aggregate" in what:
            raise OperationFailure("not supported", streams)
        return command(self, what, *args, **kwargs)

    def refuse_transactions(self: Hub, session: Any) -> Any:
        if transactions is not None:
            raise OperationFailure("not supported", transactions)
        return transaction(self, session)

    monkeypatch.setattr(Database, "command", refuse_streams)
    monkeypatch.setattr(Hub, "transaction", refuse_transactions)
    assert probe(edge.link.hub).tier is tier


def test_a_hub_that_goes_away_while_it_is_asked_is_not_taken_for_a_lesser_one(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise AutoReconnect("the hub is away")

    _, edge = both
    monkeypatch.setattr(Hub, "transaction", away)
    with pytest.raises(AutoReconnect):
        probe(edge.link.hub)
