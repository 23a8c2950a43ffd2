"""What the protocol takes for granted of a hub, asked of each kind of hub by pymongo alone.

Where a hub of yours does not sync as it should, begin here.
"""

import time
from typing import Any

import pytest
from bson.timestamp import Timestamp
from hubs import HubNode, LocalHub
from pymongo.change_stream import DatabaseChangeStream
from pymongo.errors import DuplicateKeyError, OperationFailure

Event = dict[str, Any]


def take(stream: DatabaseChangeStream[Event], count: int, seconds: float = 10) -> list[Event]:
    """Return the next events of a stream."""
    deadline = time.monotonic() + seconds
    found: list[Event] = []
    while len(found) < count:
        assert time.monotonic() < deadline, found
        if (event := stream.try_next()) is not None:
            found.append(event)
    return found


def failure(stream_options: dict[str, Any], hub: HubNode) -> OperationFailure:
    with pytest.raises(OperationFailure) as caught, hub.shop.watch(**stream_options) as stream:
        stream.try_next()
    return caught.value


@pytest.mark.witnessed
def test_the_events_of_a_transaction_come_together_in_its_order_and_name_it(hub: HubNode) -> None:
    hub.shop.orders.insert_one({"_id": 1})
    with hub.shop.watch(max_await_time_ms=50) as stream:
        with hub.client.start_session() as session, session.start_transaction():
            hub.shop.markers.insert_one({"_id": "marker"}, session=session)
            hub.shop.orders.update_one({"_id": 1}, {"$set": {"v": 1}}, session=session)
            hub.shop.orders.insert_one({"_id": 2}, session=session)
            hub.shop.orders.delete_one({"_id": 2}, session=session)
        hub.shop.orders.insert_one({"_id": 3})
        events = take(stream, 5)
    assert [event["operationType"] for event in events] == ["insert", "update", "insert", "delete", "insert"]
    group, alone = events[:4], events[4]
    assert len({(event["lsid"]["id"], event["txnNumber"]) for event in group}) == 1
    assert "txnNumber" not in alone
    times = [event["clusterTime"] for event in events]
    assert times == sorted(times)  # those of the group may be one and the same
    assert times[3] < times[4]


@pytest.mark.witnessed
def test_an_aborted_transaction_has_no_events(hub: HubNode) -> None:
    hub.shop.orders.insert_one({"_id": 1})
    with hub.shop.watch(max_await_time_ms=50) as stream:
        with hub.client.start_session() as session:
            session.start_transaction()
            hub.shop.orders.insert_one({"_id": 2}, session=session)
            session.abort_transaction()
        hub.shop.orders.insert_one({"_id": 3})
        assert [event["documentKey"]["_id"] for event in take(stream, 1)] == [3]


@pytest.mark.witnessed
def test_an_update_says_what_it_changed_and_when(hub: HubNode) -> None:
    hub.shop.orders.insert_one({"_id": 1, "a": 1, "b": 1})
    before = time.time()
    with hub.shop.watch(max_await_time_ms=50) as stream:
        hub.shop.orders.update_one({"_id": 1}, {"$set": {"a": 2}, "$unset": {"b": 1}})
        (event,) = take(stream, 1)
    assert "fullDocument" not in event
    assert event["updateDescription"]["updatedFields"] == {"a": 2}
    assert event["updateDescription"]["removedFields"] == ["b"]
    assert abs(event["clusterTime"].time - before) < 60


@pytest.mark.witnessed
def test_a_stream_without_events_still_gives_out_a_token_and_goes_on_behind_it(hub: HubNode) -> None:
    hub.shop.orders.insert_one({"_id": 1})
    with hub.shop.watch(max_await_time_ms=50) as stream:
        assert stream.try_next() is None
        token = stream.resume_token
    assert token is not None
    hub.shop.orders.insert_many([{"_id": 2}, {"_id": 3}])
    with hub.shop.watch(start_after=token, max_await_time_ms=50) as stream:
        second, third = take(stream, 2)
    assert [event["documentKey"]["_id"] for event in (second, third)] == [2, 3]
    with hub.shop.watch(start_after=second["_id"], max_await_time_ms=50) as stream:
        assert take(stream, 1) == [third]
    with hub.shop.watch(start_at_operation_time=second["clusterTime"], max_await_time_ms=50) as stream:
        assert take(stream, 2) == [second, third]


@pytest.mark.witnessed
def test_dropping_and_renaming_are_told_by_name_and_end_no_stream_of_the_database(hub: HubNode) -> None:
    for name in ("old", "gone"):
        hub.shop[name].insert_one({"_id": 1})
    with hub.shop.watch(max_await_time_ms=50) as stream:
        hub.shop.old.rename("new")
        hub.shop.gone.drop()
        hub.shop.new.insert_one({"_id": 2})
        renamed, dropped, inserted = take(stream, 3)
    assert [event["operationType"] for event in (renamed, dropped, inserted)] == ["rename", "drop", "insert"]
    assert (renamed["ns"]["coll"], renamed["to"]["coll"]) == ("old", "new")
    assert dropped["ns"]["coll"] == "gone"


@pytest.mark.witnessed
def test_of_two_transactions_that_write_what_both_have_read_one_has_to_begin_again(hub: HubNode) -> None:
    hub.shop.orders.insert_one({"_id": 1, "v": 0})
    with hub.client.start_session() as first, hub.client.start_session() as second:
        for session in (first, second):
            session.start_transaction()
            assert hub.shop.orders.find_one({"_id": 1}, session=session) == {"_id": 1, "v": 0}
        hub.shop.orders.update_one({"_id": 1}, {"$inc": {"v": 1}}, session=first)
        first.commit_transaction()
        with pytest.raises(OperationFailure) as caught:
            hub.shop.orders.update_one({"_id": 1}, {"$inc": {"v": 1}}, session=second)
        second.abort_transaction()
    assert caught.value.code == 112
    assert caught.value.has_error_label("TransientTransactionError")
    assert hub.shop.orders.find_one() == {"_id": 1, "v": 1}


@pytest.mark.witnessed
def test_a_marker_is_taken_once_and_one_that_may_yet_be_committed_says_so(hub: HubNode) -> None:
    hub.shop.markers.insert_one({"_id": "another"})
    with hub.client.start_session() as first, hub.client.start_session() as second:
        first.start_transaction()
        hub.shop.markers.insert_one({"_id": "marker"}, session=first)
        second.start_transaction()
        with pytest.raises(OperationFailure) as caught:
            hub.shop.markers.insert_one({"_id": "marker"}, session=second)
        second.abort_transaction()
        assert caught.value.code == 112
        first.commit_transaction()
        first.commit_transaction()  # again: the answer may have been lost
        second.start_transaction()
        with pytest.raises(DuplicateKeyError):
            hub.shop.markers.insert_one({"_id": "marker"}, session=second)
        second.abort_transaction()


@pytest.fixture
def lost_token(local_hub: LocalHub) -> Any:
    """A token whose place in the history is gone."""
    with local_hub.shop.watch(max_await_time_ms=50) as stream:
        local_hub.shop.orders.insert_one({"_id": 1})
        token = take(stream, 1)[0]["_id"]
    local_hub.shop.orders.insert_many([{"_id": n} for n in range(2, 5)])
    local_hub.lose_history()
    return token


@pytest.mark.slow
@pytest.mark.witnessed
def test_lost_history_is_an_error_and_no_gap(local_hub: LocalHub, lost_token: Any) -> None:
    assert failure({"start_after": lost_token}, local_hub).code == 286


@pytest.mark.slow
@pytest.mark.witnessed
def test_lost_history_has_the_label_that_drivers_look_for(local_hub: LocalHub, lost_token: Any) -> None:
    assert failure({"start_after": lost_token}, local_hub).has_error_label("NonResumableChangeStreamError")


@pytest.mark.slow
@pytest.mark.witnessed
def test_a_time_before_the_history_is_refused(local_hub: LocalHub, lost_token: Any) -> None:
    long_ago = Timestamp(int(time.time()) - 86_400, 1)
    assert failure({"start_at_operation_time": long_ago}, local_hub).code == 286
