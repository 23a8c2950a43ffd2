"""What other programs that follow change streams have stumbled over, one test for each; most without threads or waiting."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import encode
from bson.int64 import Int64
from bson.timestamp import Timestamp
from fault_proxy import FaultProxy
from hubs import OwnHub
from nodes import EdgeNode, wait_for
from pymongo.errors import OperationFailure
from quiet_pair import Edge, Node, configuration, documents_of, pair

from skerry.engine import oplog
from skerry.sync.change_events import parse_event
from skerry.sync.change_stream_listener import ChangeStreamListener, StreamBatch
from skerry.sync.protocol.backoff import Backoff
from skerry.sync.protocol.capability import Tier, tier_of
from skerry.sync.protocol.event_grouping import BatchId, EventGrouping, Marker
from skerry.sync.protocol.push_batch import StreamFailure, classify_stream_failure
from skerry.sync.resume_tokens import StreamPosition
from skerry.sync.sync_health import LinkState
from skerry.values.namespace import Namespace

Both = tuple[Node, Edge]


@pytest.fixture
def both() -> Iterator[Both]:
    with pair() as made:
        yield made


def lose_history(hub: Node) -> None:
    """Trim the hub's oplog to its newest entry."""
    hub.engine.storage.store.write(lambda view: oplog.trim(view, bytes_max=1, keep_from=None), durable=True)


def next_events(edge: Edge) -> list[Any]:
    """Take what the stream has without applying it."""
    listener = edge.replicator._pull._listener
    assert listener is not None
    found: list[Any] = []
    while events := listener.next_batch(1).events:
        found += events
    return found


@pytest.mark.parametrize("code", [286, 136, 40585, 40615])
def test_lost_history_is_told_by_every_code_that_servers_have_for_it(code: int) -> None:
    assert classify_stream_failure(code, (), by_token=True) is StreamFailure.HISTORY_LOST
    assert classify_stream_failure(1, ("NonResumableChangeStreamError",), by_token=True) is StreamFailure.HISTORY_LOST


@pytest.mark.parametrize("restarted", [False, True])
def test_after_a_loss_of_history_everything_is_compared_and_nothing_skipped(both: Both, restarted: bool) -> None:
    """Never "start from now", neither in the running program nor in the next one."""
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(6)])
    edge.sync()
    edge.disconnect()
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"v": "there"}})
    hub.shop.orders.delete_one({"_id": 2})
    hub.shop.orders.insert_one({"_id": "new there"})
    edge.shop.orders.update_one({"_id": 3}, {"$set": {"v": "here"}})
    edge.shop.orders.delete_one({"_id": 4})
    lose_history(hub)
    if restarted:
        edge.take_up()
    edge.connect()
    edge.sync()
    assert edge.counters()["history_lost"] == 1
    assert documents_of(edge) == documents_of(hub)
    assert {d["_id"]: d.get("v") for d in documents_of(hub)} == {0: 0, 1: "there", 3: "here", 5: 0, "new there": None}


def test_a_token_that_the_hub_discards_makes_no_storm_of_attempts(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, edge = both
    edge.shop.orders.insert_one({"_id": 1})
    edge.sync()
    edge.disconnect()
    stored = edge.link.read(lambda view: StreamPosition.load(view, edge.link.name))
    attempts = []

    def refuse(_self: ChangeStreamListener, **where: Any) -> Any:
        attempts.append(where)
        raise OperationFailure("history lost", 286)

    with monkeypatch.context() as patched:
        patched.setattr(ChangeStreamListener, "open", refuse)
        with pytest.raises(OperationFailure):
            edge.connect()
    assert len(attempts) <= 3
    assert (
        edge.link.read(lambda view: StreamPosition.load(view, edge.link.name)) == stored
    )  # not forgotten before it is replaced
    assert Backoff(500, 30_000, lambda: 0.0).next_delay_ms() >= 50
    hub.shop.orders.insert_one({"_id": 2})
    edge.connect()
    edge.sync()
    assert documents_of(edge) == documents_of(hub)


def test_the_token_of_an_idle_stream_moves_on_and_is_stored(both: Both) -> None:
    hub, edge = both
    edge.sync()
    pull = edge.replicator._pull
    before = edge.link.read(lambda view: StreamPosition.load(view, edge.link.name))
    hub.client.neighbour.noise.insert_many([{} for _ in range(5)])
    pull._saved -= 3600
    pull.step()
    after = edge.link.read(lambda view: StreamPosition.load(view, edge.link.name))
    assert before is not None
    assert after is not None
    assert after.token["_data"] > before.token["_data"]


def test_an_old_stream_gets_a_heartbeat(both: Both) -> None:
    _, edge = both
    pull, beat = edge.replicator._pull, {"_id.beat": edge.link.identity.edge}
    markers = edge.link.hub.markers(edge.link.selection.home)
    pull._keep_moving()
    assert markers.count_documents(beat) == 0
    pull._moved -= 3600
    pull._keep_moving()
    assert markers.count_documents(beat) == 1


def test_a_token_that_goes_back_in_time_takes_no_document_back(both: Both) -> None:
    hub, edge = both
    hub.shop.orders.insert_one({"_id": 1, "v": 0})
    edge.sync()
    pull = edge.replicator._pull
    early = dict(pull.applier.position.token)
    for value in range(1, 4):
        hub.shop.orders.replace_one({"_id": 1}, {"v": value})
        edge.pull()
    high = pull.applier.position.high
    local = edge.now()
    pull._open(after=early)
    edge.pull()
    assert edge.oplog(local) == []
    assert pull.applier.position.high == high
    assert documents_of(edge) == [{"_id": 1, "v": 3}]


def test_not_the_time_of_an_acknowledgement_but_the_marker_says_what_is_newer(both: Both) -> None:
    """A foreign write right behind our commit has to be applied, one right before it must not."""
    hub, edge = both
    edge.shop.orders.insert_one({"_id": 1, "v": "old"})
    edge.sync()
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"v": "ours"}})
    edge.push()
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"v": "theirs, later"}})
    edge.sync()
    assert documents_of(edge) == documents_of(hub) == [{"_id": 1, "v": "theirs, later"}]
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"w": "theirs, earlier"}})
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"v": "ours, later"}})
    local = edge.now()
    edge.sync()
    assert documents_of(edge) == documents_of(hub) == [{"_id": 1, "v": "ours, later", "w": "theirs, earlier"}]
    assert len(edge.oplog(local)) == 1
    assert edge.replicator.status().conflicts == 0


def test_busy_neighbours_do_not_come_through_the_stream() -> None:
    with pair("shop.orders=both") as (hub, edge):
        edge.sync()
        hub.shop.noise.insert_many([{} for _ in range(50)])
        hub.shop.orders.insert_one({"_id": 1})
        events = [parse_event(bytes(event.raw)) for event in next_events(edge)]
        assert [getattr(event, "namespace", None) for event in events] == [Namespace("shop", "orders")]


def test_other_rules_go_on_at_the_same_place_and_copy_what_is_new() -> None:
    with pair("shop.orders=both") as (hub, edge):
        hub.shop.others.insert_one({"_id": "before"})
        edge.sync()
        edge.disconnect()
        hub.shop.orders.insert_one({"_id": "meanwhile"})
        hub.shop.others.insert_one({"_id": "meanwhile"})
        edge.config = configuration("shop.*=both")
        edge.take_up()
        edge.connect()
        edge.sync()
        assert [d["_id"] for d in documents_of(edge)] == ["meanwhile"]
        assert [d["_id"] for d in documents_of(edge, "others")] == ["before", "meanwhile"]
        assert edge.counters().get("history_lost", 0) == 0
    assert classify_stream_failure(280, (), by_token=True) is StreamFailure.START_AT_TIME
    assert classify_stream_failure(280, (), by_token=False) is StreamFailure.HISTORY_LOST


def test_the_stream_outlives_a_dropped_database(both: Both) -> None:
    hub, edge = both
    edge.shop.orders.insert_one({"_id": 1})
    edge.sync()
    hub.client.drop_database("shop")
    hub.shop.later.insert_one({"_id": 2})
    for _ in range(4):
        edge.replicator._pull.step()
    assert set(edge.replicator.status().frozen) == {"shop.orders"}
    assert documents_of(edge) == [{"_id": 1}]  # until an operator decides: it may be the only copy
    assert documents_of(edge, "later") == [{"_id": 2}]


def test_a_renaming_over_another_collection_stops_both_and_is_compared_afterwards(both: Both) -> None:
    """The server reports no drop of the target."""
    hub, edge = both
    hub.shop.orders.insert_one({"_id": "of orders"})
    hub.shop.archive.insert_one({"_id": "of archive"})
    edge.sync()
    hub.shop.orders.rename("archive", dropTarget=True)
    edge.pull()
    assert set(edge.replicator.status().frozen) == {"shop.orders", "shop.archive"}
    for name in ("orders", "archive"):
        edge.replicator.thaw(Namespace("shop", name))
    pull = edge.replicator._pull
    pull.walk.plan(pull.namespaces(), "asked for", again=True)
    while pull.walk.step():
        pass
    edge.sync()
    assert documents_of(edge) == []
    assert documents_of(edge, "archive") == documents_of(hub, "archive") == [{"_id": "of orders"}]


def test_a_document_that_is_gone_or_newer_when_it_is_looked_up_is_taken_as_it_is(both: Both) -> None:
    hub, edge = both
    hub.shop.orders.insert_many([{"_id": 1, "v": 0}, {"_id": 2, "v": 0}])
    edge.sync()
    hub.shop.orders.update_many({}, {"$inc": {"v": 1}})
    events = next_events(edge)
    assert all("fullDocument" not in event for event in events)
    hub.shop.orders.delete_one({"_id": 1})
    hub.shop.orders.update_one({"_id": 2}, {"$inc": {"v": 1}})
    pull = edge.replicator._pull
    pull._open(after=pull.applier.position.token)
    edge.sync()
    assert documents_of(edge) == documents_of(hub) == [{"_id": 2, "v": 2}]


LARGE = 16 * 1024 * 1024 - 200  # nearly the largest document; an event with it is more than a hub can send


@pytest.mark.parametrize("operation", ["insert", "replace", "update"])
def test_a_document_whose_event_is_beyond_what_a_hub_can_send_arrives(
    both: Both, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """The stream is opened again without what was written, and the document is looked up; markers still come whole."""
    hub, edge = both
    if operation != "insert":
        hub.shop.orders.insert_one({"_id": 1, "large": "x"})
    edge.shop.orders.insert_one({"_id": "mine", "v": 0})
    edge.sync()
    refused, run = [], ChangeStreamListener._run

    def send(self: ChangeStreamListener, command: Any, name: str) -> StreamBatch:
        batch = run(self, command, name)
        if any(len(event.raw) > 16 * 1024 * 1024 - 1 for event in batch.events):
            refused.append(command)
            raise OperationFailure("BSONObj size is invalid", 10334)
        return batch

    monkeypatch.setattr(ChangeStreamListener, "_run", send)
    content = {"large": "y" * LARGE}
    if operation == "update":
        hub.shop.orders.update_one({"_id": 1}, {"$set": content})
    else:
        hub.shop.orders.replace_one({"_id": 1}, content, upsert=operation == "insert")
    hub.shop.orders.insert_one({"_id": 2})
    hub.shop.orders.delete_one({"_id": 2})
    edge.shop.orders.update_one({"_id": "mine"}, {"$set": {"v": 1}})
    edge.push()
    for _ in range(3):
        edge.step()
    assert len(refused) == 1
    assert edge.counts() == {}
    assert edge.shop.orders.find_one({"_id": 1}) == {"_id": 1, **content}
    assert documents_of(edge) == documents_of(hub)
    assert edge.counters().get("history_lost", 0) == 0


def test_post_images_that_a_hub_does_not_keep_are_not_needed(both: Both) -> None:
    hub, edge = both
    hub.shop.create_collection("orders", changeStreamPreAndPostImages={"enabled": False})
    hub.shop.orders.insert_one({"_id": 1})
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"v": 1}})
    edge.sync()
    assert documents_of(edge) == [{"_id": 1, "v": 1}]


def test_events_of_one_time_but_of_another_transaction_are_not_taken_for_ours() -> None:
    marker = Marker(BatchId("edge", 1, 7), {("orders", b"k"): 1})
    grouping = EventGrouping()
    assert grouping.take(5, (b"session", 1), marker).leads
    assert grouping.take(5, (b"session", 1)).marker is marker
    assert grouping.take(5, (b"session", 2)).marker is None
    assert grouping.take(5, (b"session", 1)).marker is None  # the group has ended when another began
    assert grouping.take(5, None).position.ordinal == 4


def test_events_that_come_again_are_known_by_their_place(both: Both) -> None:
    hub, edge = both
    edge.sync()
    listener = edge.replicator._pull._listener
    assert listener is not None
    with hub.client.start_session() as session, session.start_transaction():
        for value in range(3):  # several events of one document at one time
            hub.shop.orders.replace_one({"_id": 1}, {"v": value}, upsert=True, session=session)
    batch = listener.next_batch(1)
    apply = edge.replicator._pull.applier.apply
    apply(batch)
    local = edge.now()
    apply(batch)
    assert edge.oplog(local) == []
    assert documents_of(edge) == [{"_id": 1, "v": 2}]


@pytest.mark.parametrize(
    "operation", ["create", "createIndexes", "dropIndexes", "modify", "shardCollection", "refineThing"]
)
def test_changes_of_structure_are_not_replayed(operation: str) -> None:
    """What they say may be over: collections and indexes are looked at as they are now."""
    event = {
        "_id": {"_data": "82"},
        "operationType": operation,
        "clusterTime": Timestamp(5, 1),
        "wallTime": None,
        "ns": {"db": "shop", "coll": "orders"},
        "operationDescription": {"n": Int64(1)},
    }
    assert parse_event(encode(event)) is None


def test_values_that_change_places_under_a_unique_index_arrive(both: Both) -> None:
    hub, edge = both
    edge.shop.people.create_index("email", unique=True)
    hub.shop.people.insert_many([{"_id": 1, "email": "a"}, {"_id": 2, "email": "b"}])
    edge.sync()
    hub.shop.people.update_one({"_id": 1}, {"$set": {"email": "spare"}})
    hub.shop.people.update_one({"_id": 2}, {"$set": {"email": "a"}})
    hub.shop.people.update_one({"_id": 1}, {"$set": {"email": "b"}})
    edge.pull()
    edge.replicator._pull.applier.retry_dead_letters()
    edge.sync()
    assert documents_of(edge, "people") == documents_of(hub, "people")
    assert edge.replicator.status().dead_letters == 0


def test_what_a_hub_can_do_is_asked_and_not_assumed() -> None:
    assert tier_of(transactions=True, streams=True, wire_version=21) is Tier.A
    assert tier_of(transactions=True, streams=True, wire_version=9) is Tier.B
    assert tier_of(transactions=False, streams=True, wire_version=21) is Tier.C
    assert tier_of(transactions=False, streams=False, wire_version=21) is Tier.D


@pytest.mark.slow
def test_a_link_that_hears_nothing_does_not_look_alive(tmp_path: Path) -> None:
    """Its connections stand and its state is fine: only how long ago it has heard anything tells."""
    hub = OwnHub(tmp_path / "hub")
    proxy = FaultProxy(hub.port)
    edge = EdgeNode(tmp_path / "edge", proxy.uri, "shop.*=both")
    try:
        edge.settle()
        status = edge.replicator.status
        wait_for(lambda: (status().stream_age_ms or 0) < 200)
        proxy.flows.clear()
        hub.shop.orders.insert_one({"_id": 1})
        wait_for(lambda: (status().stream_age_ms or 0) > 1_000)
        assert status().state is LinkState.STREAMING
        assert edge.shop.orders.count_documents({}) == 0
        proxy.flows.set()
        wait_for(lambda: edge.shop.orders.count_documents({}) == 1)
        wait_for(lambda: (status().stream_age_ms or 0) < 200)
    finally:
        proxy.flows.set()
        edge.close()
        proxy.close()
        hub.close()


def test_many_collections_are_one_stream(both: Both) -> None:
    hub, edge = both
    for n in range(15):
        hub.shop[f"c{n}"].insert_one({"_id": n})
    edge.sync()
    assert edge.counters()["stream_opened"] == 1
    assert sum(edge.shop[f"c{n}"].count_documents({}) for n in range(15)) == 15
