"""What a transaction has written, where the hub refuses a part of it or cannot take it as a whole."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from local_transactions import Both, HubReader, put, rows, together, whole
from pymongo.errors import OperationFailure
from quiet_pair import Edge, documents_of

from skerry.sync import push_worker
from skerry.sync.protocol import push_batch
from skerry.sync.protocol.capability import Tier
from skerry.sync.protocol.document_state import State
from skerry.values import documents


@pytest.fixture
def both() -> Iterator[Both]:
    with whole(batch_documents_max=2) as made:
        yield made


def quarantined(edge: Edge) -> dict[Any, str | None]:
    found = edge.link.read(lambda view: edge.link.shadows.of_state(view, State.QUARANTINED))
    return {documents.decode(each.id_document)["_id"]: each.shadow.error for each in found}


def test_a_group_with_a_document_that_the_hub_refuses_is_put_aside_as_a_whole(both: Both) -> None:
    hub, edge = both
    hub.shop.orders.create_index("seat", unique=True, sparse=True)
    hub.shop.orders.insert_one({"_id": "taken", "seat": 1})
    reader = HubReader(hub)
    together(edge, put(edge, "a", 1), put(edge, "b", 1, seat=1), put(edge, "c", 1))
    edge.shop.orders.insert_one({"_id": "other"})
    assert edge.push() > 0
    assert reader.groups() == [{"other"}]
    errors = quarantined(edge)
    assert errors.keys() == {"a", "b", "c"}
    assert "shop.orders 'b'" in str(errors["a"])
    assert "duplicate" in str(errors["b"]).lower()
    edge.shop.orders.update_one({"_id": "b"}, {"$set": {"seat": 2}})
    edge.push()
    assert reader.groups() == [{"a", "b", "c"}]
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
    assert rows(edge) == 0


def test_a_refused_document_that_is_given_up_lets_the_others_go(both: Both) -> None:
    hub, edge = both
    hub.shop.orders.create_index("seat", unique=True, sparse=True)
    hub.shop.orders.insert_one({"_id": "taken", "seat": 1})
    together(edge, put(edge, "a", 1), put(edge, "b", 1, seat=1))
    edge.push()
    assert quarantined(edge).keys() == {"a", "b"}
    edge.shop.orders.delete_one({"_id": "b"})
    edge.sync()
    assert documents_of(hub) == documents_of(edge)


def refuse_on_the_hub(monkeypatch: pytest.MonkeyPatch, code: int, *, when: Callable[[set[Any]], bool]) -> None:
    """Let the hub refuse a batch without saying which document it means."""
    write = push_worker.write_batch

    def write_or_fail(link: Any, session: Any, batch: Any, db: Any, items: Any, **named: Any) -> Any:
        if when({item.id_value for item in items}):
            raise OperationFailure("refused", code)
        return write(link, session, batch, db, items, **named)

    monkeypatch.setattr(push_worker, "write_batch", write_or_fail)


def test_the_search_for_what_is_refused_does_not_split_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_on_the_hub(monkeypatch, 121, when=lambda ids: "bad" in ids)
    with whole() as (hub, edge):
        edge.shop.orders.insert_many([{"_id": n} for n in range(5)])
        together(edge, put(edge, "a", 1), put(edge, "bad", 1), put(edge, "c", 1))
        edge.shop.orders.insert_many([{"_id": 10 + n} for n in range(5)])
        edge.push()
        assert len(documents_of(hub)) == 10
        assert quarantined(edge).keys() == {"a", "bad", "c"}


def test_a_group_that_is_too_much_for_the_hub_is_pushed_by_document(
    both: Both, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub, edge = both
    refuse_on_the_hub(monkeypatch, 257, when=lambda ids: len(ids) > 2)
    with caplog.at_level(logging.WARNING, "skerry.sync"):
        together(edge, *(put(edge, n, 1) for n in range(5)))
        edge.sync()
    assert documents_of(hub) == documents_of(edge)
    assert edge.counters()["transactions_split"] == 1
    assert "because the hub says" in caplog.text
    assert rows(edge) == 0


@pytest.mark.parametrize(
    ("settings", "value", "reason"),
    [
        ({}, "", "5 documents are more than 4"),
        ({"batch_bytes_max": 1024}, "x" * 400, "bytes are more than 1024"),
    ],
)
def test_a_group_beyond_the_limits_is_pushed_by_document(
    settings: dict[str, Any],
    value: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(push_batch, "TOGETHER_MAX", 4)
    with whole(**settings) as (hub, edge), caplog.at_level(logging.WARNING, "skerry.sync"):
        together(edge, *(put(edge, n, 1, text=value) for n in range(5 if not settings else 4)))
        edge.sync()
        assert documents_of(hub) == documents_of(edge)
        assert edge.counters()["transactions_split"] == 1
        assert rows(edge) == 0
    assert reason in caplog.text


def test_a_transaction_over_two_databases_is_pushed_by_document(caplog: pytest.LogCaptureFixture) -> None:
    with whole("shop.*=both,audit.*=both") as (hub, edge), caplog.at_level(logging.WARNING, "skerry.sync"):
        together(edge, put(edge, "a", 1), lambda s: edge.client.audit.log.insert_one({"_id": 1}, session=s))
        edge.sync()
        assert documents_of(hub) == documents_of(edge)
        assert list(hub.client.audit.log.find()) == [{"_id": 1}]
        assert edge.counters()["transactions_split"] == 1
    assert "spread over 2 databases" in caplog.text


def test_a_hub_without_transactions_gets_documents(both: Both, caplog: pytest.LogCaptureFixture) -> None:
    hub, edge = both
    facts = edge.link.hub.facts
    assert facts is not None
    edge.link.hub.facts = dataclasses.replace(facts, tier=Tier.C)
    with caplog.at_level(logging.WARNING, "skerry.sync"):
        for v in (1, 2):
            together(edge, *(put(edge, n, v) for n in range(3)))
            edge.push()
    assert documents_of(hub) == documents_of(edge)
    assert edge.counters()["transactions_split"] == 2
    assert caplog.text.count("the hub has no transactions") == 1


def test_a_refused_group_is_tried_again_when_the_hub_changes_what_was_refused(both: Both) -> None:
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": "a", "v": 0}, {"_id": "b", "v": 0}])
    edge.sync()
    hub.shop.orders.create_index("seat", unique=True, sparse=True)
    hub.shop.orders.insert_one({"_id": "taken", "seat": 1})
    together(edge, put(edge, "a", 1), put(edge, "b", 1, seat=1))
    edge.push()
    assert quarantined(edge).keys() == {"a", "b"}
    hub.shop.orders.update_one({"_id": "taken"}, {"$set": {"seat": 3}})
    hub.shop.orders.update_one({"_id": "b"}, {"$set": {"hub": 1}})
    edge.pull()
    assert edge.push() == 2
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
