"""Expanded events of documents do not tell the collection's UUID.

MongoDB adds `collectionUUID` to every event of a stream with `showExpandedEvents` (manual: Change Events). skerry adds it
to those that create, drop or rename a collection.
"""

from typing import Any

from pymongo.database import Database


def test_an_insert_has_no_uuid_and_a_drop_has(database: Database[Any]) -> None:
    with database.watch(show_expanded_events=True) as stream:
        database.things.insert_one({"_id": 1})
        database.things.drop()
        events = [stream.next() for _ in range(3)]
    assert [event["operationType"] for event in events] == ["create", "insert", "drop"]
    assert ["collectionUUID" in event for event in events] == [True, False, True]
