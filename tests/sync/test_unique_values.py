"""Unique values that change hands between documents within one push, and documents that a hub's unique index refuses."""

import pytest
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for
from pymongo.errors import OperationFailure

from skerry.sync import hub_writes, push_worker
from skerry.sync.protocol.push_batch import Failure, classify_failure

pytestmark = pytest.mark.witnessed


@pytest.fixture
def people(hub: HubNode, edge: EdgeNode) -> EdgeNode:
    hub.shop.people.create_index("seat", unique=True)
    hub.shop.people.insert_many([{"_id": n, "seat": n} for n in range(4)])
    edge.settle()
    edge.replicator.pause()
    return edge


def test_two_documents_exchange_a_unique_value(hub: HubNode, people: EdgeNode) -> None:
    for id_value, seat in ((0, 1), (1, 0)):
        people.shop.people.update_one({"_id": id_value}, {"$set": {"seat": seat}})
    people.replicator.resume()
    people.settle()
    assert contents(people.shop) == contents(hub.shop)
    assert hub.shop.people.find_one({"_id": 0}) == {"_id": 0, "seat": 1}
    assert people.counters().get("push_refused", 0) == 0


def test_a_round_of_seats_a_leaver_and_a_newcomer_are_one_push(hub: HubNode, people: EdgeNode) -> None:
    for id_value, seat in ((0, 1), (1, 2), (2, 3)):
        people.shop.people.update_one({"_id": id_value}, {"$set": {"seat": seat}})
    people.shop.people.delete_one({"_id": 3})
    people.shop.people.insert_one({"_id": "new", "seat": 0})
    people.replicator.resume()
    people.settle()
    assert {each["_id"]: each["seat"] for each in hub.shop.people.find()} == {0: 1, 1: 2, 2: 3, "new": 0}
    assert people.replicator.status().quarantined == 0


def test_one_that_stays_refused_keeps_nobody_else_waiting(hub: HubNode, people: EdgeNode) -> None:
    people.shop.people.insert_many([{"_id": f"new {n}", "seat": n + 3} for n in range(10)])
    people.replicator.resume()
    wait_for(lambda: hub.shop.people.count_documents({}) == 13)
    wait_for(lambda: people.replicator.status().quarantined == 1)
    hub.shop.people.delete_one({"_id": 3})
    wait_for(lambda: people.shop.people.find_one({"_id": 3}) is None)
    people.replicator.retry_dead_letters()
    people.settle()
    assert contents(people.shop) == contents(hub.shop)


def test_a_transaction_that_is_too_large_is_sent_in_parts(
    hub: HubNode, people: EdgeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = hub_writes.write_batch
    sizes: list[int] = []

    def refuse_many(link: object, session: object, batch: object, db: str, items: list[object], **rest: bool) -> object:
        sizes.append(len(items))
        if len(items) > 3:
            raise OperationFailure("Total size of all transaction operations must be less than …", 257)
        return written(link, session, batch, db, items, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(push_worker, "write_batch", refuse_many)
    people.shop.notes.insert_many([{"_id": n} for n in range(12)])
    people.replicator.resume()
    people.settle()
    assert hub.shop.notes.count_documents({}) == 12
    assert max(sizes) == 12
    assert people.replicator.status().quarantined == 0


@pytest.mark.parametrize("code", [257, 290])
def test_too_much_for_one_transaction_is_no_fault_of_a_document(code: int) -> None:
    for committing in (False, True):
        assert classify_failure(code, ["TransientTransactionError"], committing=committing) is Failure.TOO_MUCH
