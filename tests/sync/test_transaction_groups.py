"""With `atomicity = per_transaction`, nobody on the hub sees a part of what a multi-document transaction has written here."""

import dataclasses
from collections.abc import Iterator

import pytest
from local_transactions import Both, HubReader, put, rows, together, whole
from quiet_pair import documents_of, pair

from skerry.config.sync_config import Atomicity
from skerry.sync import push_worker
from skerry.values.namespace import Namespace


@pytest.fixture
def both() -> Iterator[Both]:
    with whole(batch_documents_max=2) as made:
        yield made


def test_what_a_transaction_wrote_goes_up_in_one_however_small_batches_are(both: Both) -> None:
    hub, edge = both
    reader = HubReader(hub)
    edge.shop.orders.insert_one({"_id": "before"})
    together(edge, *(put(edge, n, 1) for n in range(5)))
    edge.shop.orders.insert_one({"_id": "behind"})
    edge.sync()
    assert reader.groups() == [{"before"}, set(range(5)), {"behind"}]
    assert documents_of(hub) == documents_of(edge)
    assert rows(edge) == 0


def test_without_the_setting_nothing_is_noted_and_batches_are_cut_anywhere() -> None:
    with pair(batch_documents_max=2) as (hub, edge):
        reader = HubReader(hub)
        together(edge, *(put(edge, n, 1) for n in range(4)))
        assert rows(edge) == 0
        edge.sync()
        assert reader.groups() == [{0, 1}, {2, 3}]


def test_transactions_that_share_a_document_go_up_together(both: Both) -> None:
    hub, edge = both
    reader = HubReader(hub)
    together(edge, put(edge, "a", 1), put(edge, "b", 1))
    together(edge, put(edge, "x", 1), put(edge, "y", 1))
    together(edge, put(edge, "c", 1), put(edge, "d", 1))
    together(edge, put(edge, "b", 2), put(edge, "c", 2))
    edge.sync()
    assert reader.groups() == [{"a", "b", "c", "d"}, {"x", "y"}]


def test_a_write_outside_a_transaction_belongs_to_no_group_of_its_own(both: Both) -> None:
    hub, edge = both
    reader = HubReader(hub)
    together(edge, put(edge, "a", 1), put(edge, "b", 1))
    put(edge, "b", 2)(None)
    edge.shop.orders.insert_many([{"_id": "c"}, {"_id": "d"}, {"_id": "e"}])
    together(edge, put(edge, "alone", 1))
    edge.sync()
    assert reader.groups() == [{"a", "b"}, {"c", "d"}, {"e", "alone"}]


def test_what_is_deleted_before_it_was_pushed_leaves_its_group(both: Both) -> None:
    hub, edge = both
    together(edge, put(edge, "a", 1), put(edge, "b", 1))
    edge.shop.orders.delete_one({"_id": "a"})
    edge.sync()
    assert [each["_id"] for each in documents_of(hub)] == ["b"]
    assert rows(edge) == 0


def test_a_transaction_belongs_to_the_group_of_what_it_deletes_before_the_hub_has_heard_of_it(both: Both) -> None:
    hub, edge = both
    reader = HubReader(hub)
    for one, other in ("ab", "cd"):
        together(edge, put(edge, one, 1), put(edge, other, 1))
    together(edge, *(lambda s, id=each: edge.shop.orders.delete_one({"_id": id}, session=s) for each in "ac"))
    edge.sync()
    assert reader.groups() == [{"b", "d"}]
    assert rows(edge) == 0


def test_nothing_is_kept_of_a_group_that_has_gone(both: Both) -> None:
    _, edge = both
    together(edge, put(edge, "a", 1), put(edge, "b", 1))
    edge.shop.orders.delete_many({})
    assert rows(edge) == 0


def test_deletions_are_part_of_what_a_transaction_wrote(both: Both) -> None:
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": n} for n in range(3)])
    edge.sync()
    reader = HubReader(hub)
    together(edge, lambda s: edge.shop.orders.delete_many({}, session=s), put(edge, "new", 1))
    edge.sync()
    assert reader.groups() == [{0, 1, 2, "new"}]
    assert rows(edge) == 0


def test_a_group_waits_as_a_whole_for_a_document_that_was_written_on_the_hub(both: Both) -> None:
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": each, "v": 0} for each in "abc"])
    edge.sync()
    hub.shop.orders.update_one({"_id": "b"}, {"$set": {"hub": 1}})
    reader = HubReader(hub)
    together(edge, put(edge, "a", 1), put(edge, "b", 1), put(edge, "c", 1))
    edge.shop.orders.insert_one({"_id": "other"})
    assert edge.push() == 0
    assert edge.push() == 1
    assert reader.groups() == [{"other"}]
    edge.pull()
    assert edge.push() == 3
    assert reader.groups() == [{"a", "b", "c"}]
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
    assert hub.shop.orders.find_one({"_id": "b"}) == {"_id": "b", "v": 1, "hub": 1}


def test_documents_that_wait_do_not_keep_others_from_going(both: Both) -> None:
    """More documents wait than a batch has room for, and all of them were written before the others."""
    hub, edge = both
    edge.shop.orders.insert_many([{"_id": n, "v": 0} for n in range(6)])
    edge.sync()
    hub.shop.orders.update_one({"_id": 5}, {"$set": {"hub": 1}})
    together(edge, *(put(edge, n, 1) for n in range(6)))
    edge.shop.orders.insert_many([{"_id": f"other {n}"} for n in range(3)])
    assert edge.push() == 0
    assert edge.push() == 3
    assert not edge.replicator._push.has_work()
    edge.sync()
    assert documents_of(hub) == documents_of(edge)


def test_a_group_whose_document_is_frozen_waits(both: Both) -> None:
    hub, edge = both
    edge.shop.notes.insert_one({"_id": "n"})
    edge.sync()
    hub.shop.notes.drop()
    edge.pull()
    assert "shop.notes" in edge.link.selection.frozen
    together(edge, put(edge, "a", 1), lambda s: edge.shop.notes.insert_one({"_id": "m"}, session=s))
    edge.shop.orders.insert_one({"_id": "other"})
    assert edge.push() == 1
    assert [each["_id"] for each in documents_of(hub)] == ["other"]
    edge.replicator.thaw(Namespace("shop", "notes"))
    assert edge.push() == 2


@pytest.mark.parametrize("rules", ["shop.*=both", 'shop.*=both {"v": {"$gt": 0}}'])
def test_a_transaction_that_touches_what_awaits_its_echo_waits_as_a_whole(rules: str) -> None:
    """Where a query decides what travels, each document of a batch is settled for itself."""
    with whole(rules) as (hub, edge):
        reader = HubReader(hub)
        together(edge, put(edge, "a", 1), put(edge, "b", 1))
        assert edge.push() == 2
        together(edge, put(edge, "b", 2), put(edge, "c", 2))
        assert edge.push() == 0
        edge.pull()
        assert rows(edge) == 2
        assert edge.push() == 2
        assert reader.groups() == [{"a", "b"}, {"b", "c"}]
        edge.sync()
        assert rows(edge) == 0


def test_a_transaction_behind_a_batch_that_never_arrived_goes_with_it(both: Both) -> None:
    """The process dies before the batch is sent; what it carried is written over, together with another document."""
    hub, edge = both
    reader = HubReader(hub)
    together(edge, put(edge, "a", 1), put(edge, "b", 1))
    assert edge.link.write(lambda view: edge.replicator._push._prepare(view, b"\x01" * 16))
    together(edge, put(edge, "b", 2), put(edge, "c", 2))
    edge.disconnect()
    edge.take_up()
    edge.connect()
    edge.sync()
    assert reader.groups() == [{"a", "b", "c"}]
    assert documents_of(hub) == documents_of(edge)
    assert rows(edge) == 0


def test_a_batch_that_arrived_unheard_is_settled_by_its_fence(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub commits, and the process dies before it knows."""
    hub, edge = both
    reader = HubReader(hub)
    together(edge, put(edge, "a", 1), put(edge, "b", 1))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(push_worker.PushWorker, "_acknowledge", die)
        with pytest.raises(KeyboardInterrupt):
            edge.push()
    together(edge, put(edge, "b", 2), put(edge, "c", 2))
    edge.disconnect()
    edge.take_up()
    edge.connect()
    edge.sync()
    assert reader.groups() == [{"a", "b"}, {"b", "c"}]
    assert documents_of(hub) == documents_of(edge)
    assert rows(edge) == 0


def test_groups_are_forgotten_when_nobody_asks_for_them_any_more(both: Both) -> None:
    _, edge = both
    together(edge, put(edge, "a", 1), put(edge, "b", 1))
    assert rows(edge) == 2
    edge.config = dataclasses.replace(edge.config, atomicity=Atomicity.PER_DOCUMENT)
    edge.disconnect()
    edge.take_up()
    assert rows(edge) == 0
    together(edge, put(edge, "a", 2), put(edge, "b", 2))
    assert rows(edge) == 0


def test_groups_of_a_collection_go_with_its_other_records(both: Both) -> None:
    _, edge = both
    shadows, namespace = edge.link.shadows, Namespace("shop", "orders")
    for v, forget in enumerate((shadows.stop_tracking, shadows.remove_unclean, shadows.remove_namespace)):
        together(edge, put(edge, "a", v), put(edge, "b", v))
        assert rows(edge) == 2
        edge.link.write(lambda view, forget=forget: forget(view, namespace))  # type: ignore[misc]
        assert rows(edge) == 0


def test_a_document_that_both_sides_have_made_alike_leaves_its_group(both: Both) -> None:
    hub, edge = both
    together(edge, put(edge, "a", 1), put(edge, "b", 1), put(edge, "c", 1))
    hub.shop.orders.insert_many([{"_id": "a", "v": 1}, {"_id": "b", "v": 1}])
    edge.pull()
    assert rows(edge) == 1
    assert edge.push() == 1
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
