"""Transactions written on an edge, and how a reader of the hub sees them arrive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from quiet_pair import Document, Edge, Node, pair

from skerry.config.sync_config import Atomicity

Both = tuple[Node, Edge]


@contextmanager
def whole(rules: str = "shop.*=both", **settings: Any) -> Iterator[Both]:
    with pair(rules, atomicity=Atomicity.PER_TRANSACTION, **settings) as made:
        yield made


def together(edge: Edge, *writes: Callable[[Any], object]) -> None:
    """Do some writes in one local transaction; each gets the session."""
    with edge.client.start_session() as session, session.start_transaction():
        for write in writes:
            write(session)


def put(edge: Edge, id_value: Any, v: int, **more: Any) -> Callable[[Any], object]:
    """A write that gives a document the value `v`, whether it was there or not."""
    changed = {"$set": {"v": v, **more}}
    return lambda session: edge.shop.orders.update_one({"_id": id_value}, changed, upsert=True, session=session)


class HubReader:
    """Follows the hub's change stream from its making on, transaction by transaction."""

    def __init__(self, hub: Node) -> None:
        self._stream = hub.shop.orders.watch(max_await_time_ms=1)

    def groups(self) -> list[set[Any]]:
        """Return the `_id`s of the documents that each transaction, or single write, has changed."""
        return [{event["documentKey"]["_id"] for event in events} for events in self._transactions()]

    def states(self, state: dict[Any, Document]) -> Iterator[dict[Any, Document]]:
        """Iterate over what a reader of the collection could see, from `state` on."""
        for events in self._transactions():
            for event in events:
                key = event["documentKey"]["_id"]
                if event["operationType"] == "delete":
                    del state[key]
                elif event["operationType"] == "update":
                    assert not event["updateDescription"]["removedFields"]
                    state[key] = {**state[key], **event["updateDescription"]["updatedFields"]}
                else:
                    state[key] = event["fullDocument"]
            yield dict(state)

    def _transactions(self) -> list[list[Document]]:
        found: list[list[Document]] = []
        last: object = None
        while (event := self._stream.try_next()) is not None:
            number = (event["lsid"]["id"], event["txnNumber"]) if "txnNumber" in event else object()
            if number != last:
                found.append([])
            found[-1].append(dict(event))
            last = number
        return found


def rows(edge: Edge) -> int:
    """Return how many documents the store knows to be in groups."""
    return int(edge.link.read(lambda view: view.row("SELECT count(*) FROM sync_group"))[0])


def transfer(edge: Edge, one: Any, other: Any, amount: int) -> None:
    accounts = edge.shop.orders
    together(
        edge,
        lambda session: accounts.update_one({"_id": one}, {"$inc": {"v": -amount}}, upsert=True, session=session),
        lambda session: accounts.update_one({"_id": other}, {"$inc": {"v": amount}}, upsert=True, session=session),
    )
