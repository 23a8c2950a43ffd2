"""One client that takes all it can get does not keep another one out."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson.int64 import Int64
from pymongo import MongoClient

from skerry.config import EngineConfig

Failure = Callable[[Callable[[], Any]], int | None]
SMALL = EngineConfig(cursors_max=10, transactions_max=10)


@pytest.fixture
def small(open_node: Callable[..., Any]) -> Any:
    """A node with few places, users ann and bob, and something to read."""
    node = open_node(config=SMALL)
    root = node.add_root()
    root.shop.items.insert_many([{"_id": number} for number in range(10)])
    node.ann, node.bob = node.client_of("ann", ["readWrite"]), node.client_of("bob", ["readWrite"])
    return node


def open_cursor(client: MongoClient[Any], session: Any) -> Int64:
    return Int64(client.shop.command("find", "items", batchSize=1, session=session)["cursor"]["id"])


def more(client: MongoClient[Any], cursor: Int64, session: Any) -> Any:
    return client.shop.command("getMore", cursor, collection="items", batchSize=1, session=session)


def test_who_has_all_cursors_loses_his_oldest_to_who_has_none(small: Any, failure: Failure) -> None:
    with small.ann.start_session() as anns, small.bob.start_session() as bobs:
        hoard = [open_cursor(small.ann, anns) for _ in range(10)]
        assert failure(lambda: open_cursor(small.ann, anns)) == 365
        bob = open_cursor(small.bob, bobs)
        assert more(small.bob, bob, bobs)["ok"]
        assert failure(lambda: more(small.ann, hoard[0], anns)) == 43
        assert more(small.ann, hoard[9], anns)["ok"]
        assert small.engine.cursors.count() == 10


def test_cursors_of_ended_connections_count_on(small: Any, failure: Failure) -> None:
    with small.ann.start_session() as anns:
        for _ in range(10):
            open_cursor(small.ann, anns)
        again = small.client(username="ann", password="ann", authSource="shop")
        with again.start_session() as session:
            assert failure(lambda: open_cursor(again, session)) == 365


def test_the_places_of_read_and_killed_cursors_are_free_again(small: Any) -> None:
    with small.ann.start_session() as session:
        for _ in range(3):
            cursors = [open_cursor(small.ann, session) for _ in range(10)]
            small.ann.shop.command("killCursors", "items", cursors=cursors[:5])
            for cursor in cursors[5:]:
                small.ann.shop.command("getMore", cursor, collection="items", session=session)
        assert small.engine.cursors.count() == 0


def begin(client: MongoClient[Any], number: int) -> Any:
    session = client.start_session()
    session.start_transaction()
    client.shop.items.insert_one({"of": number}, session=session)
    return session


def test_who_has_all_transactions_loses_his_oldest_to_who_has_none(small: Any, failure: Failure) -> None:
    hoard = [begin(small.ann, number) for number in range(10)]
    assert failure(lambda: begin(small.ann, 10)) == 365
    bob = begin(small.bob, 11)
    bob.commit_transaction()
    assert small.ann.shop.items.count_documents({"of": 11}) == 1
    assert failure(lambda: small.ann.shop.items.find_one({}, session=hoard[0])) == 251
    hoard[1].commit_transaction()
    for session in hoard:
        session.end_session()


def test_without_users_a_client_is_a_connection(open_node: Callable[..., Any], failure: Failure) -> None:
    node = open_node(config=SMALL)
    greedy, modest = node.client(maxPoolSize=1), node.client(maxPoolSize=1)
    greedy.shop.items.insert_many([{} for _ in range(10)])
    with greedy.start_session() as first, modest.start_session() as second:
        for _ in range(10):
            open_cursor(greedy, first)
        assert failure(lambda: open_cursor(greedy, first)) == 365
        assert more(modest, open_cursor(modest, second), second)["ok"]


@pytest.fixture
def silent_sockets() -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    yield sockets
    for each in sockets:
        each.close()


def test_strangers_who_hold_all_connections_give_way(
    open_node: Callable[..., Any], silent_sockets: list[socket.socket]
) -> None:
    node = open_node(connections_max=12)
    root = node.add_root()
    root.admin.command("ping")
    for _ in range(30):
        silent_sockets.append(socket.create_connection(node.listener.address, timeout=5))
    # Those who are logged in keep their connections, and a new client gets one.
    assert root.shop.items.find_one() is None
    assert node.client(username="root", password="root's secret").shop.items.find_one() is None
