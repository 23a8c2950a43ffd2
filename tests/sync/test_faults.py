"""What can go wrong on the way: cuts, lost answers, a hub that is away, history that is gone."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fault_proxy import FaultProxy
from hubs import HubNode, LocalHub
from nodes import EdgeNode, contents, wait_for
from pymongo.errors import OperationFailure

from skerry.sync.change_stream_listener import ChangeStreamListener
from skerry.sync.sync_health import LinkState
from skerry.values.namespace import Namespace

pytestmark = pytest.mark.slow


@pytest.fixture
def proxy(local_hub: LocalHub) -> Iterator[FaultProxy]:
    proxy = FaultProxy(local_hub.port, seed=7)
    yield proxy
    proxy.close()


@pytest.fixture
def remote_edge(make_edge: Callable[..., EdgeNode], proxy: FaultProxy) -> EdgeNode:
    return make_edge(hub_uri=proxy.uri, batch_documents_max=20)


def write_somewhere(choose: random.Random, edge: EdgeNode, hub: HubNode, n: int) -> None:
    side = choose.choice((edge, hub)).shop.orders
    document = choose.randrange(30)
    if choose.random() < 0.2:
        side.delete_one({"_id": document})
    else:
        field = choose.choice("abc")
        side.update_one({"_id": document}, {"$set": {field: n}}, upsert=True)


def test_both_sides_agree_after_random_cuts_and_lost_answers(
    hub: HubNode, remote_edge: EdgeNode, proxy: FaultProxy
) -> None:
    choose = random.Random(3)
    remote_edge.settle()
    proxy.cut_probability = 0.1
    for n in range(400):
        write_somewhere(choose, remote_edge, hub, n)
    wait_for(lambda: proxy.cuts > 10, 20)
    proxy.cut_probability = 0.0
    remote_edge.settle(60)
    assert contents(remote_edge.shop) == contents(hub.shop)


def test_an_edge_writes_on_while_the_hub_is_away_and_catches_up(local_hub: LocalHub, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(50)])
    edge.settle()
    local_hub.stop()
    edge.shop.orders.update_many({"_id": {"$lt": 25}}, {"$set": {"v": 1}})
    edge.shop.orders.insert_many([{"_id": n, "v": 1} for n in range(50, 80)])
    edge.shop.orders.delete_many({"_id": {"$in": [48, 49]}})
    wait_for(lambda: edge.replicator.status().state is LinkState.OFFLINE, 15)
    assert edge.replicator.status().problems
    local_hub.start()
    edge.settle(40)
    assert local_hub.shop.orders.count_documents({"v": 1}) == 55
    assert contents(edge.shop) == contents(local_hub.shop)


@pytest.mark.witnessed
def test_a_link_goes_on_behind_its_token_after_a_restart(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n} for n in range(50)])
    edge.settle()
    edge.unlink()
    hub.shop.orders.insert_many([{"_id": n} for n in range(50, 60)])
    hub.shop.orders.delete_many({"_id": {"$lt": 10}})
    edge.shop.orders.insert_one({"_id": "written without a link"})
    edge.relink()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert edge.shop.orders.count_documents({}) == 51
    assert edge.counters().get("history_lost", 0) == 0
    assert edge.counters()["pulled_applied"] == 20


@pytest.mark.witnessed
def test_lost_history_keeps_local_edits_and_finds_the_deletions_of_the_hub(local_hub: LocalHub, edge: EdgeNode) -> None:
    hub = local_hub
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(40)])
    edge.settle()
    edge.unlink()
    edge.shop.orders.update_one({"_id": 1}, {"$set": {"v": "edited here"}})
    edge.shop.orders.insert_one({"_id": "new here"})
    edge.shop.orders.delete_one({"_id": 2})
    hub.shop.orders.update_one({"_id": 3}, {"$set": {"v": "edited there"}})
    hub.shop.orders.delete_one({"_id": 4})
    hub.shop.orders.insert_one({"_id": "new there"})
    hub.lose_history()
    edge.relink()
    wait_for(lambda: edge.counters().get("history_lost"))
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    here = {d["_id"]: d.get("v") for d in edge.shop.orders.find()}
    assert here[1] == "edited here"
    assert here[3] == "edited there"
    assert {"new here", "new there"} <= here.keys()
    assert not {2, 4} & here.keys()
    assert edge.replicator.status().conflicts == 0


@pytest.mark.witnessed
def test_a_time_before_the_hubs_history_is_not_taken_for_its_beginning(
    local_hub: LocalHub, edge: EdgeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every server refuses to open a stream there."""
    edge.shop.orders.insert_many([{"_id": n} for n in range(5)])
    edge.settle()
    edge.unlink()
    local_hub.shop.orders.delete_one({"_id": 4})
    local_hub.shop.orders.insert_one({"_id": "new there"})
    local_hub.lose_history()
    opened = ChangeStreamListener.open

    def know_no_token(self: ChangeStreamListener, *, after: Any = None, at_time: int | None = None) -> Any:
        if after is not None:
            raise OperationFailure("the resume token was not found", 280)
        return opened(self, at_time=at_time)

    monkeypatch.setattr(ChangeStreamListener, "open", know_no_token)
    edge.relink()
    edge.settle()
    assert edge.counters()["history_lost"] == 1
    assert contents(edge.shop) == contents(local_hub.shop)


def test_a_document_that_the_hub_refuses_is_set_aside_and_does_not_hold_up_the_others(
    hub: HubNode, edge: EdgeNode
) -> None:
    hub.shop.create_collection("orders", validator={"qty": {"$gt": 0}})
    edge.shop.orders.insert_many([{"_id": n, "qty": n} for n in range(5)])
    wait_for(lambda: hub.shop.orders.count_documents({}) == 4)
    wait_for(lambda: edge.replicator.status().quarantined == 1)
    edge.shop.orders.update_one({"_id": 0}, {"$set": {"qty": 10}})
    edge.settle()
    assert hub.shop.orders.count_documents({}) == 5
    assert edge.replicator.status().quarantined == 0


def test_a_change_that_a_unique_index_here_refuses_becomes_a_dead_letter(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.people.create_index("email", unique=True)
    edge.shop.people.insert_one({"_id": 1, "email": "a@b"})
    edge.settle()
    hub.shop.people.insert_many([{"_id": 2, "email": "a@b"}, {"_id": 3, "email": "c@d"}])
    wait_for(lambda: edge.shop.people.count_documents({}) == 2)
    assert edge.replicator.status().dead_letters == 1
    edge.shop.people.delete_one({"_id": 1})
    edge.replicator._pull.applier.retry_dead_letters()
    assert edge.shop.people.find_one({"_id": 2}) == {"_id": 2, "email": "a@b"}
    assert edge.replicator.status().dead_letters == 0


def test_a_collection_dropped_on_the_hub_is_frozen_until_an_operator_decides(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n} for n in range(5)])
    edge.settle()
    hub.shop.orders.drop()
    wait_for(lambda: edge.replicator.status().frozen)
    edge.shop.orders.insert_one({"_id": "late"})
    assert edge.shop.orders.count_documents({}) == 6
    edge.replicator.thaw(Namespace(hub.shop.name, "orders"))
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop) == {"orders": [{"_id": "late"}]}


def test_another_hub_at_the_same_address_is_refused(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    edge.unlink()
    hub.shop["__edge_sync"].delete_one({"_id": {"hub": 1}})
    edge.relink()
    wait_for(lambda: edge.replicator.status().state is LinkState.REFUSED)
    assert "not the hub" in str(edge.replicator.status().error)
