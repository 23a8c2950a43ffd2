"""Cursors, sessions and transactions belong to the user who opened them."""

from collections.abc import Callable
from typing import Any

import pytest
from bson.int64 import Int64
from pymongo import MongoClient

Failure = Callable[[Callable[[], Any]], int | None]


@pytest.fixture
def two(node: Any, root: MongoClient[Any]) -> tuple[MongoClient[Any], MongoClient[Any]]:
    """Two users with the same rights, and something to read."""
    root.shop.items.insert_many([{"_id": number} for number in range(10)])
    return node.client_of("ann", ["readWrite"]), node.client_of("bob", ["readWrite"])


def open_cursor(client: MongoClient[Any], session: Any = None) -> int:
    reply = client.shop.command("find", "items", batchSize=2, session=session)
    return Int64(reply["cursor"]["id"])


def test_a_cursor_of_another_user_is_neither_read_nor_killed(
    two: tuple[MongoClient[Any], MongoClient[Any]], root: MongoClient[Any], failure: Failure
) -> None:
    ann, bob = two
    with ann.start_session() as session:
        cursor = open_cursor(ann, session)
        for thief in (bob, root):
            assert failure(lambda thief=thief: thief.shop.command("getMore", cursor, collection="items")) == 13
        assert failure(lambda: bob.shop.command("killCursors", "items", cursors=[cursor])) == 13
        more = ann.shop.command("getMore", cursor, collection="items", batchSize=2, session=session)
        assert [each["_id"] for each in more["cursor"]["nextBatch"]] == [2, 3]
        assert root.shop.command("killCursors", "items", cursors=[cursor])["cursorsKilled"] == [cursor]


def test_a_session_of_another_user_with_the_same_id_is_another_session(
    two: tuple[MongoClient[Any], MongoClient[Any]], failure: Failure
) -> None:
    ann, bob = two
    with ann.start_session() as session, session.start_transaction():
        ann.shop.items.insert_one({"_id": "ann's"}, session=session)
        lsid = dict(session.session_id)
        for command in ("commitTransaction", "abortTransaction"):
            call = {command: 1, "lsid": lsid, "txnNumber": Int64(1), "autocommit": False}
            assert failure(lambda call=call: bob.admin.command(call)) == 251
        bob.admin.command("killSessions", [lsid])
        bob.admin.command("endSessions", [lsid])
    assert ann.shop.items.find_one({"_id": "ann's"}) is not None


def test_a_change_event_tells_the_session_and_its_user_apart(two: tuple[MongoClient[Any], MongoClient[Any]]) -> None:
    ann, _ = two
    with ann.shop.items.watch() as stream, ann.start_session() as session:
        with session.start_transaction():
            ann.shop.items.insert_one({}, session=session)
        event = next(stream)
        assert event["lsid"]["id"] == session.session_id["id"]
    assert len(event["lsid"]["uid"]) == 32


def test_an_open_cursor_ends_with_the_right_to_open_it(
    two: tuple[MongoClient[Any], MongoClient[Any]], root: MongoClient[Any], failure: Failure
) -> None:
    ann, _ = two
    with ann.start_session() as session:
        cursor = open_cursor(ann, session)
        root.shop.command("grantRolesToUser", "ann", roles=["dbAdmin"])
        assert ann.shop.command("getMore", cursor, collection="items", batchSize=1, session=session)["ok"]
        root.shop.command("revokeRolesFromUser", "ann", roles=["readWrite"])
        call = lambda: ann.shop.command("getMore", cursor, collection="items", session=session)  # noqa: E731
        assert failure(call) == 13


def test_retryable_writes_of_users_do_not_mix(node: Any, two: tuple[MongoClient[Any], MongoClient[Any]]) -> None:
    ann, bob = two
    lsid = {"id": ann.start_session().session_id["id"]}
    call = {"insert": "items", "documents": [{}], "lsid": lsid, "txnNumber": Int64(7)}
    assert ann.shop.command(call)["n"] == 1
    count = ann.shop.items.count_documents({})
    assert ann.shop.command({**call, "documents": [{}]})["n"] == 1
    assert ann.shop.items.count_documents({}) == count
    assert bob.shop.command({**call, "documents": [{}]})["n"] == 1
    assert ann.shop.items.count_documents({}) == count + 1
