"""What a batch of events is worked out to mean, where our own pushes stand among the hub's changes."""

from quiet_pair import documents_of, pair


def test_an_update_behind_our_own_push_is_not_worked_out_from_a_version_before_it() -> None:
    with pair() as (hub, edge):
        hub.shop.orders.insert_one({"_id": 1, "a": 0, "b": 0})
        edge.sync()
        for value in (1, 0):  # back to the version that the push is compared with
            hub.shop.orders.replace_one({"_id": 1}, {"_id": 1, "a": value, "b": 0})
        edge.shop.orders.update_one({"_id": 1}, {"$set": {"a": 7}})
        assert edge.push() == 1
        hub.shop.orders.update_one({"_id": 1}, {"$set": {"b": 5}})
        edge.pull()
        assert documents_of(edge) == documents_of(hub) == [{"_id": 1, "a": 7, "b": 5}]


def test_a_document_written_back_to_what_the_hub_has_goes_from_here_when_that_is_out_of_scope() -> None:
    with pair('shop.*=both {"a": {"$ne": 2}}') as (hub, edge):
        edge.disconnect()
        hub.shop.orders.insert_one({"_id": 1, "a": 2})
        edge.shop.orders.insert_one({"_id": 1, "a": 1})
        edge.connect()
        edge.pull()
        edge.shop.orders.update_one({"_id": 1}, {"$set": {"a": 2}})
        edge.sync()
        assert documents_of(hub) == [{"_id": 1, "a": 2}]
        assert documents_of(edge) == []
